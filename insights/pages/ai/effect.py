"""A part of the page: figures before and after adopting an agent, and developers by usage cohort."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from django.urls import reverse

from core.csv_export import Cell
from insights.catalogue.registry import get
from insights.engine.adoption.developers import (
    COHORT_NAMES,
    DID_NOT,
    OF_PEOPLE_AND_AGENTS,
    TOOK_UP,
    AdoptionRowsQuery,
    Panel,
    RowKind,
)
from insights.engine.adoption.effect import Cohort, Effect
from insights.formulas.differences import ConfidenceInterval
from insights.pages import presenter
from insights.pages.ai.tabs import COMPARED
from insights.privacy.adoption import visible_adoption
from insights.query.query import Query
from insights.ui import wording
from insights.ui.filters import Filters

MERGED, CYCLE = "PRs merged per week", "Cycle time, mean"
FIGURE_TITLES = {
    Panel.MERGED: f"{MERGED}, before and after adoption",
    Panel.CYCLE: f"{CYCLE}, before and after adoption",
    Panel.USE: "Developers by agent use",
}
TOO_FEW_FOR_AN_INTERVAL = "No interval: a group has too few developers."
COHORT_USAGE = {
    "none": "no session",
    "light": "less than a day a week",
    "moderate": "1 to 3 days a week",
    "heavy": "3 days a week and more",
}


def adoption_rows_url(
    filters: Filters, params: AdoptionRowsQuery, *, name: str = "adoption_rows", page: str = ""
) -> str:
    """The URL of the rows behind a figure."""
    listed = "" if params.listed is RowKind.DEVELOPERS else params.listed.value
    return filters.url(reverse(name), of=params.figure.value, group=params.group, list=listed, page=page)


def effect_query(filters: Filters) -> Query:
    """The query without filters that pull requests do not have, such as a model; the part tells the reader."""
    query = presenter.narrowed(COMPARED, filters).query("pr.cycle_time")
    supported = get(OF_PEOPLE_AND_AGENTS).facets
    facets = {name: chosen for name, chosen in query.facets.items() if name in supported}
    return replace(query, facets=facets, statistic=None)  # regardless of the statistic that the chart next to it shows


def effect_part(filters: Filters) -> dict[str, Any]:
    """The context of insights/_part_adoption_effect.html."""
    adoption = visible_adoption(effect_query(filters), filters.access)
    sizes, lines, why = (
        ([], [], adoption.why_no_effect) if adoption.effect is None else _effect_lines(filters, adoption.effect)
    )
    return {
        "title": "Before and after adoption",
        "sizes": sizes,
        "lines": lines,
        "reason": why,
        "cohorts": [_cohort(filters, cohort) for cohort in adoption.cohorts],
        "cohorts_reason": adoption.why_no_cohorts,
        "ignored_filters": filters.ignored_filters(get(OF_PEOPLE_AND_AGENTS)),
    }


def effect_table(filters: Filters) -> Iterator[list[Cell]]:
    """The effect as numbers: both groups before and after, and how much more the first changed."""
    adoption = visible_adoption(effect_query(filters), filters.access)
    effect = adoption.effect
    groups = ("Adopted an agent", "No adoption")
    yield [
        *("Figure", "Unit", *(f"{group}: {what}" for group in groups for what in ("developers", "before", "after"))),
        *("Difference", "Interval from", "Interval to", "Why none"),
    ]
    if effect is None:
        yield ["", "", *[None] * 9, adoption.why_no_effect]
        return
    both_groups = (effect.took_up, effect.did_not)
    merged = [value for group in both_groups for value in (group.developers, group.merged_before, group.merged_after)]
    cycle = [value for group in both_groups for value in (group.developers, group.cycle_before, group.cycle_after)]
    yield [MERGED, "count", *merged, effect.merged, *_ends(effect.merged_interval)]
    yield [CYCLE, "seconds", *cycle, effect.cycle, *_ends(effect.cycle_interval)]


def _ends(interval: ConfidenceInterval | None) -> tuple[Cell, Cell, Cell]:
    """The ends of an interval, and the reason if there is none."""
    return (interval.low, interval.high, "") if interval else (None, None, TOO_FEW_FOR_AN_INTERVAL)


def cohorts_table(filters: Filters) -> Iterator[list[Cell]]:
    adoption = visible_adoption(effect_query(filters), filters.access)
    yield ["Use", "Developers", "PRs merged", "PRs per developer per week", "Cycle time (median seconds)"]
    for cohort in adoption.cohorts:
        yield [cohort.name, cohort.developers, cohort.merged, cohort.merged_per_week, cohort.cycle_seconds]
    if adoption.why_no_cohorts:
        yield [adoption.why_no_cohorts, None, None, None, None]


def _effect_lines(filters: Filters, effect: Effect) -> tuple[Sequence[dict[str, Any]], Sequence[dict[str, Any]], str]:
    """The sizes of both groups, a line for each figure, and the reasons why intervals are missing."""
    took_up, did_not = effect.took_up, effect.did_not
    merged = [(group.merged_before, group.merged_after) for group in (took_up, did_not)]
    cycle = [(group.cycle_before, group.cycle_after) for group in (took_up, did_not)]
    lines = [
        _line(filters, Panel.MERGED, merged, effect.merged, effect.merged_interval),
        _line(filters, Panel.CYCLE, cycle, effect.cycle, effect.cycle_interval),
    ]
    described = ("took_up_url", took_up, "adopted an agent in this window"), ("did_not_url", did_not, "never used one")
    sizes = [
        {
            "developers": wording.count(group.developers, "developer"),
            "description": description,
            "rows_url": lines[0][url],
        }
        for url, group, description in described
    ]
    return sizes, lines, "" if effect.merged_interval else TOO_FEW_FOR_AN_INTERVAL


def _line(
    filters: Filters,
    figure: Panel,
    groups: Sequence[tuple[float | None, float | None]],
    effect: float | None,
    interval: ConfidenceInterval | None,
) -> dict[str, Any]:
    """Both groups before → after, and the difference in differences; each with its rows."""
    title, words, unit = {Panel.MERGED: (MERGED, _rate, ""), Panel.CYCLE: (CYCLE, _time, "seconds")}[figure]
    ends = (interval.low, interval.high) if interval else ()
    difference, *reach = wording.signed((effect, *ends), unit) if effect is not None else ("–",)
    took_up, did_not = (
        "–" if before is None or after is None else f"{words(before)} → {words(after)}" for before, after in groups
    )
    everybody_url, took_up_url, did_not_url = (
        adoption_rows_url(filters, AdoptionRowsQuery(figure, group)) for group in ("", TOOK_UP, DID_NOT)
    )
    return {
        "title": title,
        "took_up": took_up,
        "did_not": did_not,
        "effect": difference,
        "interval": " to ".join(reach),
        "rows_url": everybody_url,
        "took_up_url": took_up_url,
        "did_not_url": did_not_url,
    }


def _cohort(filters: Filters, cohort: Cohort) -> dict[str, Any]:
    developers, pulls = (
        adoption_rows_url(filters, AdoptionRowsQuery(Panel.USE, cohort.name, listed)) if cohort.developers else ""
        for listed in (RowKind.DEVELOPERS, RowKind.PULL_REQUESTS)
    )
    return {
        "name": COHORT_NAMES[cohort.name],
        "usage": COHORT_USAGE[cohort.name],
        "developers": f"{cohort.developers:,}",
        "merged": "–" if cohort.merged_per_week is None else _rate(cohort.merged_per_week),
        "cycle": "–" if cohort.cycle_seconds is None else _time(cohort.cycle_seconds),
        "rows_url": developers,
        "pulls_url": pulls,
    }


def _rate(value: float) -> str:
    return f"{value:,.2f}"


def _time(value: float) -> str:
    return str(wording.duration(value))

"""Before and after an agent was taken up, and developers by how much they use agents: a part of the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from insights import wording
from insights.filters import Filters
from insights.formulas.differences import Interval
from insights.metrics.adoption_effect import Cohort, Course, Effect
from insights.metrics.visible import visible_cohorts, visible_effect
from insights.views.ai.lines import of_work
from orgtree.csv_export import Cell

Words = Callable[[float], str]
MERGED, CYCLE = "PRs merged a week", "PR cycle time, mean"
TOO_FEW_FOR_AN_INTERVAL = "No interval: a group has too few developers."
COHORT_NAMES = {
    "none": ("None", "no session"),
    "light": ("Light", "less than a day a week"),
    "moderate": ("Moderate", "1 to 3 days a week"),
    "heavy": ("Heavy", "3 days a week and more"),
}


@dataclass(frozen=True)
class EffectLine:
    """One figure: both groups before → after, and the difference in differences in words."""

    title: str
    took_up: str
    did_not: str
    effect: str
    interval: str


@dataclass(frozen=True)
class CohortLine:
    name: str
    usage: str
    developers: str
    merged: str
    cycle: str


@dataclass(frozen=True)
class EffectPart:
    sizes: str
    lines: Sequence[EffectLine]
    reason: str
    cohorts: Sequence[CohortLine]
    cohorts_reason: str
    as_of: datetime  # of the older of the two


def effect_part(filters: Filters) -> EffectPart:
    query = of_work(filters).query("pr.cycle_time")
    effect, reason, effect_at = visible_effect(query, filters.access)
    cohorts, cohorts_reason, cohorts_at = visible_cohorts(query, filters.access)
    sizes, lines, why = ("", [], reason) if effect is None else _told(effect)
    return EffectPart(
        sizes, lines, why, [_cohort(each) for each in cohorts], cohorts_reason, min(effect_at, cohorts_at)
    )


def effect_table(filters: Filters) -> Iterator[list[Cell]]:
    """The effect as numbers: both groups before and after, and by how much more the first changed."""
    effect, reason, at = visible_effect(of_work(filters).query("pr.cycle_time"), filters.access)
    groups = ("Took up an agent", "Did not")
    yield [
        *("Figure", "Unit", *(f"{group}: {what}" for group in groups for what in ("developers", "before", "after"))),
        *("Changed by more", "Interval from", "Interval to", "Why none", "As of"),
    ]
    if effect is None:
        yield ["", "", *[None] * 9, reason, at.isoformat()]
        return
    courses = (effect.took_up, effect.did_not)
    merged = [cell for each in courses for cell in (each.developers, each.merged_before, each.merged_after)]
    cycle = [cell for each in courses for cell in (each.developers, each.cycle_before, each.cycle_after)]
    yield [MERGED, "count", *merged, effect.merged, *_ends(effect.merged_interval), at.isoformat()]
    yield [CYCLE, "seconds", *cycle, effect.cycle, *_ends(effect.cycle_interval), at.isoformat()]


def _ends(interval: Interval | None) -> tuple[Cell, Cell, Cell]:
    """Of an interval, and why there is none."""
    return (interval.low, interval.high, "") if interval else (None, None, TOO_FEW_FOR_AN_INTERVAL)


def cohorts_table(filters: Filters) -> Iterator[list[Cell]]:
    cohorts, reason, at = visible_cohorts(of_work(filters).query("pr.cycle_time"), filters.access)
    yield ["Use", "Developers", "PRs merged", "PRs per developer and week", "Cycle time (median seconds)", "As of"]
    for each in cohorts:
        yield [each.name, each.developers, each.merged, each.merged_per_week, each.cycle_seconds, at.isoformat()]
    if reason:
        yield [reason, None, None, None, None, at.isoformat()]


def _told(effect: Effect) -> tuple[str, Sequence[EffectLine], str]:
    took_up, did_not = effect.took_up, effect.did_not
    lines = [
        EffectLine(
            MERGED,
            _course(took_up.merged_before, took_up.merged_after, _rate),
            _course(did_not.merged_before, did_not.merged_after, _rate),
            _signed(effect.merged, _rate),
            _interval(effect.merged_interval, _rate),
        ),
        EffectLine(
            CYCLE,
            _course(took_up.cycle_before, took_up.cycle_after, _time),
            _course(did_not.cycle_before, did_not.cycle_after, _time),
            _signed(effect.cycle, _time),
            _interval(effect.cycle_interval, _time),
        ),
    ]
    sizes = f"{_developers(took_up)} took up an agent in this window, {_developers(did_not)} never used one."
    return sizes, lines, "" if effect.merged_interval else TOO_FEW_FOR_AN_INTERVAL


def _developers(course: Course) -> str:
    return wording.count(course.developers, "developer")


def _cohort(each: Cohort) -> CohortLine:
    name, usage = COHORT_NAMES[each.name]
    return CohortLine(
        name,
        usage,
        f"{each.developers:,}",
        "–" if each.merged_per_week is None else _rate(each.merged_per_week),
        "–" if each.cycle_seconds is None else _time(each.cycle_seconds),
    )


def _rate(value: float) -> str:
    return f"{value:,.2f}"


def _time(value: float) -> str:
    return str(wording.duration(value))


def _course(before: float | None, after: float | None, words: Words) -> str:
    return "–" if before is None or after is None else f"{words(before)} → {words(after)}"


def _signed(value: float | None, words: Words) -> str:
    return "–" if value is None else f"{'−' if value < 0 else '+'}{words(abs(value))}"


def _interval(interval: Interval | None, words: Words) -> str:
    return "" if interval is None else f"{_signed(interval.low, words)} to {_signed(interval.high, words)}"

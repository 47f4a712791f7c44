"""The guided start: pilot teams and a starter set, their baseline, three suggestions, and the first objective.

All choices are in the URL, so that it can be shared; nothing is stored until somebody sets an objective or key
indicators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from core.page_links import url_with
from insights.catalogue.declarations import Metric
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.views import record_view
from orgtree.access.access import Access
from orgtree.models import Unit
from orgtree.models.visibility import Visibility
from programs.benchmarks.services.current_values import STANDS_OVER_WEEKS, BenchmarkQuery, CurrentValue
from programs.benchmarks.services.focusing import STARTER_SETS
from programs.models import Quarter
from programs.quarters.fiscal_quarters import current_quarter
from programs.start.pilot_teams import (
    DEFAULT_SET,
    MOST_PILOT_TEAMS,
    FirstStep,
    PilotTeam,
    StartSelection,
    baseline_report,
    check_begins,
    chosen_teams,
    first_steps,
    pilot_teams,
)
from programs.teams.fields import units_led


@dataclass(frozen=True)
class Choice:
    value: str
    label: str
    why: str
    chosen: bool


@dataclass(frozen=True)
class BaselineCell:
    value: str
    sample: str
    reason: str
    url: str


@dataclass(frozen=True)
class BaselineRow:
    """One indicator, and where each pilot team stands."""

    name: str
    meaning: str
    cells: Sequence[BaselineCell]


@dataclass(frozen=True)
class Team:
    """A pilot team: what it concentrates on already, and its objective of the quarter."""

    name: str
    indicators: str
    number: int  # of the focus version that would be replaced
    begin_url: str
    has_objective: bool
    objective_url: str


@dataclass(frozen=True)
class StepLine:
    """A suggestion in words, and where it leads."""

    title: str
    now: str
    to: str
    source: str
    why: str
    objective_url: str
    benchmark_url: str


@record_view
def program_start(request: HttpRequest) -> HttpResponse:
    access = _leader(request)
    selection = _params(request, access.visibility)
    units = selection.units
    slugs = [unit.slug for unit in units]
    quarter = current_quarter()
    context: dict[str, Any] = {
        "teams_offered": [
            Choice(unit.slug, unit.indented_name, "", unit.slug in slugs) for unit in units_led(access.visibility)
        ],
        "sets": [
            Choice(starter_set.slug, starter_set.name, starter_set.why, starter_set is selection.chosen)
            for starter_set in STARTER_SETS.values()
        ],
        "most": MOST_PILOT_TEAMS,
        "chosen": selection.chosen,
        "quarter": quarter,
        "span": wording.count(STANDS_OVER_WEEKS, "week"),
        "units": [unit.name for unit in units],
    }
    if units:
        context["baseline"] = _baseline(selection, access)
        context["suggestions_url"] = reverse("program_start_suggestions", query=request.GET)
        context["teams"] = [_team(team, quarter) for team in pilot_teams(selection, quarter)]
    return render(request, "programs/overview/start.html", context)


@record_view
def program_start_suggestions(request: HttpRequest) -> HttpResponse:
    """Apart from the page: it looks at five quarters and all comparable units of each team."""
    access = _leader(request)
    selection = _params(request, access.visibility)
    quarter = current_quarter()
    steps = first_steps(selection.units, selection.chosen.metrics, access, today=windows.local_today())
    context = {"steps": [_line(step, quarter) for step in steps], "units": selection.units}
    return render(request, "programs/overview/_suggestions.html", context)


def _leader(request: HttpRequest) -> Access:
    access = access_in(request)
    check_begins(access.visibility)
    return access


def _params(request: HttpRequest, visibility: Visibility) -> StartSelection:
    """The pilot teams and the starter set of the address.  Raises QueryError."""
    return chosen_teams(visibility, request.GET.get("set", DEFAULT_SET), request.GET.getlist("unit"))


def _baseline(selection: StartSelection, access: Access) -> list[BaselineRow]:
    return [
        BaselineRow(
            baseline.metric.name,
            baseline.metric.meaning,
            [
                _cell(baseline.metric, baseline.query, stand, unit)
                for unit, stand in zip(selection.units, baseline.current_values, strict=True)
            ],
        )
        for baseline in baseline_report(selection, access)
    ]


def _cell(metric: Metric, query: BenchmarkQuery, stand: CurrentValue | None, unit: Unit) -> BaselineCell:
    url = url_with(reverse("metric_page", args=[metric.key]), {"unit": unit.slug})
    if stand is None or stand.value is None:
        return BaselineCell("", "", stand.reason if stand else "No access.", url)
    period = f" {query.period.label.lower()}" if query.period else ""
    return BaselineCell(f"{wording.reading(stand.value, metric.unit)}{period}", f"of {stand.sample_size:,}", "", url)


def _team(team: PilotTeam, quarter: Quarter) -> Team:
    unit, known = team.unit, team.focus
    params = {"unit": unit.slug, "quarter": quarter.start.isoformat(), "mandatory": "1"}
    own = wording.count(len(known.indicators), "key indicator") if known and known.indicators else ""
    return Team(
        name=unit.name,
        indicators="those of this set" if team.has_set else own,
        number=known.number if known else 0,
        begin_url=url_with(reverse("focus_begin"), {"unit": unit.slug}),
        has_objective=team.objective is not None,
        objective_url=url_with(reverse("objective_new"), params)
        if team.objective is None
        else reverse("objective", args=[team.objective]),
    )


def _line(step: FirstStep, quarter: Quarter) -> StepLine:
    params = {
        "unit": step.unit.slug,
        "quarter": quarter.start.isoformat(),
        "metric": step.metric.key,
        "mandatory": "1",
    }
    return StepLine(
        title=f"{step.metric.name} of {step.unit.name}",
        now=str(wording.reading(step.here.value or 0.0, step.metric.unit)),
        to=str(wording.reading(step.value, step.metric.unit)),
        source=step.suggestion.title,
        why=step.suggestion.why,
        objective_url=url_with(reverse("objective_new"), params),
        benchmark_url=url_with(reverse("benchmark_edit", args=[step.metric.key]), {"unit": step.unit.slug}),
    )

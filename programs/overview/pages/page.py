"""The program overview: the four steps, with my work, objectives, tickets and bottlenecks as lazily loaded parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from core.views import record_view
from insights.catalogue.registry import find
from insights.privacy.scope_access import has_scope
from insights.ui import wording
from insights.ui.filters import Filters
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from programs.models import Quarter
from programs.overview.pages.parts import leads, part_url, program_filters, scoped
from programs.overview.services.steps import (
    DORA,
    Agreed,
    Iteration,
    NextTarget,
    Steps,
    VisibilityStep,
    steps_of,
)
from programs.quarters.fiscal_quarters import current_quarter

NAMED = 3


@dataclass(frozen=True)
class Step:
    title: str
    tag: str
    tone: str
    text: str
    note: str
    url: str


@record_view
def program(request: HttpRequest) -> HttpResponse:
    filters = program_filters(request)
    access = filters.access
    around = scope_navigation(request, filters)
    has_figures = has_scope(filters.scope, access)
    may_lead, quarter = leads(filters), current_quarter()
    context: dict[str, Any] = {
        "scope": scope_bar(filters, around, {}, request.path),
        "whose": scope_words(filters, around),
        "steps": step_lines(steps_of(filters, around.unit.pk if around.unit else None, quarter), filters, quarter)
        if has_figures
        else [],
        "new_objective_url": scoped(filters, "objective_new") if may_lead else "",
        "new_ticket_url": scoped(filters, "ticket_new") if may_lead else "",
        "start_url": reverse("program_start") if access.visibility.leads_any else "",
        "work_url": part_url(filters, "work"),
        "tickets_part_url": part_url(filters, "tickets"),
        "bottlenecks_url": part_url(filters, "bottlenecks") if has_figures else "",
    }
    return render(request, "programs/overview/overview.html", context)


def step_lines(steps: Steps, filters: Filters, quarter: Quarter) -> list[tuple[Step, str]]:
    """The method's steps in order, each with its state: done, here, or next."""
    lines = [
        _visibility_step(steps.visibility, filters),
        _benchmarks(steps.agreed, filters),
        _next_target(steps.next_target, filters),
        _iterate(steps.doing, quarter, filters),
    ]
    return list(zip(lines, steps.states, strict=True))


def _visibility_step(visibility: VisibilityStep, filters: Filters) -> Step:
    date_range = wording.span(filters.window)
    tools = wording.listed(list(visibility.provided))
    if visibility.missing_for_dora:
        note = f"DORA still needs {wording.listed(visibility.missing_for_dora)}."
    elif visibility.missing:
        note = f"Nothing of {wording.listed(list(visibility.missing))}."
    else:
        note = "All sources for DORA are connected."
    return Step(
        title="Get visibility",
        tag=f"{len(visibility.provided)} of {len(visibility.provided) + len(visibility.missing)}",
        tone="good" if not visibility.missing else "watch" if visibility.missing_for_dora else "",
        text=f"{tools.capitalize()} received in the last {date_range}."
        if visibility.provided
        else "No data received yet.",
        note=note,
        url=reverse("integrations"),
    )


def _benchmarks(agreed: Agreed, filters: Filters) -> Step:
    of_dora = len(agreed.of_dora)
    if not agreed.number:
        text, note = "No benchmarks yet. Set thresholds and targets.", ""
    else:
        text = f"{wording.count(agreed.number, 'metric')} with a threshold or target, {of_dora} of the five of DORA."
        note = f"{agreed.own:,} set for this unit, {agreed.inherited:,} inherited." if filters.scope.unit else ""
    return Step(
        title="Set benchmarks",
        tag=f"{of_dora} of {len(DORA)} DORA",
        tone="good" if of_dora == len(DORA) else "",
        text=text,
        note=note,
        url=scoped(filters, "benchmarks"),
    )


def _next_target(next_target: NextTarget, filters: Filters) -> Step:
    indicators = [_name(key) for key in next_target.indicators]
    more = f" and {len(indicators) - NAMED} more" if len(indicators) > NAMED else ""
    return Step(
        title="Set the next target",
        tag=wording.count(len(indicators), "indicator") if indicators else "Open",
        tone="good" if next_target.metric and indicators else "",
        text=f"Focus: {_name(next_target.metric)}." if next_target.metric else "No focus metric is chosen. Choose one.",
        note=f"Key indicators: {', '.join(indicators[:NAMED])}{more}." if indicators else "No key indicators yet.",
        url=scoped(filters, "focus"),
    )


def _iterate(doing: Iteration, quarter: Quarter, filters: Filters) -> Step:
    number, at_risk = sum(doing.objectives.values()), doing.objectives_in_danger
    parts = [f"{wording.count(number, 'objective')} in {quarter}", f"{wording.count(doing.tickets, 'ticket')} to do"]
    notes = [f"{at_risk:,} at risk or off track" if at_risk else "", f"{doing.finished:,} finished this quarter"]
    return Step(
        title="Iterate",
        tag=f"{doing.overdue:,} late" if doing.overdue else "On time" if doing.is_done else "Not started",
        tone="bad" if doing.overdue else "good" if doing.is_done else "",
        text=f"{wording.listed(parts)}." if doing.is_done else "No objectives or tickets yet.",
        note=f"{', '.join(filter(None, notes))}.".capitalize() if doing.is_done else "",
        url=scoped(filters, "objectives"),
    )


def _name(key: str) -> str:
    metric = find(key)
    return metric.marked_name if metric else f"{key}, which no longer exists"

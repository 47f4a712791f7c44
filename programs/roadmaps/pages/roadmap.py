"""The team roadmap: a row for the whole organisation and for each team, with their improvements in four quarters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import csv_response
from core.page_links import Picker, page_links, read_page, url_with
from core.views import page_view, record_view
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.errors import QueryError
from insights.ui.filters import Filters, filters_of, parameters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.models import ObjectiveStatus, ObjectiveTemplate, Quarter
from programs.objectives.pages.labels import TAGS, objective_line
from programs.objectives.pages.listing import NOT_KNOWN
from programs.objectives.queries.objectives import progress_of
from programs.objectives.services.writing import may_change
from programs.quarters.fiscal_quarters import quarters_from
from programs.quarters.pages import Quarters, quarters
from programs.requests.visible import visible_objective
from programs.roadmaps.queries.team_roadmap import (
    QUARTERS_SHOWN,
    RoadmapRow,
    TeamRoadmap,
    first_days,
    roadmap_rows,
    team_roadmap,
)
from programs.teams.pages import WHOLE

ROWS_ON_A_PAGE = 100
GAPS_NAMED = 50
EVERYTHING = "Your units, the units above them, and the whole organisation"


@dataclass(frozen=True)
class RoadmapParams:
    """Parsed parameters of the page.  `unit` narrows it to a unit (slug) and all units below it."""

    filters: Filters
    quarters: Sequence[Quarter]
    first: str  # the first quarter's first day, as given in the address
    unit: str | None

    def url(self, path: str = "", **changed: str) -> str:
        return url_with(path or reverse("roadmap"), {"unit": self.unit, "quarter": self.first, **changed})


@record_view
def roadmap(request: HttpRequest) -> HttpResponseBase:
    access, known = access_in(request), quarters(windows.local_today())
    params = read_params(request, access, known)
    around = scope_navigation(request, params.filters)
    planned = team_roadmap(params.quarters, access, unit=params.unit)
    page = Paginator(planned.rows, ROWS_ON_A_PAGE).get_page(read_page(request))
    leads = access.visibility.leads_any
    own = {"quarter": params.first} if params.first else {}
    context: dict[str, Any] = {
        "scope": scope_bar(params.filters, around, {}, request.path, extra_params=own),
        "whose": scope_words(params.filters, around) if params.unit or access.visibility.whole else EVERYTHING,
        "views": views("teams"),
        "columns": [(quarter, *_state(quarter, known.today)) for quarter in params.quarters],
        **_steps(params, known),
        "rows": page,
        "whole": WHOLE,
        "tags": {**TAGS, ObjectiveStatus.UNKNOWN: NOT_KNOWN},
        "templates": defaultdict(str, ObjectiveTemplate.objects.values_list("slug", "name")),
        "movable": _movable(page, access.visibility),
        "tree": planned.tree,
        **(_gap_notice(planned, params) if leads else {}),
        "leads": leads,
        "example_url": params.url(reverse("roadmap_example"), back=request.get_full_path()) if leads else "",
        "csv_url": params.url(reverse("roadmap_csv")),
        "here": request.get_full_path(),
        **page_links(page, lambda number: params.url(page=number)),
    }
    return render(request, "programs/roadmaps/roadmap.html", context)


@record_view
def roadmap_objective(request: HttpRequest, pk: int) -> HttpResponseBase:
    """An objective's status for the side panel; without JavaScript, a page of its own."""
    record, today = visible_objective(pk, access_in(request)), windows.local_today()
    [progress] = progress_of([record], access_in(request), today=today)
    context = {"line": objective_line(progress, today), "objective": record, "why": progress.why}
    return render(request, "programs/roadmaps/objective.html", context)


def views(chosen: str) -> list[Picker]:
    pages = {"teams": ("Teams", "roadmap"), "personas": ("Personas", "persona_roadmap")}
    return [Picker(label=label, url=reverse(route), active=view == chosen) for view, (label, route) in pages.items()]


def read_params(request: HttpRequest, access: Access, known: Quarters) -> RoadmapParams:
    """The parameters of the request.  Raises QueryError."""
    filters = filters_of(request, facets=())
    word = request.GET.get("quarter", "").strip()
    first = known.current.start
    if word:
        first = _first_day(word, known)
    shown = quarters_from(known.known, first, QUARTERS_SHOWN)
    unit = filters.scope.unit if parameters_of(request).get("unit") else None
    return RoadmapParams(filters, shown, "" if shown[0] == known.current else shown[0].start.isoformat(), unit)


def _first_day(word: str, known: Quarters) -> date:
    earliest, latest = first_days(known.known, known.today)
    try:
        day = date.fromisoformat(word)
    except ValueError:
        raise QueryError("quarter", f"quarter= is the first day of a quarter, like {known.current.start}.") from None
    if not earliest <= day <= latest:
        raise QueryError("quarter", f"The roadmap must start between {earliest} and {latest}.")
    return day


def _steps(params: RoadmapParams, known: Quarters) -> dict[str, str]:
    """Links to the quarters before and after; empty if there are none."""
    earliest, latest = first_days(known.known, known.today)
    first = params.quarters[0]
    before = [quarter.start for quarter in known.known if quarter.start < first.start]
    year_before = before[-QUARTERS_SHOWN] if len(before) >= QUARTERS_SHOWN else earliest

    def link(day: date) -> str:
        return params.url(quarter="" if day == known.current.start else day.isoformat())

    return {
        "earlier_url": link(year_before) if first.start > earliest else "",
        "later_url": link(min(params.quarters[-1].end, latest)) if first.start < latest else "",
        "now_url": link(known.current.start) if first != known.current else "",
    }


def _state(quarter: Quarter, today: date) -> tuple[str, str]:
    """The state (closed, now, next, or past: over but not closed yet), and a note about it."""
    if quarter.is_closed:
        return "closed", "closed"
    if quarter.start <= today < quarter.end:
        return "now", "now"
    return ("past", "to be closed") if quarter.end <= today else ("next", "")


def _movable(rows: Iterable[RoadmapRow], visibility: Visibility) -> set[str]:
    """Keys of the cards that the viewer may move."""
    cells = [cell for row in rows for cell in row.cells]
    objectives = [objective for cell in cells for objective in cell.objectives if may_change(visibility, objective)]
    intents = [intent for cell in cells if cell.may_add for intent in cell.intents]
    return {objective.card_key for objective in objectives} | {intent.card_key for intent in intents}


def _gap_notice(planned: TeamRoadmap, params: RoadmapParams) -> dict[str, Any]:
    """The number of teams without a mandatory objective, by quarter."""
    gaps = planned.gaps
    by_quarter = [(quarter, sum(cell.quarter is quarter for _, cell in gaps)) for quarter in params.quarters]
    return {
        "gaps": gaps[:GAPS_NAMED],
        "gap_total": len(gaps),
        "gaps_more": max(0, len(gaps) - GAPS_NAMED),
        "gaps_by_quarter": [f"{number} in {quarter}" for quarter, number in by_quarter if number],
    }


@page_view
def roadmap_csv(request: HttpRequest) -> HttpResponseBase:
    """The four shown quarters as a CSV file, with all rows."""
    access = access_in(request)
    params = read_params(request, access, quarters(windows.local_today()))
    return csv_response("roadmap", roadmap_rows(team_roadmap(params.quarters, access, unit=params.unit)))

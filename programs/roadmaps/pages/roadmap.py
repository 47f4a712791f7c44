"""The team roadmap: a row for the whole organisation and for each team, four quarters with what they improve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import csv_response
from core.page_links import page_links, url_with
from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.query.errors import QueryError
from insights.ui import wording
from insights.ui.filters import Filters, read_filters
from insights.ui.page_numbers import read_page
from insights.ui.scope_bar import EVERYBODY, scope_bar, scope_navigation, scope_words
from insights.ui.tiles import Picker
from insights.ui.views import page_view, record_view
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.models import Objective, ObjectiveStatus, ObjectiveTemplate, Quarter, RoadmapIntent
from programs.objectives.pages.labels import TAGS, StatusTag, objective_line
from programs.objectives.pages.listing import NOT_KNOWN
from programs.objectives.pages.page import visible_objective
from programs.objectives.queries.objectives import progress_of
from programs.objectives.services.writing import may_change
from programs.quarters.fiscal_quarters import quarters_from
from programs.quarters.pages import Quarters, quarters
from programs.roadmaps.queries.team_roadmap import (
    QUARTERS_SHOWN,
    RoadmapCell,
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
    """Parsed parameters of the page.  `unit` narrows it to a unit (slug) and all below it."""

    filters: Filters
    quarters: Sequence[Quarter]
    first: str  # of the first of them, as the address says it
    unit: str | None

    def url(self, path: str = "", **changed: str) -> str:
        return url_with(path or reverse("roadmap"), {"unit": self.unit, "quarter": self.first, **changed})


@dataclass(frozen=True)
class Card:
    """An objective, or an intent, in its cell; `key` names it in addresses and on the page."""

    key: str
    title: str
    url: str
    tag: StatusTag | None  # of an objective
    is_mandatory: bool
    is_draft: bool
    template: str  # the name of an intent's
    version: int
    may_change: bool
    write_url: str  # of an intent, for whoever may write it as an objective


@dataclass(frozen=True)
class CellLine:
    key: str
    quarter: Quarter
    label: str  # "Platform, 2026-Q4"
    cards: Sequence[Card]
    is_gap: bool
    add_url: str
    new_url: str  # of the objective that is missing


@dataclass(frozen=True)
class RowLine:
    unit: str  # a slug, or WHOLE
    name: str
    note: str
    cells: Sequence[CellLine]


@dataclass(frozen=True)
class Column:
    """`state` is closed, now, next or past: over, and not closed yet."""

    name: str
    start: str
    days: str
    state: str
    note: str
    url: str  # its objectives


@dataclass(frozen=True)
class Gap:
    label: str
    url: str


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
        "columns": [_column(quarter, known) for quarter in params.quarters],
        **_steps(params, known),
        "rows": _rows(list(page), access, params),
        "tree": planned.tree,
        **_gap_notice(planned, params, leads=leads),
        "leads": leads,
        "example_url": params.url(reverse("roadmap_example"), back=request.get_full_path()) if leads else "",
        "csv_url": params.url(reverse("roadmap_csv")),
        "here": request.get_full_path(),
        **page_links(page, lambda number: params.url(page=number)),
    }
    return render(request, "programs/roadmaps/roadmap.html", context)


@record_view
def roadmap_objective(request: HttpRequest, pk: int) -> HttpResponseBase:
    """How an objective stands, for the side panel; a page of its own without a script."""
    record, today = visible_objective(request, pk), windows.local_today()
    [progress] = progress_of([record], access_in(request), today=today)
    context = {"line": objective_line(progress, today), "objective": record, "why": progress.why}
    return render(request, "programs/roadmaps/objective.html", context)


def views(chosen: str) -> list[Picker]:
    pages = {"teams": ("Teams", "roadmap"), "personas": ("Personas", "persona_roadmap")}
    return [Picker(label=label, url=reverse(route), active=view == chosen) for view, (label, route) in pages.items()]


def read_params(request: HttpRequest, access: Access, known: Quarters) -> RoadmapParams:
    """Raises QueryError for invalid parameters."""
    filters = read_filters(request.GET, today=known.today, access=access).without_facets()
    word = request.GET.get("quarter", "").strip()
    first = known.current.start
    if word:
        first = _first_day(word, known)
    shown = quarters_from(known.known, first, QUARTERS_SHOWN)
    unit = filters.scope.unit if request.GET.get("unit") else None
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
    """Links to the quarters before and after; nothing where there are none."""
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


def _column(quarter: Quarter, known: Quarters) -> Column:
    if quarter.is_closed:
        state, note = "closed", "closed"
    elif quarter.start <= known.today < quarter.end:
        state, note = "now", "now"
    else:
        state, note = ("past", "to be closed") if quarter.end <= known.today else ("next", "")
    is_stored = not quarter._state.adding
    url = url_with(reverse("objectives"), {"quarter": quarter.start}) if is_stored else ""
    return Column(str(quarter), quarter.start.isoformat(), wording.days(quarter.window), state, note, url)


def _rows(rows: Sequence[RoadmapRow], access: Access, params: RoadmapParams) -> list[RowLine]:
    templates = dict(ObjectiveTemplate.objects.values_list("slug", "name"))
    return [
        RowLine(
            unit=row.unit.slug if row.unit else WHOLE,
            name=row_name(row),
            note=_note(row),
            cells=[_cell(row, cell, access.visibility, templates) for cell in row.cells],
        )
        for row in rows
    ]


def row_name(row: RoadmapRow) -> str:
    return row.unit.name if row.unit else EVERYBODY


def _note(row: RoadmapRow) -> str:
    if row.unit is None:
        return ""
    if row.is_gone:
        return "No longer in an Org Tree"
    return row.above if row.is_team else f"{row.above}, no team".removeprefix(", ").capitalize()


def _cell(row: RoadmapRow, cell: RoadmapCell, visibility: Visibility, templates: Mapping[str, str]) -> CellLine:
    params = _params(row, cell)
    return CellLine(
        key=f"cell-{params['unit'].strip(':')}-{params['quarter']}",
        quarter=cell.quarter,
        label=f"{row_name(row)}, {cell.quarter}",
        cards=[
            *(_objective_card(objective, visibility) for objective in cell.objectives),
            *(_intent_card(intent, cell, templates) for intent in cell.intents),
        ],
        is_gap=cell.is_gap,
        add_url=url_with(reverse("roadmap_intent_new"), params) if cell.may_add else "",
        new_url=_new_objective_url(params) if cell.is_gap and cell.may_add else "",
    )


def _params(row: RoadmapRow, cell: RoadmapCell) -> dict[str, str]:
    return {"unit": row.unit.slug if row.unit else WHOLE, "quarter": cell.quarter.start.isoformat()}


def _new_objective_url(params: Mapping[str, str]) -> str:
    """Of a mandatory objective."""
    return url_with(reverse("objective_new"), {**params, "mandatory": "1"})


def _objective_card(objective: Objective, visibility: Visibility) -> Card:
    status = objective.shown  # type: ignore[attr-defined]  # annotated by team_roadmap
    return Card(
        key=f"objective-{objective.pk}",
        title=objective.title,
        url=reverse("roadmap_objective", args=[objective.pk]),
        tag=NOT_KNOWN if status == ObjectiveStatus.UNKNOWN else TAGS[status],
        is_mandatory=objective.is_mandatory,
        is_draft=objective.published_at is None,
        template="",
        version=objective.version,
        may_change=may_change(visibility, objective),
        write_url="",
    )


def _intent_card(intent: RoadmapIntent, cell: RoadmapCell, templates: Mapping[str, str]) -> Card:
    name = templates.get(intent.template, "")
    return Card(
        key=f"intent-{intent.pk}",
        title=intent.title,
        url=reverse("roadmap_intent", args=[intent.pk]),
        tag=None,
        is_mandatory=False,
        is_draft=False,
        template="" if name == intent.title else name,
        version=intent.version,
        may_change=cell.may_add,
        write_url=url_with(reverse("objective_new"), {"intent": intent.pk}) if cell.may_add else "",
    )


def _gap_notice(planned: TeamRoadmap, params: RoadmapParams, *, leads: bool) -> dict[str, Any]:
    """How many teams lack a mandatory objective in which quarter; nothing for those who lead none."""
    if not leads:
        return {}
    gaps = planned.gaps
    listed = [
        Gap(f"{row_name(row)}, {cell.quarter}", _new_objective_url(_params(row, cell)) if cell.may_add else "")
        for row, cell in gaps[:GAPS_NAMED]
    ]
    by_quarter = [(quarter, sum(cell.quarter is quarter for _, cell in gaps)) for quarter in params.quarters]
    return {
        "gaps": listed,
        "gap_total": len(gaps),
        "gaps_more": len(gaps) - len(listed),
        "gaps_by_quarter": [f"{number} in {quarter}" for quarter, number in by_quarter if number],
    }


@page_view
def roadmap_csv(request: HttpRequest) -> HttpResponseBase:
    """The four quarters that are shown, all rows."""
    access = access_in(request)
    params = read_params(request, access, quarters(windows.local_today()))
    return csv_response("roadmap", roadmap_rows(team_roadmap(params.quarters, access, unit=params.unit)))

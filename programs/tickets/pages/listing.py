"""Tickets of a unit and of all below it: as a table, as a board by state, and as a calendar by due date."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse

from core.csv_export import csv_response
from core.page_links import Picker, page_links, read_page, url_with
from insights.privacy.scope_access import access_in
from insights.query.errors import QueryError
from insights.ui import wording
from insights.ui.filters import Filters, filters_of
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from insights.ui.views import page_view, record_view
from orgtree.access.access import Access
from programs.models import TicketState
from programs.tickets.columns import TABLE
from programs.tickets.pages.labels import TicketLine, ticket_lines
from programs.tickets.queries import BOARD_STATES, STATES, TicketFilters, first_of_each_day
from programs.tickets.services.csv_files import ticket_rows

PAGE_SIZE = 25
ON_A_BOARD = 50  # of each state; the table has the rest
ON_A_DAY = 5  # of the calendar; the table has the rest
LONGEST_SEARCH = 100
OWN = ("view", "month", *(name for name in TicketFilters.base_filters if name != "unit"))
VIEWS = {"table": "Table", "board": "Board", "calendar": "Calendar"}


@dataclass(frozen=True)
class TicketListParams:
    """Parsed parameters of the list page."""

    filters: Filters
    narrowed: TicketFilters
    view: str
    own: Mapping[str, str]  # the parameters of this page, as they stand in its address

    @property
    def sort(self) -> str:
        return self.own.get("sort", "due")

    def url(self, path: str = "", **changed: str) -> str:
        """This list with other parameters; an empty one is left out."""
        return url_with(path, {**dict(self.filters.scope_parameters()), **self.own, **changed})


@dataclass(frozen=True)
class Column:
    """A column of the board."""

    key: str
    label: str
    total: int
    tickets: Sequence[TicketLine]
    moves: Sequence[tuple[str, str]]  # keys and labels of the states into which its tickets are moved


@dataclass(frozen=True)
class Day:
    """A day of the calendar."""

    number: int
    label: str
    is_today: bool
    in_month: bool
    tickets: Sequence[TicketLine]
    more: int
    more_url: str


@record_view
def tickets(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    params = read_params(request, access)
    around = scope_navigation(request, params.filters)
    chosen = params.narrowed.chosen
    context: dict[str, Any] = {
        "scope": scope_bar(params.filters, around, {}, request.path, extra_params=params.own),
        "whose": scope_words(params.filters, around),
        "view": params.view,
        "views": _pickers(params, "view", VIEWS, params.view),
        "states": _pickers(params, "state", STATES, chosen["state"]) if params.view == "table" else [],
        "facets": [
            (TicketFilters.base_filters[name].label, _pickers(params, name, options, chosen[name]))
            for name, options in TicketFilters.pickers().items()
        ],
        "mine": _mine(params, access),
        "overdue_in_teams": _overdue_in_teams(params, access),
        "due_on": _due_on(params),
        "search": chosen["q"],
        "hidden": [
            (name, value)
            for name, value in [*params.filters.scope_parameters(), *params.own.items()]
            if name not in ("q", "page")
        ],
        "csv_url": params.url(reverse("tickets_csv")),
        "new_url": params.url(reverse("ticket_new"), **dict.fromkeys(params.own, ""))
        if _may_add(access, params)
        else "",
        "is_narrowed": bool(params.own.keys() - {"view", "sort", "month"}),
        "all_url": params.url(reverse("tickets"), **dict.fromkeys(params.own, "")),
    }
    shown = {"table": _table, "board": _board, "calendar": _calendar}[params.view]
    return render(request, "programs/tickets/list.html", {**context, **shown(request, params, access)})


def read_params(request: HttpRequest, access: Access) -> TicketListParams:
    """Raises QueryError for invalid parameters."""
    filters = filters_of(request, facets=())
    own = {name: value for name in OWN if (value := request.GET.get(name, "").strip()[:LONGEST_SEARCH])}
    view = own.get("view", "table")
    if view not in VIEWS:
        raise QueryError("view", f"One of: {', '.join(VIEWS)}.")
    return TicketListParams(filters, narrowed(filters, own), view, own)


def narrowed(filters: Filters, own: Mapping[str, str], **changed: str) -> TicketFilters:
    """One's own tickets, and those of all one's teams, are of whatever unit."""
    yes = dict.fromkeys(own.keys() & {"mine", "teams"}, "yes")
    unit = "" if yes else filters.scope.unit
    data = {"state": "standing", **own, **yes, "unit": unit, **changed}
    return TicketFilters(data, filters.access, today=filters.today)


def _pickers(params: TicketListParams, parameter: str, options: Mapping[str, str], chosen: str) -> list[Picker]:
    path = reverse("tickets")
    return [
        Picker(label=label, url=params.url(path, **{parameter: value}), active=value == chosen)
        for value, label in options.items()
    ]


def _mine(params: TicketListParams, access: Access) -> Picker | None:
    """Nothing for an account that is no person."""
    if access.visibility.person_id is None:
        return None
    is_on = "mine" in params.own
    return Picker(label="My tickets", url=params.url(reverse("tickets"), mine="" if is_on else "1"), active=is_on)


def _overdue_in_teams(params: TicketListParams, access: Access) -> Picker | None:
    """The filter for overdue tickets of a manager's teams; None for accounts that manage no unit."""
    if not access.visibility.managed_ids:
        return None
    is_on = "teams" in params.own and params.own.get("state") == "overdue"
    changed = {"teams": "", "state": ""} if is_on else {"teams": "1", "state": "overdue", "view": "", "mine": ""}
    return Picker(label="Overdue in my teams", url=params.url(reverse("tickets"), **changed, page=""), active=is_on)


def _due_on(params: TicketListParams) -> Picker | None:
    """The day that the list is of, which its link lets go."""
    day = params.narrowed.chosen["due"]
    return Picker(f"Due {wording.day(day)}", params.url(reverse("tickets"), due=""), active=True) if day else None


def _may_add(access: Access, params: TicketListParams) -> bool:
    visibility, unit = access.visibility, params.narrowed.chosen["unit"]
    if visibility.leads_whole or not unit:
        return visibility.leads_any
    return visibility.slugs.get(unit) in visibility.managed_ids


def _table(request: HttpRequest, params: TicketListParams, access: Access) -> dict[str, Any]:
    page = Paginator(params.narrowed.qs, PAGE_SIZE).get_page(read_page(request))
    path = reverse("tickets")
    return {
        "heads": TABLE.heads(params.sort, lambda word: params.url(path, sort=word)),
        "tickets": ticket_lines(page, access, params.filters.today),
        **page_links(page, lambda number: params.url(path, page=number)),
    }


def _board(_request: HttpRequest, params: TicketListParams, access: Access) -> dict[str, Any]:
    """Every state has its column, whatever the list was narrowed to; what ended stands there with the latest first."""
    columns = []
    for state in BOARD_STATES:
        of_state = narrowed(params.filters, params.own, state="all").qs.filter(state=state)
        order = ("due_on", "pk") if state in (TicketState.OPEN, TicketState.IN_PROGRESS) else ("-due_on", "-pk")
        listed = ticket_lines(of_state.order_by(*order)[:ON_A_BOARD], access, params.filters.today)
        total = len(listed) if len(listed) < ON_A_BOARD else of_state.count()
        others = [other for other in BOARD_STATES if other not in (state, TicketState.DROPPED)]
        moves = [(other.value, other.label) for other in others]
        columns.append(Column(state.value, state.label, total, listed, moves))
    return {"columns": columns}


def _calendar(_request: HttpRequest, params: TicketListParams, access: Access) -> dict[str, Any]:
    """The weeks of a month, from Monday, with what is due on each day; what ended stands there as well."""
    today = params.filters.today
    first = _month(params.own.get("month", ""), today)
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    tickets_of_all_states = narrowed(params.filters, params.own, state="all").qs
    due = tickets_of_all_states.filter(due_on__gte=weeks[0][0], due_on__lte=weeks[-1][-1])
    by_day: dict[date, list[TicketLine]] = {}
    number: dict[date, int] = {}
    for line in ticket_lines(first_of_each_day(due, ON_A_DAY), access, today):
        ticket = line.ticket
        by_day.setdefault(ticket.due_on, []).append(line)
        number[ticket.due_on] = ticket.of_day  # type: ignore[attr-defined]  # annotated by first_of_each_day
    path, following = reverse("tickets"), (first + timedelta(days=31)).replace(day=1)
    return {
        "month": f"{first:%B %Y}",
        "weekdays": [f"{day:%a}" for day in weeks[0]],
        "weeks": [
            [
                Day(
                    day.day,
                    wording.day(day),
                    day == today,
                    day.month == first.month,
                    by_day.get(day, ()),
                    number.get(day, 0) - len(by_day.get(day, ())),
                    params.url(path, view="", month="", state="all", due=day.isoformat()),
                )
                for day in week
            ]
            for week in weeks
        ],
        "month_before_url": params.url(path, month=f"{first - timedelta(days=1):%Y-%m}"),
        "month_after_url": params.url(path, month=f"{following:%Y-%m}"),
        "this_month_url": params.url(path, month=""),
    }


def _month(word: str, today: date) -> date:
    """Its first day; this month where none is named.  Raises QueryError."""
    if not word:
        return today.replace(day=1)
    try:
        first = date.fromisoformat(f"{word}-01")
    except ValueError:
        raise QueryError("month", "month= is a month such as 2026-11.") from None
    if not 2000 < first.year < 2100:
        raise QueryError("month", "Tickets are of the years from 2001 to 2099.")
    return first


@page_view
def tickets_csv(request: HttpRequest) -> HttpResponseBase:
    """The filtered list, all pages."""
    access = access_in(request)
    return csv_response("tickets", ticket_rows(read_params(request, access).narrowed.qs, access))

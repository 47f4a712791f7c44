"""Tickets of a unit and of all below it: as a table, as a board by state, and as a calendar by due date."""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from insights.privacy.scope_access import access_in
from insights.query import windows
from insights.ui import wording
from insights.ui.bad_filter import explains_bad_filters
from insights.ui.filters import BadFilterError, Filters, read_filters
from insights.ui.page_numbers import read_page
from insights.ui.scope_bar import scope_bar, scope_navigation, scope_words
from insights.ui.tiles import Picker
from orgtree.access.access import Access
from programs.models import BottleneckKind, Nature, Ticket, TicketState
from programs.tickets.pages.labels import TicketLine, ticket_lines
from programs.tickets.queries import BOARD_STATES, SORTS, STATES, TicketFilter, filtered, first_of_each_day, ordered

PAGE_SIZE = 25
ON_A_BOARD = 50  # of each state; the table has the rest
ON_A_DAY = 5  # of the calendar; the table has the rest
LONGEST_SEARCH = 100
OWN = (*("view", "state", "kind", "nature", "q", "mine", "teams", "metric", "objective", "due", "sort"), "month")
VIEWS = {"table": "Table", "board": "Board", "calendar": "Calendar"}


@dataclass(frozen=True)
class TicketListParams:
    """Parsed parameters of the list page."""

    filters: Filters
    narrowed: TicketFilter
    view: str
    sort: str
    descending: bool
    own: Mapping[str, str]  # the parameters of this page, as they stand in its address

    def url(self, path: str = "", **changed: str) -> str:
        """This list with other parameters; an empty one is left out."""
        params = {**dict(self.filters.scope_parameters()), **self.own, **changed}
        set_params = {name: value for name, value in params.items() if value}
        return f"{path}?{urlencode(set_params)}" if set_params else path or "?"


@dataclass(frozen=True)
class Head:
    label: str
    url: str
    sorted: str  # ascending, descending or nothing


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


@login_required
@never_cache
@require_GET
@explains_bad_filters
def tickets(request: HttpRequest) -> HttpResponseBase:
    access = access_in(request)
    params = read_params(request, access)
    around = scope_navigation(request, params.filters)
    tickets_found = filtered(params.narrowed, access.visibility, today=params.filters.today)
    context: dict[str, Any] = {
        "scope": scope_bar(params.filters, around, {}, request.path, extra_params=params.own),
        "whose": scope_words(params.filters, around),
        "view": params.view,
        "views": _pickers(params, "view", VIEWS, params.view),
        "states": _pickers(params, "state", STATES, params.narrowed.state) if params.view == "table" else [],
        "natures": _pickers(params, "nature", {"": "All", **_plural(Nature.choices)}, params.narrowed.nature),
        "kinds": _pickers(params, "kind", {"": "Any cause", **dict(BottleneckKind.choices)}, params.narrowed.kind),
        "mine": _mine(params, access),
        "overdue_in_teams": _overdue_in_teams(params, access),
        "due_on": _due_on(params),
        "search": params.narrowed.search,
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
    return render(request, "programs/tickets/list.html", {**context, **shown(request, params, tickets_found, access)})


def read_params(request: HttpRequest, access: Access) -> TicketListParams:
    """Raises BadFilterError for invalid parameters."""
    filters = read_filters(request.GET, today=windows.local_today(), access=access).without_facets()
    own = {name: value for name in OWN if (value := request.GET.get(name, "").strip()[:LONGEST_SEARCH])}
    sort = own.get("sort", "due")
    objective = own.get("objective", "")
    if objective and not objective.isdecimal():
        raise BadFilterError("objective", "objective= is the number of an objective.")
    own_person = access.visibility.person_id if access.visibility.person_id is not None else 0
    narrowed = TicketFilter(
        # one's own, and those of all one's teams, are of whatever unit
        unit=None if own.keys() & {"mine", "teams"} else filters.scope.unit,
        state=_one_of("state", own.get("state", "standing"), STATES),
        search=own.get("q", ""),
        kind=_one_of("kind", own.get("kind", ""), ["", *BottleneckKind.values]),
        nature=_one_of("nature", own.get("nature", ""), ["", *Nature.values]),
        owner=own_person if "mine" in own else None,
        metric=own.get("metric", ""),
        objective=int(objective[:15]) if objective else None,
        of_led_units="teams" in own,
        due_on=_day("due", own["due"]) if "due" in own else None,
    )
    _one_of("sort", sort.removeprefix("-"), SORTS)
    view = _one_of("view", own.get("view", "table"), VIEWS)
    return TicketListParams(filters, narrowed, view, sort.removeprefix("-"), sort.startswith("-"), own)


def _one_of(parameter: str, value: str, known: Any) -> str:
    if value not in known:
        raise BadFilterError(parameter, f"{parameter}= is one of: {', '.join(filter(None, known))}.")
    return value


def _day(parameter: str, word: str) -> date:
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise BadFilterError(parameter, f"{parameter}= is a day like 2026-11-30.") from None


def _pickers(params: TicketListParams, parameter: str, options: Mapping[str, str], chosen: str) -> list[Picker]:
    path = reverse("tickets")
    return [
        Picker(label=label, url=params.url(path, **{parameter: value}), active=value == chosen)
        for value, label in options.items()
    ]


def _plural(choices: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    return {value: "Opportunities" if value == "opportunity" else f"{label}s" for value, label in choices}


def _mine(params: TicketListParams, access: Access) -> Picker | None:
    """Nothing for an account that is no person."""
    if access.visibility.person_id is None:
        return None
    is_on = params.narrowed.owner is not None
    return Picker(label="My tickets", url=params.url(reverse("tickets"), mine="" if is_on else "1"), active=is_on)


def _overdue_in_teams(params: TicketListParams, access: Access) -> Picker | None:
    """What a manager's people are late with; nothing for who manages no unit."""
    if not access.visibility.managed_ids:
        return None
    is_on = params.narrowed.of_led_units and params.narrowed.state == "overdue"
    changed = {"teams": "", "state": ""} if is_on else {"teams": "1", "state": "overdue", "view": "", "mine": ""}
    return Picker(label="Overdue in my teams", url=params.url(reverse("tickets"), **changed, page=""), active=is_on)


def _due_on(params: TicketListParams) -> Picker | None:
    """The day that the list is of, which its link lets go."""
    day = params.narrowed.due_on
    return Picker(f"Due {wording.day(day)}", params.url(reverse("tickets"), due=""), active=True) if day else None


def _may_add(access: Access, params: TicketListParams) -> bool:
    visibility, unit = access.visibility, params.narrowed.unit
    if visibility.leads_whole or unit is None:
        return visibility.leads_any
    return visibility.slugs.get(unit) in visibility.managed_ids


def _table(
    request: HttpRequest, params: TicketListParams, matching: QuerySet[Ticket], access: Access
) -> dict[str, Any]:
    page = Paginator(ordered(matching, params.sort, descending=params.descending), PAGE_SIZE).get_page(
        read_page(request)
    )
    path = reverse("tickets")
    return {
        "heads": {key: _head(params, key, label) for key, (_, label) in SORTS.items()},
        "tickets": ticket_lines(page, access, params.filters.today),
        "first": page.start_index(),
        "last": page.end_index(),
        "total": f"{page.paginator.count:,}",
        "previous_url": params.url(path, page=str(page.previous_page_number())) if page.has_previous() else "",
        "next_url": params.url(path, page=str(page.next_page_number())) if page.has_next() else "",
    }


def _head(params: TicketListParams, key: str, label: str) -> Head:
    is_sorted = params.sort == key
    turned = f"-{key}" if is_sorted and not params.descending else key
    direction = ("descending" if params.descending else "ascending") if is_sorted else ""
    return Head(label, params.url(reverse("tickets"), sort=turned), direction)


def _board(_request: HttpRequest, params: TicketListParams, _found: QuerySet[Ticket], access: Access) -> dict[str, Any]:
    """Every state has its column, whatever the list was narrowed to; what ended stands there with the latest first."""
    columns = []
    for state in BOARD_STATES:
        of_state = filtered(
            replace(params.narrowed, state="all"), access.visibility, today=params.filters.today
        ).filter(state=state)
        order = ("due_on", "pk") if state in (TicketState.OPEN, TicketState.IN_PROGRESS) else ("-due_on", "-pk")
        listed = ticket_lines(of_state.order_by(*order)[:ON_A_BOARD], access, params.filters.today)
        total = len(listed) if len(listed) < ON_A_BOARD else of_state.count()
        others = [other for other in BOARD_STATES if other not in (state, TicketState.DROPPED)]
        moves = [(other.value, other.label) for other in others]
        columns.append(Column(state.value, state.label, total, listed, moves))
    return {"columns": columns}


def _calendar(
    _request: HttpRequest, params: TicketListParams, _found: QuerySet[Ticket], access: Access
) -> dict[str, Any]:
    """The weeks of a month, from Monday, with what is due on each day; what ended stands there as well."""
    today = params.filters.today
    first = _month(params.own.get("month", ""), today)
    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    due = filtered(replace(params.narrowed, state="all"), access.visibility, today=today).filter(
        due_on__gte=weeks[0][0], due_on__lte=weeks[-1][-1]
    )
    listed = list(first_of_each_day(due, ON_A_DAY))
    by_day: dict[date, list[TicketLine]] = {}
    number: dict[date, int] = {}
    for ticket, line in zip(listed, ticket_lines(listed, access, today), strict=True):
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
    """Its first day; this month where none is named.  Raises BadFilterError."""
    if not word:
        return today.replace(day=1)
    try:
        first = date.fromisoformat(f"{word}-01")
    except ValueError:
        raise BadFilterError("month", "month= is a month like 2026-11.") from None
    if not 2000 < first.year < 2100:
        raise BadFilterError("month", "Tickets are of the years from 2001 to 2099.")
    return first

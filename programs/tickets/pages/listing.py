"""Tickets of a unit and all units below it: as a table, as a board by state, and as a calendar by due date."""

from __future__ import annotations

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from core.csv_export import Cell
from core.list_page import Chip
from core.page_links import Picker, url_with
from insights.query.errors import QueryError
from insights.ui import wording
from programs.models import Ticket, TicketState
from programs.requests.list_pages import UnitList
from programs.tickets.pages.labels import TicketLine, ticket_lines
from programs.tickets.queries import BOARD_STATES, TABLE, TicketFilters, first_of_each_day
from programs.tickets.services.csv_files import ticket_rows

ON_A_BOARD = 50  # per state; the table has the rest
ON_A_DAY = 5  # per day of the calendar; the table has the rest
LONGEST_SEARCH = 100


@dataclass(frozen=True)
class BoardColumn:
    """A column of the board."""

    key: str
    label: str
    total: int
    tickets: Sequence[TicketLine]
    moves: Sequence[tuple[str, str]]  # keys and labels of the states that its tickets can move to


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


class Tickets(UnitList):
    plural = "tickets"
    filters = TicketFilters
    columns = TABLE
    template_name = "programs/tickets/list.html"
    has_file = True
    defaults = {"state": "standing"}
    own = ("view", "month")
    views = {"table": "Table", "board": "Board", "calendar": "Calendar"}
    of_any_unit = ("mine", "teams")  # the viewer's own tickets, and those of all of their teams

    @property
    def card(self) -> str:  # type: ignore[override]  # one for each view
        return f"programs/tickets/_{self.view}.html"

    def rows(self, records: Iterable[Ticket]) -> list[TicketLine]:
        return ticket_lines(records, self.access, self.today)

    def file_rows(self, records: QuerySet[Ticket]) -> Iterable[Sequence[Cell]]:
        return ticket_rows(records, self.access)

    def context(self) -> dict[str, Any]:
        return {**super().context(), "new_url": self._new_url()}

    def pickers(self) -> list[tuple[str, list[Picker]]]:
        """The pickers; board and calendar have none of states, because they show all."""
        return [(label, options) for label, options in super().pickers() if label != "State" or self.view == "table"]

    def chips(self) -> list[Chip]:
        visibility, day = self.access.visibility, self.narrowed.chosen["due"]
        chips = [self.switch("mine", "My tickets", "user-check")] if visibility.person_id is not None else []
        if visibility.managed_ids:
            is_on = "teams" in self.params and self.params.get("state") == "overdue"
            on = {"teams": "yes", "state": "overdue", "view": "", "mine": ""}
            url = self.url(**({"teams": "", "state": ""} if is_on else on))
            chips.append(Chip("Overdue in my teams", url, is_on, "clock-exclamation"))
        if day:
            chips.append(Chip(f"Due {wording.day(day)}", self.url(due=""), True, "calendar", is_closed=True))
        return chips

    def shown(self) -> dict[str, Any]:
        match self.view:
            case "board":
                return {"rows": self._board(), "card": self.card}
            case "calendar":
                return {**self._calendar(), "card": self.card}
        return super().shown()

    def _new_url(self) -> str:
        """The page for a new ticket; empty for viewers who can write none for this unit."""
        visibility, unit = self.access.visibility, self.narrowed.chosen["unit"]
        may_add = visibility.leads_any
        if unit and not visibility.leads_whole:
            may_add = visibility.slugs.get(unit) in visibility.managed_ids
        return url_with(reverse("ticket_new"), self.context_params) if may_add else ""

    def _board(self) -> list[BoardColumn]:
        """A column for every state, whatever the filters; ended tickets are latest first."""
        columns = []
        for state in BOARD_STATES:
            of_state = self.narrowed_by(state="all").qs.filter(state=state)
            order = ("due_on", "pk") if state in (TicketState.OPEN, TicketState.IN_PROGRESS) else ("-due_on", "-pk")
            listed = self.rows(of_state.order_by(*order)[:ON_A_BOARD])
            total = len(listed) if len(listed) < ON_A_BOARD else of_state.count()
            others = [other for other in BOARD_STATES if other not in (state, TicketState.DROPPED)]
            moves = [(other.value, other.label) for other in others]
            columns.append(BoardColumn(state.value, state.label, total, listed, moves))
        return columns

    def _calendar(self) -> dict[str, Any]:
        """The weeks of a month, from Monday, with the tickets due on each day, including ended ones."""
        first = _month(self.params.get("month", ""), self.today)
        weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
        due = self.narrowed_by(state="all").qs.filter(due_on__gte=weeks[0][0], due_on__lte=weeks[-1][-1])
        by_day: dict[date, list[TicketLine]] = {}
        number: dict[date, int] = {}
        for line in self.rows(first_of_each_day(due, ON_A_DAY)):
            ticket = line.ticket
            by_day.setdefault(ticket.due_on, []).append(line)
            number[ticket.due_on] = ticket.of_day  # type: ignore[attr-defined]  # annotated by first_of_each_day
        following = (first + timedelta(days=31)).replace(day=1)
        return {
            "month": f"{first:%B %Y}",
            "weekdays": [f"{day:%a}" for day in weeks[0]],
            "rows": [
                [
                    Day(
                        day.day,
                        wording.day(day),
                        day == self.today,
                        day.month == first.month,
                        by_day.get(day, ()),
                        number.get(day, 0) - len(by_day.get(day, ())),
                        self.url(view="", month="", state="all", due=day.isoformat()),
                    )
                    for day in week
                ]
                for week in weeks
            ],
            "month_before_url": self.url(month=f"{first - timedelta(days=1):%Y-%m}"),
            "month_after_url": self.url(month=f"{following:%Y-%m}"),
            "this_month_url": self.url(month=""),
        }


def _month(word: str, today: date) -> date:
    """The first day of the given month, by default the current one.  Raises QueryError."""
    if not word:
        return today.replace(day=1)
    try:
        first = date.fromisoformat(f"{word}-01")
    except ValueError:
        raise QueryError("month", "month= is a month such as 2026-11.") from None
    if not 2000 < first.year < 2100:
        raise QueryError("month", "Tickets are of the years from 2001 to 2099.")
    return first

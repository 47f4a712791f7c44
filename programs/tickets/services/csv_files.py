"""Tickets as CSV: exported, and imported after a preview of each row, all rows or none.

The columns are those of the download, in any order; missing ones stay empty.  A row with the number of an existing
ticket changes nothing: tickets are edited on their page, where conflicting edits are detected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import transaction
from django.db.models import Prefetch, QuerySet

from core.csv_export import Cell
from core.csv_import import CsvFileError, read_rows
from core.locks import Lock
from core.write_errors import FieldError, MayNotWriteError
from insights.query import windows
from integrations.delivery.records.visible import visible_pull_requests
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.models import Objective, Ticket, TicketState
from programs.requests.fields import day
from programs.tickets.queries import FILE
from programs.tickets.services.fields import WRITTEN, name_of_pull_request, ticket_fields
from programs.tickets.services.writing import add_ticket, check_completion, move_ticket

MOST_ROWS = 500
LABELS = FILE.labels
NEEDED = ("title", "kind", "owner", "due_on")
NOT_READ = ("objective",)  # a title does not identify an objective
ALREADY_THERE = "A ticket with the same text, unit and due date already exists."

IMPORTING = Lock("import of tickets")
_Likeness = tuple[str, str, date]  # title, unit and due date: two tickets that share all three are the same
AT_ONCE = 1000  # tickets held in memory


class TicketRowsError(CsvFileError):
    """Some of the rows cannot be stored, so none is."""

    def __init__(self, wrong: Sequence[ImportRow]) -> None:
        super().__init__(f"Row {wrong[0].row}: {wrong[0].problem} Nothing was stored.")
        self.wrong = wrong


@dataclass(frozen=True)
class ImportRow:
    """A row of the file, numbered as in a spreadsheet (the header is row 1), and the result of importing it."""

    row: int
    title: str
    unit: str
    owner: str
    due: str
    message: str = ""  # why it cannot be stored
    column: str = ""  # the key of the column with the problem; empty if there is none
    is_known: bool = False  # whether a ticket with that number exists already
    given: Mapping[str, Any] | None = None  # as `add_ticket` takes it
    state: TicketState = TicketState.OPEN
    completed_on: date | None = None
    dropped_why: str = ""

    @property
    def problem(self) -> str:
        """The message with its column."""
        return f"{LABELS[self.column]}: {self.message}" if self.column else self.message


def check_imports(visibility: Visibility) -> None:
    """Rejects viewers who can write no ticket.  Raises MayNotWriteError."""
    if not visibility.leads_any:
        raise MayNotWriteError("Only managers of a unit, executives and admins can write tickets.")


def read_tickets(access: Access, text: str) -> list[ImportRow]:
    """Previews the import of each row for this viewer; nothing is stored.  Raises CsvFileError."""
    known = set(Ticket.objects.within(access.visibility).values_list("pk", flat=True))
    seen: dict[_Likeness, int] = {}
    rows = []
    for number, cells in read_rows(text, LABELS, needed=NEEDED, most=MOST_ROWS):
        row = _row(access, number, cells, known)
        if row.given is not None:
            first = seen.setdefault(_likeness(row.given), number)
            if first != number:
                row = _with_problem(row, f"The same as row {first}.")
        rows.append(row)
    return _but_those_there(rows)


def import_tickets(access: Access, rows: Sequence[ImportRow]) -> list[Ticket]:
    """Stores every new row, as read by `read_tickets`.  Raises TicketRowsError if any has a problem.

    Imports run one at a time, and each checks again for tickets stored since its rows were read: a file sent twice at
    the same moment is stored once.
    """
    with transaction.atomic():
        IMPORTING.hold()
        if wrong := [row for row in _but_those_there(rows) if row.problem]:
            raise TicketRowsError(wrong)
        return [_store(access, row, row.given) for row in rows if row.given is not None]


def _store(access: Access, row: ImportRow, given: Mapping[str, Any]) -> Ticket:
    added = add_ticket(access, given)
    if row.state == TicketState.OPEN:
        return added
    return move_ticket(access, added, row.state, completed_on=row.completed_on, dropped_why=row.dropped_why)


def _row(access: Access, number: int, cells: Mapping[str, str], known: set[int]) -> ImportRow:
    values = {name: cells.get(name, "") for name in LABELS}
    shown = ImportRow(number, values["title"], values["unit"], values["owner"], values["due_on"])
    if values["number"].isdecimal() and int(values["number"][:15]) in known:
        return ImportRow(number, values["title"], values["unit"], values["owner"], values["due_on"], is_known=True)
    try:
        return _checked(access, shown, values)
    except FieldError as problem:
        return _with_problem(shown, problem.message, problem.field if problem.field in LABELS else "")
    except MayNotWriteError as refusal:
        return _with_problem(shown, str(refusal))


def _checked(access: Access, shown: ImportRow, values: Mapping[str, str]) -> ImportRow:
    """The row, validated as a ticket.  Raises FieldError, MayNotWriteError."""
    completed_on, due_on = (day(name, values[name]) for name in ("completed_on", "due_on"))
    choices = {column.name for column in FILE if column.choices}
    given: dict[str, Any] = {
        name: value.lower() if name in choices else value
        for name, value in values.items()
        if name in WRITTEN and name not in NOT_READ and value
    }
    given["pull_requests"] = values["pull_requests"].splitlines()
    if due_on is not None and not values["starts_on"]:
        given["starts_on"] = min(windows.local_today(), due_on, completed_on or date.max)
    fields = ticket_fields(access, given)
    starts_on: date = fields["starts_on"]
    state = _state(values["state"], completed_on)
    _check_end(state, starts_on, completed_on, values["dropped_why"])
    return ImportRow(
        *(shown.row, fields["title"], values["unit"], values["owner"], str(due_on)),
        given={**given, "due_on": fields["due_on"], "starts_on": starts_on},
        state=state,
        completed_on=completed_on,
        dropped_why=values["dropped_why"],
    )


def _check_end(state: TicketState, starts_on: date, completed_on: date | None, why: str) -> None:
    """Rejects what `move_ticket` would reject, before anything is stored.  Raises FieldError."""
    if completed_on is not None and state is not TicketState.DONE:
        raise FieldError("completed_on", f"It is {state.label.lower()}, so it was not completed.")
    if completed_on is not None:
        check_completion(completed_on, starts_on)
    if state is TicketState.DONE and starts_on > windows.local_today():
        raise FieldError("starts_on", "A completed ticket cannot start in the future.")
    if state is TicketState.DROPPED and not why:
        raise FieldError("dropped_why", "Give a reason for dropping it.")


def _state(word: str, completed_on: date | None) -> TicketState:
    if not word:
        return TicketState.OPEN if completed_on is None else TicketState.DONE
    known: Sequence[TicketState] = list(TicketState)
    state = next((choice for choice in known if word.casefold() in (choice.value, choice.label.casefold())), None)
    if state is None:
        raise FieldError("state", f"“{word}” is none of: {', '.join(row.label for row in known)}.")
    return state


def _likeness(given: Mapping[str, Any]) -> _Likeness:
    return given["title"].strip().casefold(), given.get("unit", ""), given["due_on"]


def _but_those_there(rows: Sequence[ImportRow]) -> list[ImportRow]:
    """The rows; those whose ticket exists already get that as their problem."""
    due = {row.given["due_on"] for row in rows if row.given is not None}
    there = {
        (title.strip().casefold(), unit or "", due_on)
        for title, unit, due_on in Ticket.objects.filter(due_on__in=due).values_list("title", "unit__slug", "due_on")
    }
    return [
        row if row.given is None or _likeness(row.given) not in there else _with_problem(row, ALREADY_THERE)
        for row in rows
    ]


def _with_problem(row: ImportRow, message: str, column: str = "") -> ImportRow:
    return ImportRow(row.row, row.title, row.unit, row.owner, row.due, message, column)


def ticket_rows(tickets: QuerySet[Ticket], access: Access) -> Iterator[Sequence[Cell]]:
    """The rows of the CSV file, with pull requests one per line; only objectives and pull requests that the reader may
    see.
    """
    yield list(FILE.labels.values())
    linked_ones = Objective.objects.within(access.visibility).filter(pk__in=tickets.order_by().values("objective"))
    objectives = dict(linked_ones.values_list("pk", "title"))
    visible = visible_pull_requests(access).select_related("repository").order_by("pk")
    linked = Prefetch("pull_requests", queryset=visible)
    special: dict[str, Callable[[Ticket], Cell]] = {
        "number": lambda ticket: ticket.pk,
        "unit": lambda ticket: ticket.unit.slug if ticket.unit else "",
        "owner": lambda ticket: access.written(ticket.owner),
        "objective": lambda ticket: objectives.get(ticket.objective_id or 0, ""),
        "pull_requests": lambda ticket: "\n".join(map(name_of_pull_request, ticket.pull_requests.all())),
    }
    for ticket in tickets.prefetch_related(linked).iterator(chunk_size=AT_ONCE):
        yield FILE.row(ticket, special)

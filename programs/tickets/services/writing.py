"""Adds and changes tickets.

Managers write for their units, executives and admins for all; owners change their own. The history (django-pghistory)
records each change with its account.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from core.authorship import changes_by
from core.edit_conflicts import take_fields
from core.write_errors import FieldError, MayNotWriteError, checked_text
from insights.query import windows
from integrations.enums import MirrorState
from orgtree.access.access import Access
from orgtree.models.visibility import Visibility
from programs.finding_work.work import follow_drop
from programs.models import Ticket, TicketState
from programs.models.objectives import LONGEST_TITLE
from programs.reminders.services.planning import notify_of_assignment
from programs.requests.visible import account_of
from programs.tickets.services.fields import ticket_fields

ONLY_LEADERS = "A ticket is changed by its owner, by the managers of its unit, by executives and by admins."


# The states in an issue tracker's terms.
STATE_OF: Mapping[str, MirrorState] = {
    TicketState.OPEN: MirrorState.OPEN,
    TicketState.IN_PROGRESS: MirrorState.OPEN,
    TicketState.DONE: MirrorState.DONE,
    TicketState.DROPPED: MirrorState.DROPPED,
}


def may_change(visibility: Visibility, ticket: Ticket) -> bool:
    """Whether the viewer owns the ticket or leads its unit."""
    owns = ticket.owner_id is not None and ticket.owner_id == visibility.person_id
    return owns or visibility.leads(ticket.unit_id)


def add_ticket(access: Access, given: Mapping[str, Any]) -> Ticket:
    """Adds a ticket; `given` has the fields of the API.  Raises FieldError, MayNotWriteError."""
    fields = ticket_fields(access, given)
    pull_requests = fields.pop("pull_requests", ())
    with changes_by(account_of(access)):
        added = Ticket.objects.create(**fields, written_by=account_of(access))
        added.pull_requests.set(pull_requests)
        added.watchers.add(account_of(access))
        notify_of_assignment(added, by=account_of(access))
    return added


def change_ticket(access: Access, ticket: Ticket, given: Mapping[str, Any], *, of_version: int) -> Ticket:
    """Changes a ticket; raises like `add_ticket`, and ConflictError if it changed since `of_version`.

    Omitted fields stay, and a change without a difference is not recorded.  A new owner who leads no unit leaves the
    ticket in its unit.
    """
    _check_may_change(access, ticket)
    with changes_by(account_of(access)):
        stored = _locked(ticket)
        fields = ticket_fields(access, given, stored)
        linked = set(stored.pull_requests.values_list("pk", flat=True))
        pull_requests = set(fields.pop("pull_requests", linked))
        owner_before, conflict = stored.owner_id, "Somebody changed this ticket in the meantime."
        if not take_fields(stored, fields, of_version, conflict, also=pull_requests != linked):
            return stored
        if stored.completed_on is not None and stored.completed_on < stored.starts_on:
            raise FieldError("starts_on", f"It was completed on {stored.completed_on}: it began before that.")
        stored.save()
        if stored.owner_id != owner_before:
            notify_of_assignment(stored, by=account_of(access))
        stored.pull_requests.set(pull_requests)
    return stored


def move_ticket(
    access: Access, ticket: Ticket, state: TicketState, *, completed_on: date | None = None, dropped_why: str = ""
) -> Ticket:
    """Moves the ticket to another state.  `completed_on` defaults to today; dropping requires a reason.

    Moving a ticket to its current state does nothing.  Raises FieldError, MayNotWriteError.
    """
    _check_may_change(access, ticket)
    with changes_by(account_of(access)):
        stored = _locked(ticket)
        done_on = (completed_on or windows.local_today()) if state == TicketState.DONE else None
        if done_on is not None:
            check_completion(done_on, stored.starts_on)
        if state == stored.state and (done_on is None or completed_on is None or done_on == stored.completed_on):
            return stored
        was_dropped = stored.state == TicketState.DROPPED
        stored.state, stored.completed_on = state, done_on
        stored.dropped_why = (
            checked_text("dropped_why", dropped_why, LONGEST_TITLE, missing="Give a reason for dropping it.")
            if state == TicketState.DROPPED
            else ""
        )
        _save(stored)
        if was_dropped != (state == TicketState.DROPPED):
            follow_drop(stored)
    return stored


def apply_remote(ticket: Ticket, state: MirrorState, due_on: date | None, *, where: str) -> Ticket:
    """Applies a change of the issue at `where` to its mirrored ticket, as of today; the history attributes it to
    Headway.

    If the issue has no due date, the ticket keeps its own; a due date is never before the ticket's start.
    """
    today = windows.local_today()
    with changes_by(None):
        stored = _locked(ticket)
        was_dropped = stored.state == TicketState.DROPPED
        if STATE_OF[stored.state] is not state:
            stored.completed_on, stored.dropped_why = None, ""
            match state:
                case MirrorState.OPEN:
                    stored.state = TicketState.OPEN
                case MirrorState.DONE:
                    stored.state, stored.completed_on = TicketState.DONE, max(today, stored.starts_on)
                case MirrorState.DROPPED:
                    stored.state = TicketState.DROPPED
                    stored.dropped_why = f"Closed as not planned: {where}"[:LONGEST_TITLE]
        if due_on is not None:
            stored.due_on = max(due_on, stored.starts_on)
        _save(stored)
        if was_dropped != (stored.state == TicketState.DROPPED):
            follow_drop(stored)
    return stored


def watch_ticket(access: Access, ticket: Ticket) -> None:
    with changes_by(account_of(access)):
        ticket.watchers.add(account_of(access))


def unwatch_ticket(access: Access, ticket: Ticket) -> None:
    with changes_by(account_of(access)):
        ticket.watchers.remove(account_of(access))


def _check_may_change(access: Access, ticket: Ticket) -> None:
    if not may_change(access.visibility, ticket):
        raise MayNotWriteError(ONLY_LEADERS)


def _locked(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_for_update().get(pk=ticket.pk)


def _save(stored: Ticket) -> None:
    stored.version += 1
    stored.save()


def check_completion(day: date, starts_on: date) -> None:
    """Rejects a day of completion that is not between the start and today.  Raises FieldError."""
    if day > windows.local_today():
        raise FieldError("completed_on", f"{day} is in the future.")
    if day < starts_on:
        raise FieldError("completed_on", f"It began on {starts_on}: it cannot be completed before that.")

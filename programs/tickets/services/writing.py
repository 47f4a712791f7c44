"""Adds and changes tickets.  Managers write for their units, executives and admins for all; owners change theirs.

The history (django-pghistory) records each change with its account.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.db.models.functions import Lower

from core.authorship import changes_by
from core.write_errors import ConflictError, FieldError, MayNotWriteError
from insights.query import windows
from integrations.enums import MirrorState
from orgtree.access.access import Access
from orgtree.models import Person
from orgtree.models.visibility import Visibility
from programs.models import Ticket, TicketComment, TicketState
from programs.models.objectives import LONGEST_TITLE
from programs.reminders.services.planning import notify_of_assignment, notify_of_comment
from programs.tickets.services.fields import ticket_fields

ONLY_LEADERS = "A ticket is changed by its owner, by the managers of its unit, by executives and by admins."


# As an issue tracker knows them.
STATE_OF: Mapping[str, MirrorState] = {
    TicketState.OPEN: MirrorState.OPEN,
    TicketState.IN_PROGRESS: MirrorState.OPEN,
    TicketState.DONE: MirrorState.DONE,
    TicketState.DROPPED: MirrorState.DROPPED,
}
LONGEST_COMMENT = 20_000  # characters
MOST_MENTIONS = 20  # of one comment: more is a mailing list
MENTION = re.compile(r"(?<![\w.])@([\w.+-]+@[\w-]+(?:\.[\w-]+)+)")


def may_change(visibility: Visibility, ticket: Ticket) -> bool:
    """Its owner, and whoever answers for its unit."""
    owns = ticket.owner_id is not None and ticket.owner_id == visibility.person_id
    return owns or visibility.leads(ticket.unit_id)


def add_ticket(access: Access, given: Mapping[str, Any]) -> Ticket:
    """`given` are fields as the API takes them.  Raises FieldError, MayNotWriteError."""
    fields = ticket_fields(access, given)
    pull_requests = fields.pop("pull_requests", ())
    with changes_by(_account(access)):
        added = Ticket.objects.create(**fields, written_by=_account(access))
        added.pull_requests.set(pull_requests)
        added.watchers.add(_account(access))
        notify_of_assignment(added, by=_account(access))
    return added


def change_ticket(access: Access, ticket: Ticket, given: Mapping[str, Any], *, of_version: int) -> Ticket:
    """As `add_ticket`; ConflictError where it was changed since `of_version`, and nothing is stored.

    What is not given stays, and a ticket that stays as it was is no change.  An owner who leads no unit leaves it where
    it is.
    """
    _check_may_change(access, ticket)
    with changes_by(_account(access)):
        stored = _locked(ticket)
        fields = ticket_fields(access, given, stored)
        linked = set(stored.pull_requests.values_list("pk", flat=True))
        pull_requests = set(fields.pop("pull_requests", linked))
        if pull_requests == linked and all(getattr(stored, name) == value for name, value in fields.items()):
            return stored
        if stored.version != of_version:
            raise ConflictError("Somebody changed this ticket in the meantime.", stored)
        owner_before = stored.owner_id
        for name, value in fields.items():
            setattr(stored, name, value)
        if stored.completed_on is not None and stored.completed_on < stored.starts_on:
            raise FieldError("starts_on", f"It was completed on {stored.completed_on}: it began before that.")
        _save(stored)
        if stored.owner_id != owner_before:
            notify_of_assignment(stored, by=_account(access))
        stored.pull_requests.set(pull_requests)
    return stored


def move_ticket(
    access: Access, ticket: Ticket, state: TicketState, *, completed_on: date | None = None, dropped_why: str = ""
) -> Ticket:
    """Into another state.  Done: on that day, today where none is given.  Dropped: with a reason.

    Moving a ticket where it is already is no change.  Raises FieldError, MayNotWriteError.
    """
    _check_may_change(access, ticket)
    today = windows.local_today()
    with changes_by(_account(access)):
        stored = _locked(ticket)
        done_on = _completion(stored, completed_on or today, today) if state == TicketState.DONE else None
        if state == stored.state and (done_on is None or completed_on is None or done_on == stored.completed_on):
            return stored
        stored.state, stored.completed_on = state, done_on
        stored.dropped_why = _reason(dropped_why) if state == TicketState.DROPPED else ""
        _save(stored)
    return stored


def apply_remote(ticket: Ticket, state: MirrorState, due_on: date | None, *, where: str) -> Ticket:
    """Move a mirrored ticket as its issue was moved at `where`, today; the history attributes it to Headway.

    Without a due day at the issue the ticket keeps its own, which is never before its start.
    """
    today = windows.local_today()
    with changes_by(None):
        stored = _locked(ticket)
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
    return stored


def watch_ticket(access: Access, ticket: Ticket) -> None:
    with changes_by(_account(access)):
        ticket.watchers.add(_account(access))


def unwatch_ticket(access: Access, ticket: Ticket) -> None:
    with changes_by(_account(access)):
        ticket.watchers.remove(_account(access))


def _account(access: Access) -> User:
    if not isinstance(access.viewer, User):
        raise MayNotWriteError("Sign in with an account: a token without an account writes no tickets.")
    return access.viewer


def _check_may_change(access: Access, ticket: Ticket) -> None:
    if not may_change(access.visibility, ticket):
        raise MayNotWriteError(ONLY_LEADERS)


def _locked(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_for_update().get(pk=ticket.pk)


def _save(stored: Ticket) -> None:
    stored.version += 1
    stored.save()


def _completion(stored: Ticket, day: date, today: date) -> date:
    if day > today:
        raise FieldError("completed_on", f"{day} is in the future.")
    if day < stored.starts_on:
        raise FieldError("completed_on", f"It began on {stored.starts_on}: it cannot be completed before that.")
    return day


def _reason(why: str) -> str:
    why = why.strip()
    if not why:
        raise FieldError("dropped_why", "Give a reason for dropping it.")
    if len(why) > LONGEST_TITLE or "\x00" in why:
        raise FieldError("dropped_why", f"At most {LONGEST_TITLE} characters.")
    return why


def comment_on_ticket(access: Access, ticket: Ticket, text: str) -> TicketComment:
    """Whoever may see a ticket may comment on it, and watches it from then on.  Raises FieldError."""
    account = access.viewer
    if not isinstance(account, User):
        raise MayNotWriteError("Sign in with an account: a token without an account cannot write comments.")
    text = text.strip()
    if not text or "\x00" in text:
        raise FieldError("text", "Write something.")
    if len(text) > LONGEST_COMMENT:
        raise FieldError("text", f"At most {LONGEST_COMMENT:,} characters.")
    with changes_by(account):
        comment = TicketComment.objects.create(ticket=ticket, by=account, text=text)
        comment.mentions.set(mentioned(text))
        ticket.watchers.add(account)
        notify_of_comment(comment)
    return comment


def mentioned(text: str) -> Sequence[Person]:
    """The people whose addresses stand behind an @; an address that nobody has mentions nobody."""
    addresses = list(dict.fromkeys(address.lower().rstrip(".") for address in MENTION.findall(text)))[:MOST_MENTIONS]
    return list(Person.objects.annotate(address=Lower("email")).filter(address__in=addresses)) if addresses else []

"""The language of ticket tests: the users, and the fields of a ticket."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from insights.query import windows
from orgtree.access.access import Access, access_of
from programs.models import Notice, Ticket
from programs.tickets.services.writing import add_ticket
from tests.personas import MANAGER, Persona, create_user


def as_(persona: Persona) -> Access:
    return access_of(create_user(persona))


def draft(**fields: Any) -> dict[str, Any]:
    """A ticket of Platform, due in two weeks."""
    usual = {
        "title": "PRs miss their work item",
        "kind": "process",
        "due_on": windows.local_today() + timedelta(days=14),
        "unit": "platform",
        "owner": "ada@example.com",
        "resolution": "",
        "metric": "",
    }
    return {**usual, **fields}


def ticket(persona: Persona = MANAGER, **fields: Any) -> Ticket:
    return add_ticket(as_(persona), draft(**fields))


def ownerless(persona: Persona = MANAGER, **fields: Any) -> Ticket:
    """A ticket of the time when owners were optional."""
    added = ticket(persona, **fields)
    Ticket.objects.filter(pk=added.pk).update(owner=None)
    Notice.objects.filter(ticket=added).delete()  # nobody was assigned
    added.refresh_from_db()
    return added

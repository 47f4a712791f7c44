"""The history of a ticket's fields and links, from the database's events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any

from django.apps import apps
from django.db.models import F, Value

from core.authorship import account_of
from orgtree.models.visibility import Visibility
from programs.history.events import (
    CHANGES_LISTED,
    PULL_REQUESTS,
    WATCHERS,
    Changed,
    CurrentNames,
    Undisclosed,
    events_of,
    together,
)
from programs.models import Ticket
from programs.tickets.columns import COLUMNS

FIELDS = COLUMNS.of_events(Ticket)


@dataclass(frozen=True)
class TicketChange:
    """What one account (None: Headway itself) changed at once: fields, and links that came and went."""

    by: int | None
    at: datetime
    is_first: bool  # it was filed then
    changes: Sequence[Changed]


@dataclass(frozen=True)
class LinkChange:
    """A pull request (by its id) or somebody who watches (by their account's) came or went."""

    of: str  # PULL_REQUESTS, WATCHERS
    linked: int
    is_added: bool
    at: datetime
    together: object  # the transaction
    account: int | None


@dataclass(frozen=True)
class History:
    """Every change, the first one first."""

    events: Sequence[Any]
    links: Sequence[LinkChange]

    @property
    def accounts(self) -> set[int | None]:
        """Of whom it tells."""
        watching = {link.linked for link in self.links if link.of == WATCHERS}
        return {*map(account_of, self.events), *(link.account for link in self.links), *watching}

    @property
    def pull_requests(self) -> set[int]:
        return {link.linked for link in self.links if link.of == PULL_REQUESTS}


def history_of(ticket: Ticket) -> History:
    """Two queries.  That whoever filed it watches it from then on is no change to be told."""
    events = events_of("TicketEvent", pgh_obj=ticket.pk)
    links = [*_links(ticket)]
    filed = together(events[0]) if events and events[0].version == 1 else None
    return History(events, [link for link in links if link.of != WATCHERS or link.together != filed])


def ticket_changes(history: History, seen_pull_requests: Collection[int], visibility: Visibility) -> list[TicketChange]:
    """The newest first, as far as the viewer may see it; at most three queries, for names."""
    steps = [
        *_steps(history.events, CurrentNames(history.events, visibility, objective="objective_id")),
        *(
            _Step(link.at, link.together, link.account, False, [_link(link, seen_pull_requests)])
            for link in history.links
        ),
    ]
    steps.sort(key=lambda step: step.at)
    grouped = []
    for (_, account), at_once in groupby(steps, key=lambda step: (step.together, step.account)):
        same = list(at_once)
        changes = [change for step in same for change in step.changes]
        is_first = any(step.is_first for step in same)
        if is_first or changes:
            grouped.append(TicketChange(account, same[0].at, is_first, changes))
    return grouped[::-1]


@dataclass(frozen=True)
class _Step:
    at: datetime
    together: object
    account: int | None
    is_first: bool
    changes: Sequence[Changed]


def _links(ticket: Ticket) -> Iterator[LinkChange]:
    events = [
        apps.get_model("programs", model)
        ._default_manager.filter(ticket=ticket.pk)
        .annotate(of=Value(of), linked=F(column))
        .values_list("of", "linked", "pgh_label", "pgh_created_at", "pgh_id", "pgh_context_id", "pgh_context__metadata")
        for of, model, column in (
            (PULL_REQUESTS, "TicketPullRequestEvent", "pullrequest_id"),
            (WATCHERS, "TicketWatcherEvent", "user_id"),
        )
    ]
    latest = events[0].union(events[1], all=True).order_by("-pgh_created_at", "-pgh_id")[:CHANGES_LISTED]
    for of, linked, label, at, _, context, metadata in reversed(list(latest)):
        yield LinkChange(of, linked, label == "added", at, context or at, (metadata or {}).get("user"))


def _steps(events: Sequence[Any], names: CurrentNames) -> Iterator[_Step]:
    if events:
        first = events[0]
        yield _Step(first.pgh_created_at, together(first), account_of(first), first.version == 1, [])
    for earlier, later in pairwise(events):
        changes = [
            Changed(field, names.value_of(earlier, field), names.value_of(later, field))
            for field in FIELDS
            if getattr(earlier, field) != getattr(later, field)
        ]
        yield _Step(later.pgh_created_at, together(later), account_of(later), False, changes)


def _link(change: LinkChange, seen: Collection[int]) -> Changed:
    linked = Undisclosed.UNSEEN if change.of == PULL_REQUESTS and change.linked not in seen else change.linked
    return Changed(change.of, None, linked) if change.is_added else Changed(change.of, linked, None)

"""The history of a ticket's fields and links, from the database's events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.apps import apps
from django.db.models import F, Value

from core.authorship import account_of
from orgtree.models.visibility import Visibility
from programs.history.events import (
    CHANGES_LISTED,
    PULL_REQUESTS,
    WATCHERS,
    WRITTEN,
    Change,
    Changed,
    CurrentNames,
    Step,
    Undisclosed,
    changes_from,
    events_of,
    field_steps,
    together,
)
from programs.models import Ticket
from programs.tickets.queries import COLUMNS

FIELDS = COLUMNS.of_events(Ticket)


@dataclass(frozen=True)
class History:
    """All changes, oldest first.  Each of the `links` is the change of one pull request or watcher, by id."""

    events: Sequence[Any]
    links: Sequence[Step]

    @property
    def accounts(self) -> set[int | None]:
        """The accounts named in the history."""
        return {*map(account_of, self.events), *(link.account for link in self.links), *self._linked(WATCHERS)}

    @property
    def pull_requests(self) -> set[int]:
        return self._linked(PULL_REQUESTS)

    def _linked(self, of: str) -> set[int]:
        return {_linked(link.changes[0]) for link in self.links if link.changes[0].field == of}


def history_of(ticket: Ticket) -> History:
    """The ticket's history; two queries.  Leaves out that its author watches it from the start."""
    events = events_of("TicketEvent", pgh_obj=ticket.pk)
    filed = together(events[0]) if events and events[0].pgh_label == WRITTEN else None
    links = [link for link in _links(ticket) if link.changes[0].field != WATCHERS or link.together != filed]
    return History(events, links)


def ticket_changes(history: History, seen_pull_requests: Collection[int], visibility: Visibility) -> list[Change]:
    """The changes that the viewer may see, newest first; at most three queries, for names."""
    names = CurrentNames(history.events, visibility, objective="objective_id")
    links = [replace(link, changes=[_seen(link.changes[0], seen_pull_requests)]) for link in history.links]
    return changes_from([*field_steps(history.events, FIELDS, names), *links])


def _links(ticket: Ticket) -> Iterator[Step]:
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
        change = Changed(of, None, linked) if label == "added" else Changed(of, linked, None)
        yield Step(at, context or at, (metadata or {}).get("user"), changes=[change])


def _linked(change: Changed) -> Any:
    return change.before or change.after


def _seen(change: Changed, pull_requests: Collection[int]) -> Changed:
    if change.field != PULL_REQUESTS or _linked(change) in pull_requests:
        return change
    return replace(change, before=change.before and Undisclosed.UNSEEN, after=change.after and Undisclosed.UNSEEN)

"""What changed in a ticket: what it says, and what it is linked with, as the database's history has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import Any

from django.apps import apps
from django.db.models import F, Value

from insights import wording
from insights.metrics.errors import UnknownMetricError
from insights.metrics.registry import get
from insights.views.annotations.words import GONE, moment
from orgtree.models.sight import Sight
from orgtree.services.authorship import account_of
from programs.models import BottleneckKind, Nature, Ticket, TicketState
from programs.services.tickets.csv_import import COLUMNS
from programs.views.history import CHANGES_LISTED, NOTHING, UNSEEN, NamesOfToday, events_of, together
from programs.views.tickets.words import Difference

CHOICES: Mapping[str, Mapping[str, str]] = {
    "nature": dict(Nature.choices),
    "kind": dict(BottleneckKind.choices),
    "state": dict(TicketState.choices),
}
HISTORY_FIELDS = {
    field: COLUMNS[field.removesuffix("_id")]
    for field in (
        *("title", "nature", "kind", "resolution", "unit_id", "owner_id", "starts_on", "due_on", "completed_on"),
        *("state", "dropped_why", "metric", "objective_id"),
    )
}
PULL_REQUESTS, WATCHERS = "pull_requests", "watchers"


@dataclass(frozen=True)
class HistoryLine:
    """What one account changed at once: fields with what they said before, and links that came and went."""

    who: str
    at: str
    is_first: bool  # it was filed then
    differences: Sequence[Difference]


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
        watching = {each.linked for each in self.links if each.of == WATCHERS}
        return {*map(account_of, self.events), *(each.account for each in self.links), *watching}

    @property
    def pull_requests(self) -> set[int]:
        return {each.linked for each in self.links if each.of == PULL_REQUESTS}


def history_of(ticket: Ticket) -> History:
    """Two queries.  That whoever filed it watches it from then on is no change to be told."""
    events = events_of("TicketEvent", pgh_obj=ticket.pk)
    links = [*_links(ticket)]
    filed = together(events[0]) if events and events[0].version == 1 else None
    return History(events, [each for each in links if each.of != WATCHERS or each.together != filed])


def _links(ticket: Ticket) -> Iterator[LinkChange]:
    found = [
        apps.get_model("programs", model)
        ._default_manager.filter(ticket=ticket.pk)
        .annotate(of=Value(of), linked=F(column))
        .values_list("of", "linked", "pgh_label", "pgh_created_at", "pgh_id", "pgh_context_id", "pgh_context__metadata")
        for of, model, column in (
            (PULL_REQUESTS, "TicketPullRequestEvent", "pullrequest_id"),
            (WATCHERS, "TicketWatcherEvent", "user_id"),
        )
    ]
    latest = found[0].union(found[1], all=True).order_by("-pgh_created_at", "-pgh_id")[:CHANGES_LISTED]
    for of, linked, label, at, _, context, metadata in reversed(list(latest)):
        yield LinkChange(of, linked, label == "added", at, context or at, (metadata or {}).get("user"))


def history_lines(
    history: History, names: Mapping[int, str], pull_requests: Mapping[int, str], sight: Sight
) -> list[HistoryLine]:
    """The newest first; `names` are those of accounts, `pull_requests` those that the viewer may see."""
    steps = [
        *_steps(history.events, _Words(history.events, sight)),
        *(
            _Step(each.at, each.together, each.account, False, [_link_words(each, names, pull_requests)])
            for each in history.links
        ),
    ]
    steps.sort(key=lambda step: step.at)
    lines = []
    for (_, account), at_once in groupby(steps, key=lambda step: (step.together, step.account)):
        same = list(at_once)
        differences = [difference for step in same for difference in step.differences]
        is_first = any(step.is_first for step in same)
        if is_first or differences:
            who = "Headway" if account is None else names.get(account, GONE)
            lines.append(HistoryLine(who, moment(same[0].at), is_first, differences))
    return lines[::-1]


@dataclass(frozen=True)
class _Step:
    at: datetime
    together: object
    account: int | None
    is_first: bool
    differences: Sequence[Difference]


def _steps(events: Sequence[Any], words: _Words) -> Iterator[_Step]:
    if events:
        first = events[0]
        yield _Step(first.pgh_created_at, together(first), account_of(first), first.version == 1, [])
    for earlier, later in pairwise(events):
        yield _Step(later.pgh_created_at, together(later), account_of(later), False, words.differences(earlier, later))


def _link_words(each: LinkChange, names: Mapping[int, str], pull_requests: Mapping[int, str]) -> Difference:
    if each.of == WATCHERS:
        field, name = "Watching", names.get(each.linked, GONE)
    else:
        field, name = "Pull request", pull_requests.get(each.linked, UNSEEN)
    return Difference(field, NOTHING, name) if each.is_added else Difference(field, name, NOTHING)


class _Words:
    """Values of history in words."""

    def __init__(self, events: Sequence[Any], sight: Sight) -> None:
        self._names = NamesOfToday(events, sight, objective="objective_id")

    def differences(self, before: Any, after: Any) -> list[Difference]:
        return [
            Difference(label, self._word(name, before), self._word(name, after))
            for name, label in HISTORY_FIELDS.items()
            if getattr(before, name) != getattr(after, name)
        ]

    def _word(self, name: str, event: Any) -> str:
        value = getattr(event, name)
        if self._names.tell_of(name):
            return self._names.name(name, value)
        if name == "metric" and value:
            return metric_name(value)
        if isinstance(value, date):
            return wording.day(value)
        return CHOICES.get(name, {}).get(value, value) or NOTHING


def metric_name(key: str) -> str:
    """Its key, where there is no such metric any more."""
    try:
        return get(key).name
    except UnknownMetricError:
        return key

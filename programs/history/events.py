"""Events written by database triggers, and names of the records they refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from itertools import groupby, pairwise
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import QuerySet

from core.authorship import account_of
from orgtree.access.who_sees import AccountNames, names_of
from orgtree.models import Person, Unit
from orgtree.models.visibility import Visibility
from programs.models import Objective, Quarter

CHANGES_LISTED = 300
WRITTEN, REMOVED = "insert", "delete"  # labels of events
PULL_REQUESTS, WATCHERS = "pull_requests", "watchers"  # the links of a ticket


class Undisclosed(Enum):
    """A placeholder for a value that no longer exists or that the reader may not see."""

    GONE = "gone"  # a person or unit that no longer exists
    UNSEEN = "unseen"  # something that the reader may not see
    HIDDEN = "hidden"  # an amount withheld from the reader


Value = str | int | float | bool | date | datetime | Undisclosed | None


@dataclass(frozen=True)
class Changed:
    """One field of a change.

    Units, people and objectives are given by their current names, accounts and pull requests by id, choices and metrics
    by key, amounts in `unit`.  None means empty, and for `unit_id` the whole organisation.
    """

    field: str
    before: Value
    after: Value
    key_result: int | None = None  # the id of the objective's key result
    title: str = ""  # that key result's title
    unit: str = ""  # the amount's unit of measure
    unit_before: str = ""  # the unit before, if the metric has changed


@dataclass(frozen=True)
class Step:
    """A change of one record by one account (None: Headway itself)."""

    at: datetime
    together: object  # equal for changes of one transaction
    account: int | None
    is_first: bool = False  # whether this step created the record
    changes: Sequence[Changed] = ()


@dataclass(frozen=True)
class Change:
    """Changes by one account at one time."""

    by: int | None
    at: datetime
    steps: Sequence[Step]

    @property
    def is_first(self) -> bool:
        return any(step.is_first for step in self.steps)

    @property
    def changes(self) -> list[Changed]:
        return [changed for step in self.steps for changed in step.changes]


def changes_from(steps: Iterable[Step]) -> list[Change]:
    """Groups steps into changes, newest first; steps made at once keep their order."""
    in_time = sorted(steps, key=lambda step: step.at)
    at_once = [list(same) for _, same in groupby(in_time, key=lambda step: (step.together, step.account))]
    return [Change(same[0].account, same[0].at, same) for same in at_once[::-1]]


def author_of(event: Any) -> dict[str, Any]:
    """Time and author of an event, as arguments of `Step`."""
    return {"at": event.pgh_created_at, "together": together(event), "account": account_of(event)}


def field_steps(events: Sequence[Any], fields: Iterable[str], names: CurrentNames) -> Iterator[Step]:
    """The steps of one record; `events` need not start with its first event."""
    if events and events[0].pgh_label == WRITTEN:
        yield Step(**author_of(events[0]), is_first=True)
    for before, event in pairwise(events):
        changes = [
            Changed(field, names.value_of(before, field), names.value_of(event, field))
            for field in fields
            if getattr(before, field) != getattr(event, field)
        ]
        if changes:
            yield Step(**author_of(event), changes=changes)


def events_of(model: str, **of: int) -> list[Any]:
    """The latest events, oldest first."""
    events = apps.get_model("programs", model)._default_manager.filter(**of).select_related("pgh_context")
    return list(events.order_by("-pgh_id")[:CHANGES_LISTED])[::-1]


def together(event: Any) -> object:
    """A key shared by all events of one transaction."""
    return event.pgh_context_id or event.pgh_created_at


def names_of_accounts(accounts: Iterable[int | None]) -> AccountNames:
    """Maps account ids to names; three queries, however many there are."""
    return names_of(list(User.objects.in_bulk({pk for pk in accounts if pk is not None}).values()))


class CurrentNames:
    """Current names of the units, people and objectives that events refer to; one query per changed field.

    An objective that the viewer may not see stays unnamed.
    """

    def __init__(self, events: Sequence[Any], visibility: Visibility, *, objective: str) -> None:
        """`objective` is the name of the event field that holds an objective's id."""
        lookups: Mapping[str, QuerySet[Any]] = {
            "unit_id": Unit.objects.all(),
            "owner_id": Person.objects.all(),
            "quarter_id": Quarter.objects.all(),
            objective: Objective.objects.within(visibility),
        }
        self._nameless = {**dict.fromkeys(lookups, Undisclosed.GONE), objective: Undisclosed.UNSEEN}
        self._known: Mapping[str, Mapping[int, str]] = {
            field: {record.pk: str(record) for record in queryset.filter(pk__in=changed)}
            for field, queryset in lookups.items()
            if (changed := _changed(field, events))
        }

    def value_of(self, event: Any, field: str) -> Value:
        """The event's value; for an id, the name of the record."""
        value: Value = getattr(event, field)
        if field not in self._nameless or value is None:
            return value
        return self._known.get(field, {}).get(int(str(value)), self._nameless[field])


def _changed(field: str, events: Sequence[Any]) -> set[int]:
    """The ids that a field changed from and to; a field that never changed, or that the events lack, needs no query."""
    pairs = [(getattr(before, field, None), getattr(after, field, None)) for before, after in pairwise(events)]
    return {pk for pair in pairs if pair[0] != pair[1] for pk in pair if pk is not None}

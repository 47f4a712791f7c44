"""Epics of a known course: a steady pace, so that the date can be counted by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from django.db import transaction

from insights.query import windows
from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import (
    AssignmentDraft,
    ProvidedParts,
    TransitionDraft,
    ValueChangeDraft,
    Who,
    WorkItemDraft,
)
from integrations.enums import ItemField, ResourceKind, StatusCategory
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection
from orgtree.models import Identity, IdentityKind, Person

PROJECT = "P1"
REFUNDS, RULES = "Instant refunds", "Price rules"  # an epic that misses its planned day, and a young one
SATURDAY = 5


def working_days_before(day: date, number: int) -> list[date]:
    """The last Mondays to Fridays before a day, the oldest first."""
    found: list[date] = []
    while len(found) < number:
        day -= timedelta(days=1)
        if day.weekday() < SATURDAY:
            found.append(day)
    return found[::-1]


def working_day_after(day: date, number: int) -> date:
    while number:
        day += timedelta(days=1)
        number -= day.weekday() < SATURDAY
    return day


class Board:
    """An issue tracker with one project."""

    def __init__(self) -> None:
        self.connection = Connection.objects.create(provider="jira", name="Jira")
        store_resource(self.connection, ResourceDraft(ResourceKind.PROJECT, PROJECT, "Shop"))
        self.numbers = count(1)

    def epic(self, key: str, title: str, *, due_on: date | None = None, type: str = "Epic") -> str:
        self._store(
            WorkItemDraft(
                external_id=key,
                key=key,
                title=title,
                project=PROJECT,
                native_type=type,
                status_category=StatusCategory.IN_PROGRESS,
                created_at=_noon(windows.local_today() - timedelta(days=300)),
                updated_at=_noon(windows.local_today() - timedelta(days=1)),
                due_on=due_on,
            )
        )
        return key

    def items(
        self,
        epic: str,
        *,
        done: Sequence[date] = (),
        todo: int = 0,
        dropped: Sequence[date] = (),
        created: date | None = None,
        by: str = "ada",
        version: str = "",
        labels: Sequence[str] = (),
    ) -> None:
        """Items done on these days, still to do, and closed without being done."""
        first = min([*done, *dropped, windows.local_today()])
        at = created or first - timedelta(days=1)
        drafts = [
            *(self._item(epic, at, day, by=by, version=version, labels=labels) for day in done),
            *(self._item(epic, at, None, by=by, version=version, labels=labels) for _ in range(todo)),
            *(self._item(epic, at, day, by=by, is_dropped=True, version=version, labels=labels) for day in dropped),
        ]
        self._store(*drafts)

    def _item(
        self,
        epic: str,
        created: date,
        closed: date | None,
        *,
        by: str,
        is_dropped: bool = False,
        version: str = "",
        labels: Sequence[str] = (),
    ) -> WorkItemDraft:
        key = f"SHOP-{next(self.numbers)}"
        who = Who(email=f"{by}@example.com") if by else None
        done = closed is not None and not is_dropped
        moves = [TransitionDraft(at=_noon(closed), from_status="To Do", to_status="Done")] if done and closed else []
        changes = [ValueChangeDraft(at=_noon(created), field=ItemField.VERSION, before="", after=version)]
        return WorkItemDraft(
            external_id=key,
            key=key,
            title=f"Item {key}",
            project=PROJECT,
            parent_key=epic,
            native_type="Story",
            native_status="Done" if done else "Won't do" if is_dropped else "To Do",
            status_category=StatusCategory.DONE if closed else StatusCategory.TODO,
            first_category=StatusCategory.TODO,
            created_at=_noon(created) - timedelta(hours=3),
            updated_at=_noon(closed or created),
            resolved_at=_noon(closed) if closed else None,
            assignee=who,
            assignments=ProvidedParts([AssignmentDraft(at=_noon(created), assignee=who)] if who else []),
            transitions=ProvidedParts(moves),
            versions=(version,) if version else (),
            labels=tuple(labels),
            value_changes=ProvidedParts(changes if version else []),
        )

    def _store(self, *drafts: WorkItemDraft) -> None:
        with transaction.atomic():
            stored = store_drafts(self.connection, drafts)
        assert not stored.unplaced, stored


def know(*names: str) -> None:
    """The addresses of people, as the tracker names them."""
    for name in names:
        Identity.objects.update_or_create(
            kind=IdentityKind.EMAIL,
            value=f"{name}@example.com",
            defaults={"person": Person.objects.get(email=f"{name}@example.com")},
        )


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)

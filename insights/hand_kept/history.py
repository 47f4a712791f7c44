"""The history of a hand-kept metric's values: each entry with its author, including those that were replaced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.contrib.auth.models import User

from core.authorship import account_of
from integrations.hand_kept.values import visible_entries
from integrations.models import HandKeptMetric
from orgtree.access.access import Access
from orgtree.access.who_sees import names_of
from orgtree.models import Unit

ENTERED, REPLACED, REMOVED = "Entered", "Replaced", "Removed"
LABELS = {"added": ENTERED, "changed": REPLACED, "removed": REMOVED}


@dataclass(frozen=True)
class ValueChange:
    """One change of a value; `unit` is None for the whole organisation, `by` is empty for a program."""

    at: datetime
    what: str
    by: str
    via: str
    unit: Unit | None
    day: date
    value: Decimal
    note: str


def history_of(access: Access, metric: HandKeptMetric, rows: slice) -> tuple[Sequence[ValueChange], int]:
    """The changes that the viewer may see, the latest first, as far as `rows` selects them; and the number of all."""
    events: Any = apps.get_model("integrations", "HandKeptValueEvent")._default_manager
    visible = events.filter(visible_entries(access, metric))
    shown = list(visible.order_by("-pgh_id").select_related("pgh_context")[rows])
    units = Unit.objects.in_bulk({event.unit_id for event in shown if event.unit_id})
    authors = {author for event in shown if (author := _author(event)) is not None}
    names = names_of(list(User.objects.filter(pk__in=authors)))
    changes = [
        ValueChange(
            at=event.pgh_created_at,
            what=LABELS[event.pgh_label],
            by=names.get(_author(event) or 0, ""),
            via=event.entered_via,
            unit=units.get(event.unit_id),
            day=event.day,
            value=event.value,
            note=event.note,
        )
        for event in shown
    ]
    return changes, visible.count()


def _author(event: Any) -> int | None:
    """The account that entered the value, or that removed it if it was removed."""
    return account_of(event) if LABELS[event.pgh_label] == REMOVED else event.entered_by_id

"""Entering values of hand-kept metrics.

A value belongs to one metric, one unit (or the whole organisation) and one day.  A second one for that day replaces the
first; the history keeps both with their authors.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from django.contrib.auth.models import User
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from core.authorship import changes_by
from core.locks import Lock
from core.write_errors import FieldError, MayNotWriteError
from integrations.enums import UnitOfMeasure
from integrations.models import FactFamily, HandKeptMetric, HandKeptValue
from integrations.models.hand_kept import DECIMAL_PLACES, LONGEST_TEXT, visible_scopes
from integrations.outbox.fact_changes import Change, append_changes
from orgtree.access.access import Access
from orgtree.models import Unit

FIRST_DAY = date(2000, 1, 1)  # earlier days are typos
GREATEST = Decimal(10) ** 12
NEVER_NEGATIVE = (UnitOfMeasure.SECONDS, UnitOfMeasure.PER_DAY, UnitOfMeasure.LINES, UnitOfMeasure.TOKENS)
VIA_PAGE, VIA_FILE, VIA_API = "Page", "CSV file", "API"

ENTERING = Lock("hand-kept values")


class Outcome(StrEnum):
    """The result for an entry, in the terms of the push API."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Entry:
    """A valid value; `unit` is None for the whole organisation, `value` in the metric's unit of measure."""

    metric: HandKeptMetric
    unit: Unit | None
    day: date
    value: Decimal
    note: str = ""


def checked_entry(metric: HandKeptMetric, unit: Unit | None, day: date, value: float | Decimal, note: str) -> Entry:
    """The validated entry.  Raises FieldError, whose field is date, value or note."""
    if day > timezone.localdate():
        raise FieldError("date", f"{day} has not come yet: a value is entered for a day that has begun.")
    if day < FIRST_DAY:
        raise FieldError("date", f"{day} lies before the year 2000.")
    note = " ".join(note.split())
    if len(note) > LONGEST_TEXT:
        raise FieldError("note", f"A note has at most {LONGEST_TEXT} characters; this one has {len(note):,}.")
    if not note.isprintable():
        raise FieldError("note", "It holds a character that cannot be printed.")
    return Entry(metric, unit, day, _checked_value(value, UnitOfMeasure(metric.unit_of_measure)), note)


def may_enter(access: Access, metric: HandKeptMetric, unit_id: int | None) -> bool:
    """Whether the viewer may enter values for that unit; None stands for the whole organisation."""
    if not isinstance(access.viewer, User):
        return False
    return access.visibility.leads(unit_id) or keeps(access, metric)


def keeps(access: Access, metric: HandKeptMetric) -> bool:
    return isinstance(access.viewer, User) and access.viewer in metric.keepers.all()


def enterable_unit(access: Access, metric: HandKeptMetric, slug: str) -> Unit | None:
    """The unit of that slug, for which the viewer may enter values; None for an empty slug, the whole organisation.

    Raises FieldError for an unknown or invisible unit, MayNotWriteError.
    """
    units = Unit.objects.all() if keeps(access, metric) else Unit.objects.within(access.visibility)
    unit = units.filter(slug=slug).first() if slug and "\0" not in slug else None
    if slug and unit is None:
        raise FieldError("unit", f"There is no unit {slug[:80]}, or you may not see it.")
    if not may_enter(access, metric, unit.pk if unit else None):
        whose = f"of {unit.name} are entered by its managers, " if unit else "of the whole organisation are entered "
        raise MayNotWriteError(f"Values {whose}by whoever keeps the metric, executives and admins.")
    return unit


def visible_entries(access: Access, metric: HandKeptMetric) -> Q:
    """The condition on the metric's values, and on their history, that the viewer may see: all for its keepers."""
    of_metric = Q(metric=metric)
    return of_metric if keeps(access, metric) else of_metric & visible_scopes(access.visibility)


def enter_values(access: Access, entries: Sequence[Entry], *, via: str) -> list[Outcome]:
    """Store entries for this viewer, as `store_entries` does.  Raises MayNotWriteError if they may not enter one of
    them.
    """
    account = access.viewer if isinstance(access.viewer, User) else None
    kept = set(HandKeptMetric.objects.filter(keepers=account).values_list("pk", flat=True)) if account else set()
    for entry in entries:
        is_led = account is not None and access.visibility.leads(entry.unit.pk if entry.unit else None)
        if not (is_led or entry.metric.pk in kept):
            raise MayNotWriteError("Values are entered by managers for their units, and by whoever keeps the metric.")
    return store_entries(entries, by=account, via=via)


def store_entries(entries: Iterable[Entry], *, by: User | None, via: str) -> list[Outcome]:
    """Store the entries in order, in one transaction; the last one for a day wins.  `by` is None for a program."""
    outcomes, changes = [], []
    with changes_by(by):
        ENTERING.hold()
        for entry in entries:
            outcomes.append(_stored(entry, by, via))
            if outcomes[-1] is not Outcome.UNCHANGED:
                changes.append(_change(entry.metric, entry.day))
        append_changes(changes)
    return outcomes


def remove_values(values: Sequence[HandKeptValue], *, by: User | None) -> None:
    """Remove the values; the history keeps them."""
    with changes_by(by):
        ENTERING.hold()
        HandKeptValue.objects.filter(pk__in=[value.pk for value in values]).delete()
        append_changes(_change(value.metric, value.day) for value in values)


def _stored(entry: Entry, by: User | None, via: str) -> Outcome:
    there = HandKeptValue.objects.filter(metric=entry.metric, day=entry.day)
    stored = there.filter(unit=entry.unit).first()
    if stored is None:
        HandKeptValue.objects.create(
            metric=entry.metric,
            unit=entry.unit,
            day=entry.day,
            value=entry.value,
            note=entry.note,
            entered_by=by,
            entered_via=via,
        )
        return Outcome.CREATED
    if (stored.value, stored.note) == (entry.value, entry.note):
        return Outcome.UNCHANGED
    there.filter(Q(pk=stored.pk)).update(
        value=entry.value, note=entry.note, entered_by=by, entered_via=via, entered_at=Now()
    )
    return Outcome.UPDATED


def _change(metric: HandKeptMetric, day: date) -> Change:
    """The days on which the value may hold."""
    return Change(FactFamily.HAND_KEPT, day, day + timedelta(days=metric.valid_days))


def _checked_value(value: float | Decimal, unit: UnitOfMeasure) -> Decimal:
    exact = Decimal(str(value))
    if not exact.is_finite():
        raise FieldError("value", "It is no number.")
    if abs(exact) > GREATEST:
        raise FieldError("value", f"It is too large: at most {GREATEST:,}.")
    if exact < 0 and unit in NEVER_NEGATIVE:
        raise FieldError("value", "It cannot be less than 0.")
    return exact.quantize(Decimal(1).scaleb(-DECIMAL_PLACES))

"""When people leave: from that day on they are in no unit and are not counted as enrolled."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from django.db import transaction

from orgtree.models import Person

LeavingListener = Callable[[int, date], None]
_listeners: list[LeavingListener] = []


def on_leaving_changed(listener: LeavingListener) -> None:
    """Register, at start-up, who must know that a person's last day changed.

    The listener gets the person's id and the first day that differs, inside the transaction of the change.
    """
    if listener not in _listeners:
        _listeners.append(listener)


def set_left_on(person: Person, left_on: date | None) -> None:
    """Store the first day on which the person is no longer there; None: still there."""
    with transaction.atomic():
        stored = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        days = [day for day in (stored.left_on, left_on) if day is not None]
        changed = stored.left_on != left_on
        stored.left_on = person.left_on = left_on
        stored.save(update_fields=["left_on"])
        if changed:
            for listener in _listeners:
                listener(person.pk, min(days))

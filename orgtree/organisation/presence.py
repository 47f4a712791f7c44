"""Events for changed days of employment; outside them people are in no unit and not enrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from core.hooks import Hook


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """The person's days of employment changed from this day on (None: on any day)."""

    person_id: int
    since: date | None


PresenceListener = Callable[[Sequence[PresenceChange]], None]
# Called inside the transaction.
presence_listeners: Hook[PresenceListener] = Hook()


def notify_presence_changed(changes: Sequence[PresenceChange]) -> None:
    """Call it after storing employments, in the same transaction."""
    if changes:
        for listener in presence_listeners:
            listener(changes)

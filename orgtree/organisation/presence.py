"""When people are there: on other days they are in no unit and are not counted as enrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """From this day on (None: ever) the person is there on other days than before."""

    person_id: int
    since: date | None


PresenceListener = Callable[[Sequence[PresenceChange]], None]
_listeners: list[PresenceListener] = []


def on_presence_changed(listener: PresenceListener) -> None:
    """Register, at start-up, who must know on which days people are there; called inside that transaction."""
    if listener not in _listeners:
        _listeners.append(listener)


def tell_of_presence(changes: Sequence[PresenceChange]) -> None:
    """For whoever stored employments, in the same transaction."""
    if changes:
        for listener in _listeners:
            listener(changes)

"""Events for changed days of employment; outside them people are in no unit and not enrolled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

from core.hooks import Hook

# Called inside the transaction, with the first changed day of each person (None: any day).
presence_listeners: Hook[Callable[[Sequence[date | None]], None]] = Hook()


def notify_presence_changed(since: Sequence[date | None]) -> None:
    """Call it after storing employments, in the same transaction."""
    if since:
        for listener in presence_listeners:
            listener(since)

"""Sessions that settle: their spend is no longer pending, although no fact of them changed."""

from __future__ import annotations

from django.db import transaction

from insights.metrics.plan import Clock
from insights.models import SnapshotState
from integrations.facts.sessions import append_changes_of_sessions_that_ended


def note_settled(clock: Clock) -> None:
    """Append to the outbox the sessions that settled since this was last done, once an hour."""
    state = SnapshotState.current()
    if state.settled_to == clock.settled_before:
        return
    with transaction.atomic():
        if state.settled_to is not None:
            append_changes_of_sessions_that_ended(state.settled_to, clock.settled_before)
        SnapshotState.objects.filter(pk=state.pk).update(settled_to=clock.settled_before)

"""Backlog of the fold."""

from __future__ import annotations

from integrations.models import ReceivedBatch


def pending_batches() -> int:
    """Stored requests whose events are not folded into sessions yet."""
    return ReceivedBatch.objects.count()

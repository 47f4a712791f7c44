"""Background work on telemetry.  Nudged when something came in, and swept regularly in case a nudge was lost."""

from __future__ import annotations

from celery import shared_task

from integrations.telemetry.fold import fold_received_batches


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def fold_received() -> None:
    fold_received_batches()

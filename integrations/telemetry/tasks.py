"""Background work on telemetry.  Nudged when something came in, and swept regularly in case a nudge was lost."""

from __future__ import annotations

from celery import shared_task

from integrations.telemetry.otlp.retention import drop_expired_days
from integrations.telemetry.otlp.store_tallies import add_up_tallies
from integrations.telemetry.reread import reprocess_unread_events
from integrations.telemetry.sessions.calendar import apply_time_zone
from integrations.telemetry.sessions.fold import fold_received_batches, retry_failed_batches


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def fold_received() -> None:
    """Fold what was received into sessions."""
    apply_time_zone()
    fold_received_batches()
    add_up_tallies()


@shared_task  # type: ignore[untyped-decorator]
def drop_expired() -> None:
    """Drop raw telemetry that was kept long enough, and try again what could not be read or folded."""
    try:
        reprocess_unread_events()  # the last time for what is about to be dropped
    finally:  # nothing is kept longer because it cannot be read
        drop_expired_days()
        retry_failed_batches()


@shared_task  # type: ignore[untyped-decorator]
def read_again() -> None:
    """Read again what was not understood, because somebody said what it means."""
    reprocess_unread_events()

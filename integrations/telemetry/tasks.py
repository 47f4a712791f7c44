"""Background tasks of telemetry.  Nudged when data arrives, and swept regularly in case a nudge was lost."""

from __future__ import annotations

from celery import shared_task

from integrations.telemetry.otlp.retention import drop_expired_days
from integrations.telemetry.otlp.store_tallies import add_up_tallies
from integrations.telemetry.reread import reprocess_unread_events
from integrations.telemetry.sessions.calendar import apply_time_zone
from integrations.telemetry.sessions.fold import fold_received_batches, retry_failed_batches
from integrations.telemetry.sessions.places import resolve_again


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def fold_received() -> None:
    """Fold received batches into sessions."""
    apply_time_zone()
    fold_received_batches()
    add_up_tallies()


@shared_task  # type: ignore[untyped-decorator]
def drop_expired() -> None:
    """Drop expired raw telemetry, and retry unread records, failed batches and unknown places."""
    try:
        reprocess_unread_events()  # the last chance for rows about to be dropped
    finally:  # a failure must not extend retention
        drop_expired_days()
        retry_failed_batches()
        resolve_again()


@shared_task  # type: ignore[untyped-decorator]
def read_again() -> None:
    """Reprocess unread records after a mapping changed."""
    reprocess_unread_events()

"""Background tasks of telemetry.  Triggered when data arrives, and swept regularly in case a trigger was lost."""

from __future__ import annotations

from celery import shared_task

from integrations.telemetry.otlp.retention import drop_expired_days
from integrations.telemetry.otlp.store_tallies import add_up_tallies
from integrations.telemetry.prices.library_update import apply_price_book
from integrations.telemetry.reread import reprocess_unread_events
from integrations.telemetry.seats.changed_days import announce_today
from integrations.telemetry.sessions.calendar import apply_time_zone
from integrations.telemetry.sessions.fold import fold_received_batches, retry_failed_batches
from integrations.telemetry.sessions.places import resolve_again
from integrations.telemetry.sessions.reprice import reprice_waiting_rows
from integrations.telemetry.usage_files.counted import recompute_usage


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


@shared_task  # type: ignore[untyped-decorator]
def reprice_waiting() -> None:
    """Process queued repricings; triggered when an override changes."""
    apply_price_book()
    reprice_waiting_rows()


@shared_task  # type: ignore[untyped-decorator]
def recompute_imported_usage() -> None:
    """Recompute which imported rows count; triggered when telemetry of the same people arrives."""
    recompute_usage()


@shared_task  # type: ignore[untyped-decorator]
def count_seats_of_today() -> None:
    """Append the cost of the new day's seats to the outbox."""
    announce_today()

"""Background work on seats."""

from __future__ import annotations

from celery import shared_task

from integrations.telemetry.seats.changed_days import announce_today


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def count_seats_of_today() -> None:
    """Append the cost of the new day's seats to the outbox."""
    announce_today()

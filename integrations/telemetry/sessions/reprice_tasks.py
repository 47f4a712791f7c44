"""Background work on prices: swept every minute, and nudged when an override changes."""

from __future__ import annotations

from celery import shared_task

from integrations.telemetry.prices.library_update import apply_price_book
from integrations.telemetry.sessions.reprice import reprice_waiting_rows


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def reprice_waiting() -> None:
    """Process queued repricings."""
    apply_price_book()
    reprice_waiting_rows()

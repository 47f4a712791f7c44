"""Deliveries are taken in the background: nudged when one arrives, and swept regularly."""

from __future__ import annotations

from celery import shared_task


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def take_deliveries() -> None:
    """Take what waits; whatever is left after a turn is found by the next nudge or sweep."""
    from integrations.webhooks.process import take_waiting

    take_waiting()


@shared_task  # type: ignore[untyped-decorator]
def register_hooks() -> None:
    """Register the webhooks that are missing, and remove those that are not wanted any more."""
    from integrations.webhooks.register import register_waiting

    register_waiting()


@shared_task  # type: ignore[untyped-decorator]
def forget_deliveries() -> None:
    """Drop what is only kept to recognise a delivery that comes again."""
    from integrations.webhooks.process import forget_old_deliveries

    forget_old_deliveries()

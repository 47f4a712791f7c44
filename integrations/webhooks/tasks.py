"""Deliveries are processed in the background: nudged when one arrives, and swept regularly."""

from __future__ import annotations

from celery import shared_task

from integrations.webhooks.process import forget_old_deliveries, process_waiting
from integrations.webhooks.register import register_waiting


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def process_deliveries() -> None:
    """Process waiting deliveries; the next nudge or sweep finds the rest."""
    process_waiting()


@shared_task  # type: ignore[untyped-decorator]
def register_hooks() -> None:
    """Register missing webhooks, and remove those that are no longer needed."""
    register_waiting()


@shared_task  # type: ignore[untyped-decorator]
def forget_deliveries() -> None:
    """Delete deliveries that are kept only to recognise repeated ones."""
    forget_old_deliveries()

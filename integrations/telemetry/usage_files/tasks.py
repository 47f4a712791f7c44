"""Background tasks of imported usage: nudged when telemetry of the same people arrives, and swept."""

from __future__ import annotations

from celery import shared_task

from integrations.telemetry.usage_files.counted import recompute_usage


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def settle_usage_files() -> None:
    """Recompute which imported rows count."""
    recompute_usage()

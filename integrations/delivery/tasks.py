"""Background work on stored records: nudged when something changes, and swept regularly."""

from __future__ import annotations

from celery import shared_task

from integrations.delivery.recompute import recompute_missing_figures, recompute_waiting_pull_requests


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def recompute_pull_requests() -> None:
    """Recompute pull requests affected by changes of other records."""
    recompute_waiting_pull_requests()


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def compute_missing_figures() -> None:
    """Compute the figures of work items and pipeline runs stored before there were any."""
    recompute_missing_figures()

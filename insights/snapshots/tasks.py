"""The background's part: refreshing cells after facts changed, and filling all of them at night."""

from __future__ import annotations

from celery import shared_task

from insights.snapshots import filling
from insights.snapshots import refresh as refreshing


@shared_task(name="insights.snapshots.tasks.refresh", ignore_result=True)  # type: ignore[untyped-decorator]
def refresh() -> None:
    """Nudged after facts changed; beat sends it every few seconds too, for nudges that were lost."""
    refreshing.refresh()


@shared_task(name="insights.snapshots.tasks.fill_nightly", ignore_result=True)  # type: ignore[untyped-decorator]
def fill_nightly() -> None:
    """Compute everything anew: the same cells come out, unless something went wrong in between."""
    filling.fill_everything()

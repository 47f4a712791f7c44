"""Background tasks: refresh of stale partitions, clean-up, and the nightly check."""

from __future__ import annotations

import threading

from celery import shared_task

from core.nudges import nudge_on_commit
from insights.columns import refresh as refreshing
from insights.columns.check import check_columns
from insights.columns.folder import delete_orphans
from insights.columns.stale import mark_broken, mark_damaged
from insights.columns.table_changes import shorten

# A first build takes minutes: repeated tasks from beat must not occupy all threads of the worker.
_one_in_this_process = threading.Lock()
_rests = refreshing.Rests()


@shared_task(name="insights.columns.tasks.refresh", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def refresh() -> None:
    """Rebuild stale partitions.  Nudged after facts changed; beat also sends it every few seconds in case a nudge was
    lost.
    """
    if _one_in_this_process.acquire(blocking=False):
        try:
            refreshing.refresh(rests=_rests)
        finally:
            _one_in_this_process.release()


@shared_task(name="insights.columns.tasks.tidy", ignore_result=True)  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Mark partitions with missing or truncated files, and delete files that are no longer referenced."""
    mark_broken()
    delete_orphans()
    shorten()


@shared_task(name="insights.columns.tasks.check_files", ignore_result=True)  # type: ignore[untyped-decorator]
def check_files() -> None:
    """Rebuild damaged files.  Nudged when a file could not be read."""
    if mark_damaged():
        nudge_on_commit(refresh)


@shared_task(name="insights.columns.tasks.check_nightly", ignore_result=True)  # type: ignore[untyped-decorator]
def check_nightly() -> None:
    """Compare all partitions with PostgreSQL; differences are logged as errors, and the partitions rebuilt."""
    check_columns()

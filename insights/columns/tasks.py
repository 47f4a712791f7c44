"""The background's part: building what is stale, clearing up, and the nightly check."""

from __future__ import annotations

import threading

from celery import shared_task

from core.nudges import nudge_on_commit
from insights.columns import refresh as refreshing
from insights.columns.check import check_columns
from insights.columns.folder import delete_orphans
from insights.columns.stale import mark_broken, mark_damaged

# A first build takes minutes: it must not take all threads of the worker, to which beat sends one round after another.
_one_in_this_process = threading.Lock()


@shared_task(name="insights.columns.tasks.refresh", ignore_result=True)  # type: ignore[untyped-decorator]  # Celery has no types
def refresh() -> None:
    """Nudged after facts changed; beat sends it every few seconds too, for nudges that were lost."""
    if _one_in_this_process.acquire(blocking=False):
        try:
            refreshing.refresh()
        finally:
            _one_in_this_process.release()


@shared_task(name="insights.columns.tasks.tidy", ignore_result=True)  # type: ignore[untyped-decorator]
def tidy() -> None:
    """Notice files that are missing or cut off, and delete those that no partition names."""
    mark_broken()
    delete_orphans()


@shared_task(name="insights.columns.tasks.check_files", ignore_result=True)  # type: ignore[untyped-decorator]
def check_files() -> None:
    """Nudged by whoever could not read a file: those that are not what was written are built again."""
    if mark_damaged():
        nudge_on_commit(refresh)


@shared_task(name="insights.columns.tasks.check_nightly", ignore_result=True)  # type: ignore[untyped-decorator]
def check_nightly() -> None:
    """Compare all partitions with PostgreSQL; a difference is logged as an error, and built again."""
    check_columns()

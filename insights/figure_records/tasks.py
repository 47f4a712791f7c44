"""Background tasks of figure records."""

from __future__ import annotations

from celery import shared_task

from insights.figure_records.recording import record_figures


@shared_task(name="insights.figure_records.tasks.record", ignore_result=True)  # type: ignore[untyped-decorator]
def record() -> None:
    """Every night: record the periods that have closed."""
    record_figures()

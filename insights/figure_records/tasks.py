"""The background's part of the record of figures."""

from __future__ import annotations

from celery import shared_task

from insights.figure_records.recording import record_figures


@shared_task(name="insights.figure_records.tasks.record", ignore_result=True)  # type: ignore[untyped-decorator]
def record() -> None:
    """Each night, of the periods that have closed."""
    record_figures()

"""Background tasks of forecasts."""

from __future__ import annotations

from celery import shared_task

from insights.forecasts.records import record_forecasts


@shared_task(name="insights.forecasts.tasks.record", ignore_result=True)  # type: ignore[untyped-decorator]
def record() -> None:
    """Every night: record the forecasts of open epics and versions, and how earlier ones ended."""
    record_forecasts()

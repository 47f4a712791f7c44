"""Background tasks of forecasts."""

from __future__ import annotations

from celery import shared_task

from insights.forecasts.records import record_forecasts
from insights.forecasts.sprint_records import record_sprints


@shared_task(name="insights.forecasts.tasks.record", ignore_result=True)  # type: ignore[untyped-decorator]
def record() -> None:
    """Record every night the forecasts of open epics, versions and sprints, and how earlier ones ended."""
    record_forecasts()
    record_sprints()

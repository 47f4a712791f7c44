"""The background's part: everybody's figures, ready before anybody looks."""

from __future__ import annotations

from celery import shared_task

from insights.metrics.kept_comparisons import compare_ahead
from insights.metrics.kept_effects import answer_ahead
from insights.people_figures.kinds import KINDS
from insights.people_figures.store import bring_up_to_date


@shared_task(name="insights.people_figures.tasks.keep", ignore_result=True)  # type: ignore[untyped-decorator]
def keep() -> None:
    """Swept every minute; what is up to date is left alone."""
    bring_up_to_date(KINDS)
    answer_ahead()
    compare_ahead()

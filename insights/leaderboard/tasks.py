"""The background's part: everybody's figures, ready before anybody looks."""

from __future__ import annotations

from celery import shared_task

from insights.leaderboard import keeping


@shared_task(name="insights.leaderboard.tasks.keep_people_figures", ignore_result=True)  # type: ignore[untyped-decorator]
def keep_people_figures() -> None:
    """Swept every minute; what is up to date is left alone."""
    keeping.keep_people_figures()

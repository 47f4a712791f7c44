"""What the worker does for the program, by the schedule in config/schedule.py."""

from __future__ import annotations

from celery import shared_task

from programs.services.tickets.effects import measure_effects


@shared_task(name="programs.tasks.measure_tickets", ignore_result=True)  # type: ignore[untyped-decorator]
def measure_tickets() -> None:
    """What became of the metrics of tickets that were done four weeks ago."""
    measure_effects()

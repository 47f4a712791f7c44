"""What the worker does for the program, by the schedule in config/schedule.py."""

from __future__ import annotations

from celery import shared_task

from programs.key_results.services import measuring
from programs.reminders.services import outbox, sending, telling
from programs.tickets.services.effects import measure_effects


@shared_task(name="programs.tasks.measure_tickets", ignore_result=True)  # type: ignore[untyped-decorator]
def measure_tickets() -> None:
    """What became of the metrics of tickets that were done four weeks ago."""
    measure_effects()


@shared_task(name="programs.tasks.plan_reminders", ignore_result=True)  # type: ignore[untyped-decorator]
def plan_reminders() -> None:
    """Who is to be told what today."""
    telling.plan_reminders()


@shared_task(name="programs.tasks.send_letters", ignore_result=True)  # type: ignore[untyped-decorator]
def send_letters() -> None:
    """What waits in the outbox."""
    sending.take_turn()


@shared_task(name="programs.tasks.forget_old_messages", ignore_result=True)  # type: ignore[untyped-decorator]
def forget_old_messages() -> None:
    """Notices and letters of half a year ago."""
    outbox.forget_old_messages()


@shared_task(name="programs.tasks.measure_objectives", ignore_result=True)  # type: ignore[untyped-decorator]
def measure_objectives() -> None:
    """How key results of open quarters go."""
    measuring.measure_objectives()

"""Celery tasks of the program, run by the schedule in config/schedule.py."""

from __future__ import annotations

from celery import shared_task

from insights.query.windows import local_today
from programs.alerts import watching
from programs.budgets.services.alerting import alert_of_budgets
from programs.digests import making
from programs.experiments.services.measuring import measure_experiments
from programs.experiments.services.pilots import measure_pilots
from programs.key_results.services import measuring
from programs.meetings.services.planning import make_meetings_ahead
from programs.meetings.services.reminding import remind_of_meetings
from programs.mirrors.services import syncing
from programs.reminders.services import outbox, sending
from programs.reminders.services import planning as telling
from programs.report.services import recommending, rewriting
from programs.tickets.services.effects import measure_effects


@shared_task(name="programs.tasks.measure_tickets", ignore_result=True)  # type: ignore[untyped-decorator]
def measure_tickets() -> None:
    """Measures the effect of tickets completed four weeks ago, experiments that are over, and the figures of pilots."""
    measure_effects()
    measure_experiments()
    measure_pilots()


@shared_task(name="programs.tasks.count_releases", ignore_result=True)  # type: ignore[untyped-decorator]
def count_releases() -> None:
    """Stores the releases of every team, for the comparison of teams in reports."""
    recommending.store_team_totals(local_today())


@shared_task(name="programs.tasks.sync_mirrors", ignore_result=True)  # type: ignore[untyped-decorator]
def sync_mirrors() -> None:
    """Keeps mirrored tickets and their issues in step."""
    syncing.sync_mirrors()


@shared_task(name="programs.tasks.plan_reminders", ignore_result=True)  # type: ignore[untyped-decorator]
def plan_reminders() -> None:
    """Creates the notices that are due today."""
    telling.plan_reminders()


@shared_task(name="programs.tasks.plan_meetings", ignore_result=True)  # type: ignore[untyped-decorator]
def plan_meetings() -> None:
    """Creates the meetings of the next six months, and the notices of meetings that are due."""
    make_meetings_ahead()
    remind_of_meetings()


@shared_task(name="programs.tasks.watch_budgets", ignore_result=True)  # type: ignore[untyped-decorator]
def watch_budgets() -> None:
    """Creates the notices of budgets that have reached a threshold."""
    alert_of_budgets()


@shared_task(name="programs.tasks.watch_metrics", ignore_result=True)  # type: ignore[untyped-decorator]
def watch_metrics() -> None:
    """Checks the limits that accounts set for metrics."""
    watching.watch_metrics()


@shared_task(name="programs.tasks.make_digests", ignore_result=True)  # type: ignore[untyped-decorator]
def make_digests() -> None:
    """Creates the digests that are due."""
    making.make_digests()


@shared_task(name="programs.tasks.word_reports", ignore_result=True)  # type: ignore[untyped-decorator]
def word_reports() -> None:
    """Asks the language model for pending rewordings of reports."""
    rewriting.word_reports()


@shared_task(name="programs.tasks.send_emails", ignore_result=True)  # type: ignore[untyped-decorator]
def send_emails() -> None:
    """Sends the outbox."""
    sending.run_slice()


@shared_task(name="programs.tasks.forget_old_messages", ignore_result=True)  # type: ignore[untyped-decorator]
def forget_old_messages() -> None:
    """Deletes notices, digests and e-mails older than half a year."""
    outbox.forget_old_messages()


@shared_task(name="programs.tasks.measure_objectives", ignore_result=True)  # type: ignore[untyped-decorator]
def measure_objectives() -> None:
    """Measures key results of open quarters."""
    measuring.measure_objectives()

"""The initial task schedule; afterwards it is edited in admin.

The Celery application reads the table before there are models.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings


@dataclass(frozen=True)
class Every:
    seconds: int


@dataclass(frozen=True)
class Nightly:
    """Once a day, in the organisation's time zone."""

    hour: int
    minute: int


@dataclass(frozen=True)
class Entry:
    name: str
    task: str
    when: Every | Nightly


SCHEDULE = (
    Entry("Fold received telemetry", "integrations.telemetry.tasks.fold_received", Every(seconds=5)),
    Entry("Read repositories", "integrations.sync.git.tasks.sync_sources", Every(seconds=60)),
    Entry("Sync line histories", "integrations.sync.git.tasks.sync_requested_line_histories", Every(seconds=60)),
    Entry("Process webhook deliveries", "integrations.webhooks.tasks.process_deliveries", Every(seconds=10)),
    Entry("Register webhooks", "integrations.webhooks.tasks.register_hooks", Every(seconds=60)),
    Entry("Sync connections", "integrations.sync.tasks.sync_streams", Every(seconds=10)),
    Entry("Delete removed connections", "integrations.sync.tasks.delete_unwanted", Every(seconds=60)),
    Entry("Place waiting records", "integrations.sync.tasks.place_unplaced", Every(seconds=60)),
    Entry("List resources", "integrations.sync.tasks.discover", Every(seconds=60)),
    Entry("Match identities", "orgtree.tasks.match_identities", Every(seconds=5)),
    Entry("Derive attribution", "integrations.code.attribution.tasks.attribute", Every(seconds=10)),
    Entry("Number large repositories", "integrations.delivery.rules.place_waiting", Every(seconds=10)),
    Entry("Apply working agreements", "integrations.delivery.agreements.apply.apply_agreements", Every(seconds=60)),
    Entry("Label pull requests", "integrations.sync.label_pull_requests.mark_pull_requests", Every(seconds=60)),
    Entry("Apply linking rules", "integrations.delivery.rules.apply_rules", Every(seconds=60)),
    Entry("Apply bulk thresholds", "integrations.sync.git.tasks.apply_thresholds", Every(seconds=60)),
    Entry("Recompute pull requests", "integrations.delivery.tasks.recompute_pull_requests", Every(seconds=10)),
    Entry("Measure people's time", "integrations.delivery.allocation.measure.measure_effort", Every(seconds=60)),
    Entry("Reprice requests", "integrations.telemetry.tasks.reprice_waiting", Every(seconds=60)),
    Entry("Recompute imported usage", "integrations.telemetry.tasks.recompute_imported_usage", Every(seconds=60)),
    Entry("Watch for silence", "integrations.silence.watch.watch_silence", Every(seconds=3600)),
    Entry("Refresh columns", "insights.columns.tasks.refresh", Every(seconds=5)),
    Entry("Tidy columns", "insights.columns.tasks.tidy", Every(seconds=60)),
    Entry(
        "Predict work types",
        "integrations.delivery.work_types.predicting.predict_work_types",
        Nightly(hour=2, minute=20),
    ),
    Entry("Update Org Trees", "orgtree.tasks.update_trees", Nightly(hour=0, minute=5)),
    Entry("Count seats of today", "integrations.telemetry.tasks.count_seats_of_today", Nightly(hour=0, minute=1)),
    Entry("Drop expired telemetry", "integrations.telemetry.tasks.drop_expired", Nightly(hour=1, minute=30)),
    Entry("Delete old webhook deliveries", "integrations.webhooks.tasks.forget_deliveries", Nightly(hour=1, minute=45)),
    Entry("Compute missing figures", "integrations.delivery.tasks.compute_missing_figures", Nightly(hour=2, minute=0)),
    Entry("Plan reminders", "programs.tasks.plan_reminders", Every(seconds=900)),
    Entry("Plan meetings", "programs.tasks.plan_meetings", Every(seconds=900)),
    Entry("Watch budgets", "programs.tasks.watch_budgets", Every(seconds=900)),
    Entry("Watch metrics", "programs.tasks.watch_metrics", Every(seconds=3600)),
    Entry("Make digests", "programs.tasks.make_digests", Every(seconds=900)),
    Entry("Send e-mails", "programs.tasks.send_emails", Every(seconds=60)),
    Entry("Word reports", "programs.tasks.word_reports", Every(seconds=60)),
    Entry("Delete old messages", "programs.tasks.forget_old_messages", Nightly(hour=3, minute=45)),
    Entry("Sync ticket mirrors", "programs.tasks.sync_mirrors", Every(seconds=10)),
    Entry("Measure tickets", "programs.tasks.measure_tickets", Nightly(hour=3, minute=30)),
    Entry("Count releases of teams", "programs.tasks.count_releases", Nightly(hour=3, minute=20)),
    Entry("Measure objectives", "programs.tasks.measure_objectives", Every(seconds=3600)),
    Entry("Record figures", "insights.figure_records.tasks.record", Nightly(hour=2, minute=30)),
    Entry("Record forecasts", "insights.forecasts.tasks.record", Nightly(hour=2, minute=45)),
    Entry("Look for findings", "insights.findings.night.look_for_findings", Nightly(hour=3, minute=0)),
    Entry("Check columns", "insights.columns.tasks.check_nightly", Nightly(hour=4, minute=15)),
)
TASK_MODULES = sorted({entry.task.rpartition(".")[0] for entry in SCHEDULE})
# A sweep that has not started by then is pointless: the next one is due.
SWEEP_EXPIRES_SECONDS = 60
OWN_PACKAGES = ("insights", "integrations", "orgtree", "programs")


def seed_schedule() -> None:
    """Add missing entries by name; existing entries keep an admin's changes.

    Entries follow a task that was moved or renamed, and those of removed tasks, which workers would reject each time,
    are deleted.
    """
    from django_celery_beat.models import PeriodicTask

    from config.celery import app

    tasks = {entry.name: entry.task for entry in SCHEDULE}
    own = PeriodicTask.objects.filter(task__regex=f"^({'|'.join(OWN_PACKAGES)})[.]")
    for outdated in own.exclude(task__in=tasks.values()):
        app.loader.import_default_modules()
        if outdated.task in app.tasks:
            continue  # an admin schedules a task that otherwise is only nudged
        if outdated.name in tasks:
            outdated.task = tasks[outdated.name]
            outdated.save()
        else:
            outdated.delete()
    names = set(PeriodicTask.objects.values_list("name", flat=True))
    for entry in SCHEDULE:
        if entry.name not in names:
            _add(entry)


def _add(entry: Entry) -> None:
    from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

    if isinstance(entry.when, Every):
        interval, _ = IntervalSchedule.objects.get_or_create(every=entry.when.seconds, period=IntervalSchedule.SECONDS)
        PeriodicTask.objects.create(
            name=entry.name, task=entry.task, interval=interval, expire_seconds=SWEEP_EXPIRES_SECONDS
        )
        return
    crontab, _ = CrontabSchedule.objects.get_or_create(
        hour=str(entry.when.hour),
        minute=str(entry.when.minute),
        day_of_week="*",
        day_of_month="*",
        month_of_year="*",
        timezone=settings.TIME_ZONE,
    )
    PeriodicTask.objects.create(name=entry.name, task=entry.task, crontab=crontab)

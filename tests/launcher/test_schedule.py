"""The task schedule is updated across releases."""

from __future__ import annotations

from importlib import import_module

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config.schedule import SCHEDULE, seed_schedule

pytestmark = pytest.mark.django_db


def test_tasks_that_a_release_took_away_go_and_all_others_stay_as_they_are() -> None:
    seed_schedule()
    PeriodicTask.objects.filter(name=SCHEDULE[0].name).update(enabled=False)
    often = IntervalSchedule.objects.first()
    for name, task in (
        ("Keep figures of everybody", "insights.people_figures.tasks.keep"),
        ("Of an admin", "insights.columns.tasks.tidy"),
        ("Of an admin, too", "insights.columns.tasks.check_files"),
        ("Of a library", "celery_library_that_is_not_here.tasks.sweep"),
    ):
        PeriodicTask.objects.create(name=name, task=task, interval=often)
    seed_schedule()
    names = set(PeriodicTask.objects.values_list("name", flat=True))
    assert names == {entry.name for entry in SCHEDULE} | {"Of an admin", "Of an admin, too", "Of a library"}
    assert not PeriodicTask.objects.get(name=SCHEDULE[0].name).enabled


def test_an_entry_follows_its_task_to_another_module_as_an_admin_left_it() -> None:
    seed_schedule()
    entry = SCHEDULE[1]
    seldom = IntervalSchedule.objects.create(every=7, period=IntervalSchedule.HOURS)
    PeriodicTask.objects.filter(name=entry.name).update(task="integrations.git.tasks.sync_sources", interval=seldom)
    seed_schedule()
    moved = PeriodicTask.objects.get(name=entry.name)
    assert (moved.task, moved.interval) == (entry.task, seldom)


def test_every_task_of_the_schedule_exists() -> None:
    for entry in SCHEDULE:
        module, _, function = entry.task.rpartition(".")
        assert callable(getattr(import_module(module), function)), entry.task

"""Pipeline runs beside the stories of tests/worked: what later tellings and owners change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db import transaction

from insights.query.query import Window
from integrations.enums import Kind
from integrations.intake.deleted_records import mark_deleted
from integrations.models import FactChange
from tests.delivery.work_items.tracker import HOUR, Tracker, at, figure, on, values, week_of
from tests.org import Org


@pytest.fixture
def tracker(db: None) -> Tracker:
    return Tracker()


def test_what_is_tried_again_is_counted_when_that_finishes(tracker: Tracker) -> None:
    tracker.tell(tracker.run("1/1", "aaa", "failure", "03-09 10:00", "03-09 10:10"))
    assert figure("ci.success_rate", week_of("03-09")).value == 0
    tracker.tell(tracker.run("1/2", "aaa", "running", "03-16 10:00", None, attempt=2))
    assert figure("ci.success_rate", week_of("03-09")).value is None
    tracker.tell(tracker.run("1/2", "aaa", "success", "03-16 10:00", "03-16 11:00", attempt=2))
    assert figure("ci.success_rate", week_of("03-09")).value is None
    assert figure("ci.success_rate", week_of("03-16")).value == 100
    assert figure("ci.duration", week_of("03-16")).value == HOUR


def test_attempts_without_a_commit_are_together_as_the_provider_says(tracker: Tracker) -> None:
    tracker.tell(
        tracker.run("1/1", "", "failure", "03-09 10:00", "03-09 10:10"),
        tracker.run("1/2", "", "success", "03-09 11:00", "03-09 11:10", attempt=2),
        tracker.run("2/1", "", "failure", "03-09 12:00", "03-09 12:10"),
    )
    rate = figure("ci.success_rate", week_of("03-09"))
    assert (rate.numerator, rate.denominator) == (1, 2)


def test_a_commit_that_arrives_later_joins_its_run_and_leaves_the_other(tracker: Tracker) -> None:
    tracker.tell(
        tracker.run("1", "aaa", "failure", "03-09 10:00", "03-09 10:10"),
        tracker.run("2", "aaa", "failure", "03-09 11:00", "03-09 11:10"),
        tracker.run("3", "bbb", "success", "03-10 10:00", "03-10 10:10"),
    )
    assert figure("ci.flaky_rate", week_of("03-09")).value == 0
    run = tracker.run("2", "bbb", "failure", "03-09 11:00", "03-09 11:10")
    tracker.tell(replace(run, updated_at=at("03-11 10:00")))
    # Commit bbb failed first and then succeeded; of aaa the other attempt is left, which failed.
    rate = figure("ci.flaky_rate", week_of("03-09"))
    assert (rate.numerator, rate.denominator) == (1, 2)
    with transaction.atomic():
        mark_deleted(tracker.connection, Kind.PIPELINE_RUN, ["3"])
    rate = figure("ci.success_rate", week_of("03-09"))
    assert (rate.numerator, rate.denominator) == (0, 2)


def test_runs_count_for_the_owner_of_their_repository_then(tracker: Tracker, org: Org) -> None:
    org.tree("Teams")
    for unit in ("red", "blue"):
        org.unit(unit.title(), below="teams")
    call_command("own", "acme/shop", "red", "--to", "2026-03-16")
    call_command("own", "acme/shop", "blue", "--from", "2026-03-16")
    tracker.tell(
        tracker.run("1", "aaa", "failure", "03-15 23:00", "03-15 23:59"),
        tracker.run("2", "bbb", "success", "03-15 23:00", "03-16 00:00"),
    )
    weeks = Window(on("03-09"), on("03-23"))
    assert values("ci.success_rate", weeks, unit="red") == [0, None]
    assert values("ci.success_rate", weeks, unit="blue") == [None, 100]
    assert values("ci.success_rate", weeks, unit="teams") == [0, 100]


def test_the_outbox_has_the_days_on_which_a_run_counts_and_counted(tracker: Tracker) -> None:
    tracker.tell(tracker.run("1/1", "aaa", "failure", "03-09 10:00", "03-09 10:10"))
    FactChange.objects.all().delete()
    tracker.tell(tracker.run("1/2", "aaa", "success", "03-16 10:00", "03-16 11:00", attempt=2))
    changes = FactChange.objects.filter(family="pipeline").order_by("day_from")
    assert [change.day_from for change in changes] == [on("03-09"), on("03-16")]

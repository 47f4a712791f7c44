"""Pipeline runs: worked examples, each of which can be checked by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db import transaction

from insights.metrics.query import Window
from integrations.connectors.words import Kind
from integrations.intake.gone import mark_deleted
from integrations.models import FactChange, Owned
from tests.org import Org
from tests.work.tracker import HOUR, Tracker, at, figure, on, values, week_of

MINUTE = 60.0


@pytest.fixture
def tracker(db: None) -> Tracker:
    return Tracker()


def test_attempts_of_one_commit_are_one_run_which_is_what_the_last_one_is(tracker: Tracker) -> None:
    tracker.tell(
        # run        commit  came to      started        finished
        tracker.run("1/1", "aaa", "failure", "03-09 10:00", "03-09 10:10"),
        tracker.run("1/2", "aaa", "success", "03-09 11:00", "03-09 11:30", attempt=2),
        tracker.run("2/1", "bbb", "failure", "03-10 10:00", "03-10 10:20"),
        tracker.run("3/1", "ccc", "cancelled", "03-10 11:00", "03-10 11:01"),
        tracker.run("4/1", "ddd", "success", "03-11 10:00", "03-11 10:10"),
        tracker.run("5/1", "eee", "running", "03-11 12:00", None),
    )
    week = week_of("03-09")
    # Finished and not cancelled: commits aaa, bbb and ddd; aaa and ddd succeeded, aaa only when it was tried again.
    rate = figure("ci.success_rate", week)
    assert (rate.numerator, rate.denominator) == (2, 3)
    assert figure("ci.flaky_rate", week).value == pytest.approx(100 / 3)
    assert figure("ci.duration", week).value == 15 * MINUTE  # of 30, 20, 1 and 10


def test_what_is_tried_again_is_counted_when_that_finishes(tracker: Tracker) -> None:
    tracker.tell(tracker.run("1/1", "aaa", "failure", "03-09 10:00", "03-09 10:10"))
    assert figure("ci.success_rate", week_of("03-09")).value == 0
    tracker.tell(tracker.run("1/2", "aaa", "running", "03-16 10:00", None, attempt=2))
    assert figure("ci.success_rate", week_of("03-09")).value is None
    tracker.tell(tracker.run("1/2", "aaa", "success", "03-16 10:00", "03-16 11:00", attempt=2))
    assert figure("ci.success_rate", week_of("03-09")).value is None
    assert figure("ci.success_rate", week_of("03-16")).value == 100
    assert figure("ci.duration", week_of("03-16")).value == HOUR


def test_the_queue_is_that_of_jobs_and_of_the_run_where_no_job_is_known(tracker: Tracker) -> None:
    tracker.tell(
        tracker.run(
            *("1/1", "aaa", "success", "03-09 10:00", "03-09 11:00"),
            queued="03-09 09:00",  # what the jobs waited counts instead
            jobs=[("03-09 10:00", "03-09 10:02"), ("03-09 10:00", "03-09 10:06")],
        ),
        tracker.run("2/1", "bbb", "failure", "03-09 10:10", "03-09 11:00", queued="03-09 10:00"),
    )
    told = figure("ci.queue_time", week_of("03-09"))
    assert (told.value, told.sample_size) == (6 * MINUTE, 3)  # of 2, 6 and 10


def test_attempts_without_a_commit_are_together_as_the_provider_says(tracker: Tracker) -> None:
    tracker.tell(
        tracker.run("1/1", "", "failure", "03-09 10:00", "03-09 10:10"),
        tracker.run("1/2", "", "success", "03-09 11:00", "03-09 11:10", attempt=2),
        tracker.run("2/1", "", "failure", "03-09 12:00", "03-09 12:10"),
    )
    rate = figure("ci.success_rate", week_of("03-09"))
    assert (rate.numerator, rate.denominator) == (1, 2)


def test_other_pipelines_and_branches_of_a_commit_are_other_runs(tracker: Tracker) -> None:
    tracker.tell(
        tracker.run("1", "aaa", "failure", "03-09 10:00", "03-09 10:10"),
        tracker.run("2", "aaa", "success", "03-09 10:00", "03-09 10:10", name="Lint"),
        tracker.run("3", "aaa", "success", "03-09 11:00", "03-09 11:10", branch="next"),
    )
    assert figure("ci.success_rate", week_of("03-09")).denominator == 3
    assert figure("ci.flaky_rate", week_of("03-09")).value == 0


def test_a_commit_that_is_told_later_joins_its_run_and_leaves_the_other(tracker: Tracker) -> None:
    tracker.tell(
        tracker.run("1", "aaa", "failure", "03-09 10:00", "03-09 10:10"),
        tracker.run("2", "aaa", "failure", "03-09 11:00", "03-09 11:10"),
        tracker.run("3", "bbb", "success", "03-10 10:00", "03-10 10:10"),
    )
    assert figure("ci.flaky_rate", week_of("03-09")).value == 0
    told = tracker.run("2", "bbb", "failure", "03-09 11:00", "03-09 11:10")
    tracker.tell(replace(told, updated_at=at("03-11 10:00")))
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


def test_the_outbox_is_told_of_the_days_on_which_a_run_counts_and_counted(tracker: Tracker) -> None:
    tracker.tell(tracker.run("1/1", "aaa", "failure", "03-09 10:00", "03-09 10:10"))
    FactChange.objects.all().delete()
    tracker.tell(tracker.run("1/2", "aaa", "success", "03-16 10:00", "03-16 11:00", attempt=2))
    told = FactChange.objects.filter(family="pipeline").order_by("day_from")
    assert [each.day_from for each in told] == [on("03-09"), on("03-16")]
    assert {each.owned_id for each in told} == {Owned.objects.get(kind="repository").pk}

"""Pipeline runs: worked examples, each of which can be checked by hand."""

from __future__ import annotations

import pytest

from tests.work.tracker import HOUR, Tracker, figure, week_of

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
    assert figure("ci.duration", week).value == 20 * MINUTE  # of 30, 20 and 10


def test_what_is_tried_again_is_counted_when_that_finishes(tracker: Tracker) -> None:
    tracker.tell(tracker.run("1/1", "aaa", "failure", "03-09 10:00", "03-09 10:10"))
    assert figure("ci.success_rate", week_of("03-09")).value == 0
    tracker.tell(tracker.run("1/2", "aaa", "running", "03-16 10:00", None, attempt=2))
    assert figure("ci.success_rate", week_of("03-09")).value is None
    tracker.tell(tracker.run("1/2", "aaa", "success", "03-16 10:00", "03-16 11:00", attempt=2))
    assert figure("ci.success_rate", week_of("03-09")).value is None
    assert figure("ci.success_rate", week_of("03-16")).value == 100
    assert figure("ci.duration", week_of("03-16")).value == HOUR

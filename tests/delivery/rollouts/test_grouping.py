"""Grouping of deployments to production into rollouts, and their outcomes: each rule as a few parts of one day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from integrations.delivery.rollouts.grouping import Part, representatives

GAP = timedelta(minutes=30)


def part(number: int, started: str, finished: str, **fields: Any) -> Part:
    def moment(time: str) -> datetime:
        return datetime.fromisoformat(f"2026-06-01T{time}").replace(tzinfo=UTC)

    described = {"environment": "production", "sha": "a", "run": "", "succeeded": True, **fields}
    return Part(number, str(number), started_at=moment(started), finished_at=moment(finished), **described)


def rollouts(*parts: Part) -> dict[int, int]:
    return dict(representatives(parts[::-1], GAP))


def test_jobs_of_one_run_are_one_rollout_and_finish_with_the_last() -> None:
    jobs = [part(1, "10:00", "10:02", run="7"), part(2, "14:00", "14:05", run="7"), part(3, "18:00", "18:01", run="8")]
    assert rollouts(*jobs) == {1: 2, 2: 2, 3: 3}


def test_regions_of_one_commit_are_one_where_they_overlap_or_follow_within_the_gap() -> None:
    eu, us, ap = ({"environment": name} for name in ("prod-eu", "prod-us", "prod-ap"))
    assert rollouts(
        part(1, "10:00", "10:20", **eu), part(2, "10:10", "10:30", **us), part(3, "11:00", "11:01", **ap)
    ) == {
        1: 3,
        2: 3,
        3: 3,
    }
    assert rollouts(part(1, "10:00", "10:20", **eu), part(2, "10:51", "10:55", **us)) == {1: 1, 2: 2}


def test_a_job_and_those_of_its_regions_are_one_rollout_however_long_it_takes() -> None:
    started = part(1, "10:00", "13:30", run="ci/deploy/7 0", sha="", environment="deploy-prod")
    eu = part(2, "10:01", "10:10", run="ci/eu/3 0", parent="ci/deploy/7", sha="", environment="prod-eu")
    us = part(3, "13:12", "13:20", run="ci/us/3 0", parent="ci/deploy/7", sha="", environment="prod-us")
    assert rollouts(started, eu, us) == {1: 1, 2: 1, 3: 1}
    assert rollouts(eu, us) == {2: 3, 3: 3}, "the job that started them deploys nothing by its name"
    of_another = part(4, "13:15", "13:21", run="ci/us/4 0", parent="ci/deploy/8", sha="", environment="prod-us")
    assert rollouts(eu, us, of_another) == {2: 3, 3: 3, 4: 4}


def test_what_one_run_started_for_several_commits_are_several_rollouts() -> None:
    first, second = (
        part(number, at, at, run=f"ci/deploy/{number} 0", parent="ci/nightly/7", sha=sha)
        for number, at, sha in ((1, "10:00", "a"), (2, "10:05", "b"))
    )
    assert rollouts(first, second) == {1: 1, 2: 2}


def test_other_commits_and_unknown_ones_are_no_parts() -> None:
    assert rollouts(part(1, "10:00", "10:01"), part(2, "10:02", "10:03", sha="b")) == {1: 1, 2: 2}
    assert rollouts(part(1, "10:00", "10:01", sha=""), part(2, "10:00", "10:01", sha="")) == {1: 1, 2: 2}


def test_a_commit_that_is_deployed_again_after_another_went_live_is_a_rollback_and_no_part() -> None:
    went_back = [part(1, "10:00", "10:01"), part(2, "10:05", "10:06", sha="b"), part(3, "10:10", "10:11")]
    assert rollouts(*went_back) == {1: 1, 2: 2, 3: 3}
    said = [part(1, "10:00", "10:01"), part(3, "10:10", "10:11", says="2")]
    assert rollouts(*said) == {1: 1, 3: 3}


def test_a_rollout_fails_if_a_part_failed_and_none_repaired_it() -> None:
    eu, us = {"environment": "prod-eu"}, {"environment": "prod-us"}
    failed = part(2, "10:10", "10:15", succeeded=False, **us)
    assert rollouts(part(1, "10:00", "10:20", **eu), failed) == {1: 2, 2: 2}
    again = part(3, "10:20", "10:25", **us)
    assert rollouts(part(1, "10:00", "10:20", **eu), failed, again) == {1: 3, 2: 3, 3: 3}
    repeated = part(4, "10:00", "10:25", run="7 0", attempt=2, **us)
    parallel = part(5, "10:00", "10:25", run="7 0", attempt=1, **us)
    failed_attempt = part(3, "10:10", "10:15", succeeded=False, run="7 0", attempt=1, **us)
    assert rollouts(failed_attempt, repeated) == {3: 4, 4: 4}, "a later attempt lists what it does not repeat"
    assert rollouts(failed_attempt, parallel) == {3: 3, 5: 3}
    elsewhere = part(3, "10:20", "10:25", **eu)
    assert rollouts(part(1, "10:00", "10:20", **eu), failed, elsewhere) == {1: 2, 2: 2, 3: 2}

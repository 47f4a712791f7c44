"""Outcomes of a deployment's statuses: result, times, and reactivations."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.delivery.rollouts.outcomes import Status, outcomes
from integrations.enums import RunStatus

OF = {
    "queued": RunStatus.QUEUED,
    "in_progress": RunStatus.RUNNING,
    "success": RunStatus.SUCCESS,
    "failure": RunStatus.FAILURE,
    "error": RunStatus.FAILURE,
}


def at(minute: int) -> datetime:
    return datetime(2026, 3, 2, 9, minute, tzinfo=UTC)


def rollouts_of(*states: str) -> list[tuple[str, int | None, int | None]]:
    """State, start and finish, in minutes, of each rollout; one status a minute, and read in the wrong order."""
    statuses = [Status(at(minute), OF.get(state, RunStatus.OTHER), state) for minute, state in enumerate(states)]
    found = outcomes(statuses[::-1])
    return [
        (
            str(outcome.status),
            outcome.started_at.minute if outcome.started_at else None,
            outcome.finished_at.minute if outcome.finished_at else None,
        )
        for outcome in found
    ]


@pytest.mark.parametrize(
    ("states", "status", "started", "finished"),
    [
        (["queued"], RunStatus.QUEUED, None, None),
        (["queued", "in_progress"], RunStatus.RUNNING, 1, None),
        (["queued", "in_progress", "success"], RunStatus.SUCCESS, 1, 2),
        (["in_progress", "success", "inactive"], RunStatus.SUCCESS, 0, 1),
        (["in_progress", "failure", "inactive"], RunStatus.FAILURE, 0, 1),
        (["in_progress", "error"], RunStatus.FAILURE, 0, 1),
        (["success"], RunStatus.SUCCESS, None, 0),
        (["in_progress", "inactive"], RunStatus.CANCELLED, 0, 1),
        (["inactive"], RunStatus.CANCELLED, None, 0),
        (["in_progress", "hovering"], RunStatus.OTHER, 0, None),
        (["in_progress", "success", "success"], RunStatus.SUCCESS, 0, 1),
        (["in_progress", "in_progress", "success", "success"], RunStatus.SUCCESS, 0, 2),
        (["in_progress", "success", "failure"], RunStatus.SUCCESS, 0, 1),
    ],
)
def test_a_deployment_finishes_at_its_first_final_status(
    states: list[str], status: RunStatus, started: int | None, finished: int | None
) -> None:
    assert rollouts_of(*states) == [(str(status), started, finished)]


def test_one_that_is_made_active_again_is_another_rollout() -> None:
    assert rollouts_of("in_progress", "success", "inactive", "success") == [("success", 0, 1), ("success", None, 3)]
    assert rollouts_of(
        "in_progress", "success", "inactive", "in_progress", "success", "success", "inactive", "success"
    ) == [
        *(("success", 0, 1), ("success", 3, 4), ("success", None, 7)),
    ]


def test_a_success_after_a_failure_is_a_second_try() -> None:
    assert rollouts_of("in_progress", "failure", "in_progress", "success") == [("failure", 0, 1), ("success", 2, 3)]

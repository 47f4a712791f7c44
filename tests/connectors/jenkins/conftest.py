"""A simulated Jenkins with some hundred builds, in folders, branches and a parametrised job."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from demo.plan.delivery import DeliveryHistory, Deployment, DeploymentState, DeploymentStatus, Outcome, PipelineRun
from demo.providers.jenkins_server import JenkinsServer
from tests.connectors.jenkins.reading import USER
from tests.connectors.reading import TOKEN
from tests.demo.small_history import BEGIN, CI, HOUR, MAX, SHOP, _attempt, commit, sha, small_history

ROLLOUTS = 120  # more than a page of them
BRANCHES = ("main", "feature/cart", "größe %", "a b")


def run(number: int, branch: str, *, hours: float | None = None, lasts: timedelta | None = None) -> PipelineRun:
    """Every fifth is tried twice."""
    at = BEGIN + (2 * number if hours is None else hours) * HOUR
    attempts = [
        _attempt(1, at, Outcome.FAILURE if number % 5 == 0 else Outcome.SUCCESS, first_job=10_000 + 10 * number)
    ]
    if number % 5 == 0:
        attempts.append(_attempt(2, at + HOUR, Outcome.SUCCESS, first_job=10_005 + 10 * number))
    if lasts is not None:
        attempts = [replace(attempts[0], finished_at=at + lasts, jobs=())]
    return PipelineRun(
        id=8000 + number,
        number=number,
        repository=SHOP,
        workflow=CI,
        trigger="push",
        commit=commit(f"Run {number}", at),
        branch=branch,
        by=MAX,
        created_at=at - timedelta(seconds=20),
        attempts=tuple(attempts),
    )


def deployment(number: int, environment: str) -> Deployment:
    at = BEGIN + number * HOUR
    return Deployment(
        id=9000 + number,
        repository=SHOP,
        environment=environment,
        sha=sha(f"Deployed {number}"),
        ref="main",
        by=MAX,
        created_at=at,
        service="cart",
        statuses=(
            DeploymentStatus(90_000 + 2 * number, at + HOUR / 60, DeploymentState.IN_PROGRESS, MAX),
            DeploymentStatus(90_001 + 2 * number, at + HOUR / 6, DeploymentState.SUCCESS, MAX),
        ),
    )


def busy_history() -> DeliveryHistory:
    history = small_history()
    runs = tuple(run(number, BRANCHES[number % len(BRANCHES)]) for number in range(1, 41))
    rollouts = tuple(deployment(number, "prod" if number % 3 else "staging") for number in range(20, 20 + ROLLOUTS))
    return replace(history, runs=(*history.runs, *runs), deployments=(*history.deployments, *rollouts))


@pytest.fixture
def jenkins() -> Iterator[JenkinsServer]:
    with JenkinsServer(busy_history(), user=USER, token=TOKEN, path="/jenkins") as server:
        yield server

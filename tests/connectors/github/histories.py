"""Histories with many records of one kind, for lists that come in pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from demo.plan.delivery import (
    Attempt,
    DeliveryHistory,
    Deployment,
    DeploymentState,
    DeploymentStatus,
    Issue,
    Job,
    Outcome,
    PipelineRun,
    PullRequest,
)
from tests.demo.small_history import BEGIN, CI, HOUR, MAX, MAYA, SHOP, commit, sha, small_history

MINUTE = timedelta(minutes=1)


def with_pull_requests(count: int, *, begin: datetime = BEGIN) -> DeliveryHistory:
    """Opened one a minute, by a person and with a commit each."""
    return replace(small_history(), pull_requests=tuple(pull_request(number, begin) for number in range(1, count + 1)))


def pull_request(number: int, begin: datetime = BEGIN) -> PullRequest:
    at = begin + number * MINUTE
    return PullRequest(
        id=10_000 + number,
        number=number,
        repository=SHOP,
        author=MAX,
        title=f"Change {number}",
        body="",
        source_branch=f"change-no-{number}",
        target_branch="main",
        base_sha=sha("begin"),
        created_at=at,
        commits=(commit(f"Change {number}", at),),
    )


def with_issues(count: int) -> DeliveryHistory:
    """Among as many pull requests."""
    issues = (
        Issue(20_000 + number, 1000 + number, SHOP, MAYA, f"Wish {number}", "", BEGIN + number * MINUTE)
        for number in range(1, count + 1)
    )
    return replace(with_pull_requests(count), issues=tuple(issues))


def with_runs(times: list[datetime], *, minutes: float = 5) -> DeliveryHistory:
    """Begun at those times, each of so many minutes and with one job."""
    return replace(small_history(), runs=tuple(_run(30_000 + number, at, minutes) for number, at in enumerate(times)))


def _run(id_: int, at: datetime, minutes: float) -> PipelineRun:
    end = at + minutes * MINUTE
    job = Job(id_ + 1_000_000, "test", at, at, end, Outcome.SUCCESS)
    return PipelineRun(
        id=id_,
        number=id_,
        repository=SHOP,
        workflow=CI,
        trigger="push",
        commit=commit("begin", BEGIN),
        branch="main",
        by=MAX,
        created_at=at,
        attempts=(Attempt(1, MAX, at, end, Outcome.SUCCESS, (job,)),),
    )


def with_deployments(times: list[datetime]) -> DeliveryHistory:
    """In progress from the beginning, and successful an hour later."""
    deployments = (
        Deployment(
            id=40_000 + number,
            repository=SHOP,
            environment="production",
            sha=sha("begin"),
            ref="main",
            by=MAX,
            created_at=at,
            statuses=(
                DeploymentStatus(41_000 + 2 * number, at, DeploymentState.IN_PROGRESS, MAX),
                DeploymentStatus(41_001 + 2 * number, at + HOUR, DeploymentState.SUCCESS, MAX),
            ),
        )
        for number, at in enumerate(times)
    )
    return replace(small_history(), deployments=tuple(deployments))

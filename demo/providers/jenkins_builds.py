"""The runs and deployments of a delivery history as builds of a Jenkins.

A repository's workflow is a multibranch project, acme/shop-ci; its rollouts are builds of one parametrised pipeline,
acme/shop-rollout.  An attempt is a build of its own, and the later ones replay the first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote

from demo.plan.delivery import Account, Attempt, Deployment, DeploymentState, Job, Outcome, PipelineRun, Repository
from demo.providers.record_states import HistoryAt

RESULTS = {
    Outcome.SUCCESS: "SUCCESS",
    Outcome.FAILURE: "FAILURE",
    Outcome.CANCELLED: "ABORTED",
    Outcome.SKIPPED: "NOT_BUILT",
    Outcome.TIMED_OUT: "ABORTED",
}
STAGES = {**RESULTS, Outcome.FAILURE: "FAILED", Outcome.SKIPPED: "NOT_EXECUTED"}
_OUTCOMES = {
    DeploymentState.SUCCESS: Outcome.SUCCESS,
    DeploymentState.FAILURE: Outcome.FAILURE,
    DeploymentState.ERROR: Outcome.FAILURE,
    DeploymentState.INACTIVE: Outcome.CANCELLED,
}
LIBRARY = "jenkins-library"


@dataclass(frozen=True, slots=True)
class Build:
    """A build without its number; `waited_from` is when it came into the queue, `repeats` the build before it."""

    queue_id: int
    started_at: datetime
    finished_at: datetime | None
    outcome: Outcome
    waited_from: datetime
    cause: Mapping[str, Any]
    repository: Repository
    sha: str
    branch: str
    pull_request: int | None = None
    stages: tuple[Job, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    repeats: int | None = None  # the queue id of the first attempt

    def ended_by(self, at: datetime) -> bool:
        return self.finished_at is not None and self.finished_at <= at


def builds_of(shown: HistoryAt) -> dict[str, list[Build]]:
    """Map full job names to builds, oldest first."""
    organisation = shown.history.organisation.login
    jobs: dict[str, list[Build]] = {}
    for runs in shown.runs.values():
        for run in runs:
            pipeline = f"{run.repository.name}-{run.workflow.name.lower().replace(' ', '-')}"
            branch = f"PR-{run.pull_request}" if run.pull_request is not None else quote(run.branch, safe="")
            for attempt in run.attempts:
                if attempt.started_at <= shown.at:
                    jobs.setdefault(f"{organisation}/{pipeline}/{branch}", []).append(_attempt(run, attempt))
    for deployments in shown.deployments.values():
        for deployment in deployments:
            build = _rollout(deployment)
            if build.started_at <= shown.at:
                jobs.setdefault(f"{organisation}/{deployment.repository.name}-rollout", []).append(build)
    return {name: sorted(builds, key=lambda build: (build.started_at, build.queue_id)) for name, builds in jobs.items()}


def document(
    build: Build, number: int, *, page: str, code_host: str, numbers: Mapping[int, int], at: datetime
) -> dict[str, Any]:
    """`page` is the job's, `code_host` that of the organisation there, `numbers` by queue id."""
    ended = build.ended_by(at)
    actions: list[dict[str, Any]] = [
        {"_class": "hudson.model.CauseAction", "causes": _causes(build, numbers)},
        {},
        {
            "_class": "jenkins.metrics.impl.TimeInQueueAction",
            "queuingDurationMillis": _milliseconds(build.started_at) - _milliseconds(build.waited_from),
        },
        _checkout(f"{code_host}/{LIBRARY}.git", hashlib.sha1(b"library").hexdigest(), "refs/remotes/origin/main"),  # noqa: S324
        *_sources(build, code_host),
    ]
    if build.parameters:
        listed = [
            {"_class": "hudson.model.StringParameterValue", "name": name, "value": value}
            for name, value in build.parameters.items()
        ]
        actions.insert(0, {"_class": "hudson.model.ParametersAction", "parameters": listed})
    return {
        "_class": "org.jenkinsci.plugins.workflow.job.WorkflowRun",
        "actions": actions,
        "number": number,
        "queueId": build.queue_id,
        "timestamp": _milliseconds(build.started_at),
        "duration": _milliseconds(build.finished_at) - _milliseconds(build.started_at)
        if ended and build.finished_at
        else 0,
        "building": not ended,
        "inProgress": not ended,
        "result": RESULTS[build.outcome] if ended else None,
        "url": f"{page}{number}/",
    }


def stages(build: Build, number: int, at: datetime) -> dict[str, Any]:
    """The build's stages in the format of /wfapi/describe."""
    listed = [
        {
            "id": str(6 + 5 * position),
            "name": job.name,
            "status": STAGES[job.outcome] if job.finished_at <= at else "IN_PROGRESS",
            "startTimeMillis": 0 if job.outcome is Outcome.SKIPPED else _milliseconds(job.started_at),
            "durationMillis": _milliseconds(min(job.finished_at, at)) - _milliseconds(job.started_at),
            "pauseDurationMillis": 0,
        }
        for position, job in enumerate(build.stages)
        if job.started_at <= at
    ]
    return {"id": str(number), "name": f"#{number}", "status": "SUCCESS", "stages": listed}


def _attempt(run: PipelineRun, attempt: Attempt) -> Build:
    return Build(
        queue_id=run.id * 10 + attempt.number,
        started_at=attempt.started_at,
        finished_at=attempt.finished_at,
        outcome=attempt.outcome,
        waited_from=run.created_at if attempt.number == 1 else attempt.started_at,
        cause=_user(attempt.by) if attempt.number > 1 else _event(run),
        repository=run.repository,
        sha=run.commit.sha,
        branch=run.branch,
        pull_request=run.pull_request,
        stages=attempt.jobs,
        repeats=run.id * 10 + 1 if attempt.number > 1 else None,
    )


def _rollout(deployment: Deployment) -> Build:
    began = next(
        (one.at for one in deployment.statuses if one.state is DeploymentState.IN_PROGRESS), deployment.created_at
    )
    ended = next((one for one in deployment.statuses if one.state in _OUTCOMES), None)
    outcome = _OUTCOMES[ended.state] if ended else Outcome.SUCCESS
    stage = Job(deployment.id, "Deploy", began, began, ended.at, outcome) if ended else None
    return Build(
        queue_id=deployment.id * 10 + 9,
        started_at=began,
        finished_at=ended.at if ended else None,
        outcome=outcome,
        waited_from=deployment.created_at,
        cause=_user(deployment.by),
        repository=deployment.repository,
        sha=deployment.sha,
        branch=deployment.ref,
        stages=(stage,) if stage else (),
        parameters={
            "ENVIRONMENT": deployment.environment,
            "SERVICE": deployment.service,
            "HOTFIX": str(bool(deployment.rollback_of or deployment.fixes)).lower(),
            "API_KEY": "not to be kept",
        },
    )


def _causes(build: Build, numbers: Mapping[int, int]) -> list[Mapping[str, Any]]:
    if build.repeats is None:
        return [build.cause]
    original = numbers.get(build.repeats, 0)
    replay = "org.jenkinsci.plugins.workflow.cps.replay.ReplayCause"
    return [build.cause, {"_class": replay, "shortDescription": f"Replayed #{original}"}]


def _event(run: PipelineRun) -> dict[str, Any]:
    if run.trigger == "schedule":
        return {"_class": "hudson.triggers.TimerTrigger$TimerTriggerCause", "shortDescription": "Started by timer"}
    return {"_class": "jenkins.branch.BranchEventCause", "shortDescription": "Push event to branch"}


def _user(account: Account | None) -> dict[str, Any]:
    login = account.login if account else "anonymous"
    return {"_class": "hudson.model.Cause$UserIdCause", "userId": login, "userName": account.name if account else login}


def _sources(build: Build, code_host: str) -> list[dict[str, Any]]:
    """A pull request's build is of a merge that nobody else knows."""
    remote = f"{code_host}/{build.repository.name}.git"
    if build.pull_request is None:
        own = _checkout(remote, build.sha, f"refs/remotes/origin/{build.branch}")
        if build.parameters:
            return [own]
        revision = {"_class": "jenkins.plugins.git.AbstractGitSCMSource$SCMRevisionImpl", "hash": build.sha}
    else:
        merge = hashlib.sha1(f"merge {build.sha}".encode()).hexdigest()  # noqa: S324
        own = _checkout(remote, merge, f"PR-{build.pull_request}")
        kind = "org.jenkinsci.plugins.github_branch_source.PullRequestSCMRevision"
        revision = {"_class": kind, "pullHash": build.sha, "baseHash": merge[::-1]}
    return [{"_class": "jenkins.scm.api.SCMRevisionAction", "revision": revision}, own]


def _checkout(remote: str, sha: str, branch: str) -> dict[str, Any]:
    return {
        "_class": "hudson.plugins.git.util.BuildData",
        "lastBuiltRevision": {"SHA1": sha, "branch": [{"SHA1": sha, "name": branch}]},
        "remoteUrls": [remote],
        "scmName": "",
    }


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)

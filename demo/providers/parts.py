"""The part of a delivery history that each tool of a flavour shows, with what it calls things there."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from demo.plan.delivery import (
    Attempt,
    Commit,
    DeliveryHistory,
    DeploymentState,
    Job,
    Outcome,
    PipelineRun,
    Workflow,
)
from demo.plan.repositories import BUILT_APART, REPOSITORIES, project_key
from demo.plan.tools import Tools

_EVERYTHING = frozenset(repository.name for repository in REPOSITORIES)
_KEYS = re.compile(rf"({'|'.join(project_key(repository.name) for repository in REPOSITORIES)})-([0-9]+)")


def part_of(history: DeliveryHistory, tools: Tools, provider: str) -> DeliveryHistory:
    """The history as the provider shows it.  One that neither builds nor has code may name any deployment."""
    if provider != tools.planning:
        history = replace(history, issues=())
    elif provider == tools.code:
        history = naming_numbers(history)
    if provider != tools.incidents:
        history = replace(history, incidents=())
    if provider == tools.code:
        apart = BUILT_APART if tools.builds == tools.code else frozenset[str]()
        history = with_rollouts(delivered(history, _EVERYTHING - BUILT_APART | apart), apart)
    elif provider == tools.builds:
        history = delivered(history, BUILT_APART)
    return history


def delivered(history: DeliveryHistory, repositories: Collection[str]) -> DeliveryHistory:
    """The history with runs and deployments of these repositories only."""
    return replace(
        history,
        runs=tuple(run for run in history.runs if run.repository.name in repositories),
        deployments=tuple(
            deployment for deployment in history.deployments if deployment.repository.name in repositories
        ),
    )


def naming_numbers(history: DeliveryHistory) -> DeliveryHistory:
    """The history with #12 where people wrote the key of Jira's CHECKOUT-12."""

    def named(commits: tuple[Commit, ...]) -> tuple[Commit, ...]:
        return tuple(replace(commit, message=_KEYS.sub(r"#\2", commit.message)) for commit in commits)

    return replace(
        history,
        commits={name: named(commits) for name, commits in history.commits.items()},
        pull_requests=tuple(
            replace(
                pull_request,
                title=_KEYS.sub(r"#\2", pull_request.title),
                body=_KEYS.sub(r"#\2", pull_request.body),
                commits=named(pull_request.commits),
                happenings=tuple(replace(event, commits=named(event.commits)) for event in pull_request.happenings),
            )
            for pull_request in history.pull_requests
        ),
    )


def with_rollouts(history: DeliveryHistory, repositories: Collection[str]) -> DeliveryHistory:
    """The history with a run for each deployment of these repositories, which is a build at Jenkins: there it is
    called after its environment, too.
    """
    deployments = [deployment for deployment in history.deployments if deployment.repository.name in repositories]
    environments = sorted({deployment.environment for deployment in deployments})
    runs: list[PipelineRun] = []
    for deployment in deployments:
        began, ended = (status.at for status in deployment.statuses[1:3])
        outcome = Outcome.SUCCESS if deployment.statuses[2].state is DeploymentState.SUCCESS else Outcome.FAILURE
        position = 5 + environments.index(deployment.environment)
        workflow = Workflow(deployment.repository.id * 10 + position, f"Rollout to {deployment.environment}", "")
        job = Job(deployment.id * 10, "Go", began, began, ended, outcome)
        runs.append(
            PipelineRun(
                id=deployment.id * 10,
                number=len(runs) + 1,
                repository=deployment.repository,
                workflow=workflow,
                trigger="workflow_dispatch",
                commit=Commit(deployment.sha, (), deployment.by, "", "", began, began, "Rollout"),
                branch=deployment.ref,
                by=deployment.by,
                created_at=began,
                attempts=(Attempt(1, deployment.by, began, ended, outcome, (job,)),),
            )
        )
    return replace(history, runs=tuple(sorted((*history.runs, *runs), key=lambda run: (run.created_at, run.id))))

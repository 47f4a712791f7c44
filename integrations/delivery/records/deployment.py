"""The page of a deployment: its outcome, the changes it brought to production, and the failures it caused or
repaired.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from django.db.models import Q

from integrations.delivery.mappings.effective import Subject, ValueMappings, value_mappings_of, word_of_job
from integrations.delivery.mappings.environments import environment_of_title, judge_job
from integrations.delivery.records.parts import (
    MOST_PARTS,
    Happened,
    Happening,
    Link,
    Openable,
    Stage,
    Story,
    consequences,
    happened,
    in_order,
    links_of_failures,
    name_of_run,
    stage,
)
from integrations.enums import Environment, RunStatus
from integrations.models import (
    DeployedPullRequest,
    Deployment,
    DeploymentFailure,
    DeploymentStatus,
    FailedDeployment,
    PipelineRun,
    ProposedRollback,
)
from orgtree.access.access import Access


class EnvironmentRule(StrEnum):
    """The rule that decided the environment of a deployment."""

    ADMIN = "admin"
    TITLE = "title"
    JOB = "job"
    PIPELINE = "pipeline"
    STATUS = "status"
    SOURCE = "source"
    NAME = "name"
    OPEN = "open"


@dataclass(frozen=True)
class DeploymentStory(Story):
    deployment: Deployment
    failed: FailedDeployment | None
    proposed: ProposedRollback | None
    contained: int  # pull requests that it brought to production first
    environment_by: EnvironmentRule


def story_of_deployment(record: Deployment, access: Access) -> DeploymentStory:
    deployment = Deployment.objects.select_related(
        *("repository", "connection", "deployed_by__person", "pipeline_run", "failed"),
        *("proposed_rollback__rolled_back__repository", "part_of__repository"),
    ).get(pk=record.pk)
    failed: FailedDeployment | None = getattr(deployment, "failed", None)
    proposed: ProposedRollback | None = getattr(deployment, "proposed_rollback", None)
    statuses = list(DeploymentStatus.objects.filter(deployment=record).order_by("at", "pk")[: MOST_PARTS + 1])
    brought = DeployedPullRequest.objects.filter(deployment=record, pull_request__deleted_at=None)
    contained = list(
        brought.select_related("pull_request__repository", "pull_request__author__person").order_by(
            "-pull_request__merged_at", "-pull_request"
        )[: MOST_PARTS + 1]
    )
    failures = list(
        DeploymentFailure.objects.filter(Q(deployment=record) | Q(repaired_by=record))
        .select_related("incident__repository", "repaired_by__repository", "deployment__repository")
        .order_by("pk")[:MOST_PARTS]
    )
    own_failures = [failure for failure in failures if failure.deployment_id == deployment.pk]
    neighbours = _neighbours(deployment)
    reports = _reports(deployment)
    openable = Openable(
        access,
        [
            *(link.pull_request for link in contained[:MOST_PARTS]),
            *(failure.incident for failure in failures),
            *(failure.repaired_by for failure in failures),
            *(failure.deployment for failure in failures),
            *(neighbour for _, neighbour in neighbours),
            *(report for _, report in reports),
            proposed.rolled_back if proposed else None,
        ],
    )
    happenings = [
        *_its_own(deployment, statuses[:MOST_PARTS]),
        *_merges(contained[:MOST_PARTS], openable),
        *consequences(own_failures, openable),
        *(happened(failed.restored_at, Happened.RESTORED) if failed else ()),
    ]
    return DeploymentStory(
        name=openable.name(deployment),
        happenings=in_order(happenings),
        stages=_stages(deployment, failed),
        links=[
            *_repairs(failures, openable, deployment),
            *links_of_failures(own_failures, openable),
            *_others([*reports, *neighbours], proposed, openable),
            *_contents(contained[:MOST_PARTS], openable),
        ],
        more=["pull requests"] if len(contained) > MOST_PARTS else [],
        deployment=deployment,
        failed=failed,
        proposed=proposed,
        contained=len(contained) if len(contained) <= MOST_PARTS else brought.count(),
        environment_by=_environment_rule(deployment, statuses),
    )


def _environment_rule(deployment: Deployment, statuses: Sequence[DeploymentStatus]) -> EnvironmentRule:
    mappings = value_mappings_of(deployment.connection)
    if deployment.pipeline_run is not None:
        return _rule_of_run(deployment, deployment.pipeline_run, mappings)
    name = deployment.native_environment
    named = {status.environment for status in statuses} - {"", name}
    if deployment.environment == Environment.PRODUCTION and mappings.of_environment(name) != Environment.PRODUCTION:
        if any(mappings.of_environment(other) == Environment.PRODUCTION for other in named):
            return EnvironmentRule.STATUS
        return EnvironmentRule.SOURCE
    if mappings.is_decided(Subject.ENVIRONMENT, name):
        return EnvironmentRule.ADMIN
    return EnvironmentRule.OPEN if mappings.proposed(Subject.ENVIRONMENT, name) else EnvironmentRule.NAME


def _rule_of_run(deployment: Deployment, run: PipelineRun, mappings: ValueMappings) -> EnvironmentRule:
    job = run.jobs.filter(external_id=deployment.job).first() if deployment.job else None
    verdict = judge_job(job.name) if job else None
    if job and mappings.of_run(run.name, run.title) is None:
        is_decided = mappings.is_decided(Subject.DEPLOYING, word_of_job(run.name, job.name))
        return EnvironmentRule.ADMIN if is_decided else EnvironmentRule.JOB
    if verdict and verdict.named and deployment.environment != mappings.of_run(run.name, run.title):
        return EnvironmentRule.JOB
    if mappings.of_run(run.name, run.title) != mappings.of_deploying(run.name) or environment_of_title(run.title):
        return EnvironmentRule.TITLE
    return EnvironmentRule.ADMIN if mappings.is_decided(Subject.DEPLOYING, run.name) else EnvironmentRule.PIPELINE


def _neighbours(deployment: Deployment) -> list[tuple[str, Deployment]]:
    """The deployments of the same service and environment before and after it."""
    if deployment.finished_at is None:
        return []
    same = Deployment.objects.filter(
        repository=deployment.repository_id,
        service=deployment.service,
        environment=deployment.environment,
        status=RunStatus.SUCCESS,
        deleted_at=None,
        exclusion_reason="",
    ).select_related("repository")
    before = same.filter(finished_at__lt=deployment.finished_at).order_by("-finished_at", "-pk").first()
    after = same.filter(finished_at__gt=deployment.finished_at).order_by("finished_at", "pk").first()
    return [(name, neighbour) for name, neighbour in (("previous", before), ("next", after)) if neighbour is not None]


def _reports(deployment: Deployment) -> list[tuple[str, Deployment]]:
    """The deployment that represents its rollout, and other connections' reports of the rollout that it represents."""
    if deployment.part_of is not None:
        return [("part_of", deployment.part_of)]
    others = Deployment.objects.filter(part_of=deployment, deleted_at=None).exclude(connection=deployment.connection_id)
    return [
        ("reported_too", one) for one in others.select_related("repository").order_by("finished_at", "pk")[:MOST_PARTS]
    ]


def _its_own(deployment: Deployment, statuses: Sequence[DeploymentStatus]) -> Iterator[Happening]:
    run = name_of_run(deployment.pipeline_run) if deployment.pipeline_run else None
    yield from happened(deployment.created_at, Happened.CREATED, by=deployment.deployed_by)
    yield from happened(deployment.started_at, Happened.STARTED, record=run)
    own_times = {deployment.created_at, deployment.started_at, deployment.finished_at}
    for status in statuses:
        if status.at in own_times:  # already shown as the deployment's own time
            continue
        yield Happening(status.at, Happened.STATUS, detail=status.native_status, status=status.status)
    yield from happened(deployment.finished_at, Happened.FINISHED, status=deployment.status)


def _merges(contained: Sequence[DeployedPullRequest], openable: Openable) -> Iterator[Happening]:
    for link in contained:
        merged, name = link.pull_request, openable.name(link.pull_request)
        yield from happened(merged.merged_at, Happened.PULL_REQUEST_MERGED, by=merged.author, record=name)


def _stages(deployment: Deployment, failed: FailedDeployment | None) -> list[Stage]:
    running = "" if deployment.finished_at else "running"
    stages = [stage("rollout", deployment.started_at or deployment.created_at, deployment.finished_at, running)]
    if failed is not None:
        not_restored = "" if failed.restored_at else "not_restored"
        stages.append(stage("recovery", _failed_since(deployment, failed), failed.restored_at, not_restored))
    elif deployment.environment == Environment.PRODUCTION and deployment.status == RunStatus.SUCCESS:
        stages.append(Stage("recovery", None, None, None, "no_failure"))
    return stages


def _failed_since(deployment: Deployment, failed: FailedDeployment) -> datetime | None:
    """The start of the failure: the end of the deployment, or the start of its first incident if that was earlier."""
    if failed.restored_at is None or failed.recovery_seconds is None:
        return deployment.finished_at
    return failed.restored_at - timedelta(seconds=failed.recovery_seconds)


def _repairs(failures: Sequence[DeploymentFailure], openable: Openable, by: Deployment) -> Iterator[Link]:
    for failure in failures:
        if failure.deployment_id != by.pk:
            yield Link("repairs", openable.name(failure.deployment), failure.method, failure.deployment.finished_at)


def _others(
    neighbours: Sequence[tuple[str, Deployment]], proposed: ProposedRollback | None, openable: Openable
) -> Iterator[Link]:
    if proposed:
        rolled_back = proposed.rolled_back
        yield Link("rolls_back", openable.name(rolled_back), f"rollback_{proposed.state}", rolled_back.finished_at)
    for relation, neighbour in neighbours:
        yield Link(relation, openable.name(neighbour), "", neighbour.finished_at)


def _contents(contained: Sequence[DeployedPullRequest], openable: Openable) -> Iterator[Link]:
    for link in contained:
        yield Link("pull_request", openable.name(link.pull_request), link.method, link.pull_request.merged_at)

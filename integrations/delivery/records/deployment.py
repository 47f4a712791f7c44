"""The story of a deployment: how it went, what it brought to production, and what it broke or repaired."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

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
    ProposedRollback,
)
from orgtree.access.access import Access


@dataclass(frozen=True)
class DeploymentStory(Story):
    deployment: Deployment
    failed: FailedDeployment | None
    proposed: ProposedRollback | None
    contained: int  # pull requests that it was the first to bring to production


def story_of_deployment(record: Deployment, access: Access) -> DeploymentStory:
    deployment = Deployment.objects.select_related(
        *("repository", "connection", "deployed_by__person", "pipeline_run", "failed"),
        *("proposed_rollback__rolled_back__repository",),
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
    openable = Openable(
        access,
        [
            *(link.pull_request for link in contained[:MOST_PARTS]),
            *(failure.incident for failure in failures),
            *(failure.repaired_by for failure in failures),
            *(failure.deployment for failure in failures),
            *(neighbour for _, neighbour in neighbours),
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
            *_others(neighbours, proposed, openable),
            *_contents(contained[:MOST_PARTS], openable),
        ],
        more=["pull requests"] if len(contained) > MOST_PARTS else [],
        deployment=deployment,
        failed=failed,
        proposed=proposed,
        contained=len(contained) if len(contained) <= MOST_PARTS else brought.count(),
    )


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


def _its_own(deployment: Deployment, statuses: Sequence[DeploymentStatus]) -> Iterator[Happening]:
    run = name_of_run(deployment.pipeline_run) if deployment.pipeline_run else None
    yield from happened(deployment.created_at, Happened.CREATED, by=deployment.deployed_by)
    yield from happened(deployment.started_at, Happened.STARTED, record=run)
    own_times = {deployment.created_at, deployment.started_at, deployment.finished_at}
    for status in statuses:
        if status.at in own_times:  # shown as the deployment's own statement
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
    """When it finished, or its first incident began where that was earlier."""
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

"""The page of an incident: its duration, and the deployment that it blames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from integrations.delivery.linking.named_causes import uncounted_causes
from integrations.delivery.records.parts import (
    MOST_PARTS,
    Happened,
    Happening,
    Link,
    Openable,
    Stage,
    Story,
    happened,
    in_order,
    stage,
)
from integrations.models import DeployedPullRequest, Deployment, DeploymentFailure, Incident
from orgtree.access.access import Access


@dataclass(frozen=True)
class IncidentStory(Story):
    incident: Incident
    failure: DeploymentFailure | None
    uncounted_cause: str  # why the deployment that it names does not count


def story_of_incident(record: Incident, access: Access) -> IncidentStory:
    incident = Incident.objects.select_related(
        *("repository", "connection", "failure__deployment__repository", "failure__deployment__failed"),
        "duplicate_of__repository",
    ).get(pk=record.pk)
    failure: DeploymentFailure | None = getattr(incident, "failure", None)
    siblings = (
        list(
            DeploymentFailure.objects.filter(deployment=failure.deployment_id)
            .exclude(pk=failure.pk)
            .select_related("incident__repository", "repaired_by__repository")
            .order_by("pk")[:MOST_PARTS]
        )
        if failure
        else []
    )
    brought = (
        list(
            DeployedPullRequest.objects.filter(deployment=failure.deployment_id, pull_request__deleted_at=None)
            .select_related("pull_request__repository")
            .order_by("-pull_request__merged_at", "-pull_request")[: MOST_PARTS + 1]
        )
        if failure
        else []
    )
    reports = _reports(incident)
    openable = Openable(
        access,
        [
            *(report for _, report in reports),
            failure.deployment if failure else None,
            *(sibling.incident for sibling in siblings),
            *(sibling.repaired_by for sibling in siblings),
            *(link.pull_request for link in brought[:MOST_PARTS]),
        ],
    )
    return IncidentStory(
        name=openable.name(incident),
        happenings=in_order(_happenings(incident, failure, siblings, openable)),
        stages=_stages(incident, failure),
        links=[
            *(Link(relation, openable.name(report), "", report.started_at) for relation, report in reports),
            *_links(failure, siblings, brought[:MOST_PARTS], openable),
        ],
        more=["pull requests"] if len(brought) > MOST_PARTS else [],
        incident=incident,
        failure=failure,
        uncounted_cause="" if failure else uncounted_causes([incident.pk]).get(incident.pk, ""),
    )


def _reports(incident: Incident) -> list[tuple[str, Incident]]:
    """The incident of another connection that counts in its place, and those that it represents."""
    if incident.duplicate_of is not None:
        return [("duplicate_of", incident.duplicate_of)]
    others = Incident.objects.filter(duplicate_of=incident, deleted_at=None).select_related("repository")
    return [("reported_too", one) for one in others.order_by("started_at", "pk")[:MOST_PARTS]]


def _happenings(
    incident: Incident, failure: DeploymentFailure | None, siblings: list[DeploymentFailure], openable: Openable
) -> Iterator[Happening]:
    if failure:
        name = openable.name(failure.deployment)
        yield from happened(failure.deployment.finished_at, Happened.DEPLOYED, record=name)
    yield from happened(incident.started_at, Happened.STARTED)
    yield from happened(incident.acknowledged_at, Happened.ACKNOWLEDGED)
    yield from happened(incident.resolved_at, Happened.RESOLVED)
    for sibling in siblings:
        if repair := sibling.repaired_by:
            yield from happened(repair.finished_at, Happened.REPAIRED, record=openable.name(repair))
        elif sibling.incident:
            name = openable.name(sibling.incident)
            yield from happened(sibling.incident.started_at, Happened.INCIDENT, record=name)


def _stages(incident: Incident, failure: DeploymentFailure | None) -> list[Stage]:
    not_acknowledged = "" if incident.acknowledged_at else "not_acknowledged"
    not_resolved = "" if incident.resolved_at else "not_resolved"
    return [
        _detection(incident, failure.deployment if failure else None),
        stage("acknowledgement", incident.started_at, incident.acknowledged_at, not_acknowledged),
        stage("resolution", incident.started_at, incident.resolved_at, not_resolved),
    ]


def _detection(incident: Incident, cause: Deployment | None) -> Stage:
    if cause is None:
        return Stage("detection", None, None, None, "no_cause")
    began, rolled_out = incident.started_at, cause.rollout_started_at
    if began and cause.finished_at and rolled_out and rolled_out <= began < cause.finished_at:
        return Stage("detection", None, None, None, "during_rollout")
    return stage("detection", cause.finished_at, began)


def _links(
    failure: DeploymentFailure | None,
    siblings: list[DeploymentFailure],
    brought: list[DeployedPullRequest],
    openable: Openable,
) -> Iterator[Link]:
    if failure is None:
        return
    yield Link("caused_by", openable.name(failure.deployment), failure.method, failure.deployment.finished_at)
    for sibling in siblings:
        if repair := sibling.repaired_by:
            yield Link("repaired_by", openable.name(repair), sibling.method, repair.finished_at)
        elif sibling.incident:
            yield Link("same_cause", openable.name(sibling.incident), sibling.method, sibling.incident.started_at)
    for one in brought:
        yield Link("pull_request", openable.name(one.pull_request), one.method, one.pull_request.merged_at)

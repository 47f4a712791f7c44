"""The pull requests, work items, deployments and incidents that a viewer may open.

They show the same data as their own tools, including names and links (docs/records.md), to anyone who can find them
among the rows of a figure: records of people and owners in the units that the viewer sees, the viewer's own, and
records directly linked to these.
"""

from __future__ import annotations

from collections.abc import Collection

from django.contrib.postgres.fields import DateRangeField
from django.db.models import Exists, Func, OuterRef, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Greatest, Least
from django.utils import timezone

from integrations.facts.ownership import OWNER_PLACEMENTS, REPOSITORY_PLACEMENTS
from integrations.models import (
    DeployedPullRequest,
    Deployment,
    DeploymentFailure,
    Incident,
    PullRequest,
    PullRequestReview,
    Sprint,
    WorkItem,
    WorkItemLink,
)
from orgtree.access.access import Access
from orgtree.models import Placement
from orgtree.models.visibility import Visibility

# Ids of records that ran on a service (or, without one, on a repository) owned by one of the units on the record's day.
# The query goes from the units to the records, so that other units' records are never read.
_OWNED_BY_UNITS = f"""
    WITH own AS (
        SELECT owned.kind, owned.name, owned.repository_id, owner.during
        FROM ({OWNER_PLACEMENTS}) AS owner
        JOIN integrations_owned owned ON owned.id = owner.owned_id
        WHERE owner.ancestor_id = ANY (%s)
    )
    SELECT record.id
    FROM own JOIN TABLE record ON record.service = own.name
    WHERE own.kind = 'service' AND own.during @> (coalesce(record.AT, record.first_seen_at) AT TIME ZONE %s)::date
    UNION ALL
    SELECT record.id
    FROM own JOIN TABLE record ON record.repository_id = own.repository_id AND record.service = ''
    WHERE own.kind = 'repository' AND own.during @> (coalesce(record.AT, record.first_seen_at) AT TIME ZONE %s)::date
"""  # noqa: S608 — put together from constants
# Ids of autonomous agents' pull requests that were open, or waited for production, while one of the units owned the
# repository.
_AUTONOMOUS_OWNED_BY_UNITS = f"""
    SELECT figures.pull_request_id
    FROM ({REPOSITORY_PLACEMENTS}) AS owner
    JOIN integrations_pullrequestfigures figures
      ON figures.repository_id = owner.repository_id AND figures.is_autonomous
    LEFT JOIN integrations_deployedpullrequest deployed ON deployed.pull_request_id = figures.pull_request_id
    CROSS JOIN LATERAL (SELECT coalesce(deployed.deployed_on, figures.merged_on, %s) AS day) AS last
    WHERE owner.ancestor_id = ANY (%s)
      AND owner.during && daterange(least(figures.opened_on, last.day), greatest(figures.opened_on, last.day), '[]')
"""  # noqa: S608 — as above
# Ids of items that were open, or were done, while one of the units owned their project: then they are in its figures.
_ITEMS_OWNED_BY_UNITS = f"""
    SELECT item.id
    FROM integrations_workitem item
    JOIN integrations_owned project ON project.project_id = item.project_id
    JOIN ({OWNER_PLACEMENTS}) AS owner ON owner.owned_id = project.id AND owner.ancestor_id = ANY (%s)
    JOIN integrations_workitemfigures figures ON figures.work_item_id = item.id
    WHERE owner.during && daterange(
        least(figures.created_on, figures.done_on), greatest(figures.created_on, coalesce(figures.done_on, %s)), '[]'
    )
"""  # noqa: S608 — as above
# Ids of sprints whose board one of the units owned when they were closed, or owns while they are open.
_SPRINTS_OF_UNITS = f"""
    SELECT figures.sprint_id
    FROM ({OWNER_PLACEMENTS}) AS owner
    JOIN integrations_owned board ON board.id = owner.owned_id
    JOIN integrations_sprint sprint ON sprint.connection_id = board.connection_id AND sprint.board = board.name
    JOIN integrations_sprintfigures figures ON figures.sprint_id = sprint.id
    WHERE owner.ancestor_id = ANY (%s) AND owner.during @> coalesce(figures.closed_on, %s)
"""  # noqa: S608 — as above


def visible_pull_requests(access: Access) -> QuerySet[PullRequest]:
    """Pull requests of people who were in a unit that the viewer sees while it was open or until it was deployed.

    An autonomous agent's pull request belongs to the unit that owned its repository then.
    """
    return pull_requests_within(access.visibility)


def pull_requests_within(visibility: Visibility) -> QuerySet[PullRequest]:
    """Visible pull requests, for callers that know only a viewer's visibility."""
    pull_requests = PullRequest.objects.filter(deleted_at=None)
    if visibility.unit_ids is None:
        return pull_requests
    opened, ended = (
        OuterRef("figures__opened_on"),
        Coalesce(OuterRef("deployed__deployed_on"), OuterRef("figures__merged_on"), Value(timezone.localdate())),
    )
    days = Func(
        Least(opened, ended), Greatest(opened, ended), Value("[]"), function="daterange", output_field=DateRangeField()
    )
    placed = Placement.objects.filter(
        person=OuterRef("figures__credited__person"), ancestor__in=visibility.unit_ids, during__overlap=days
    )
    owned = RawSQL(_AUTONOMOUS_OWNED_BY_UNITS, [timezone.localdate(), sorted(visibility.unit_ids)])  # noqa: S611 — as below
    visible = Q(Exists(placed)) | Q(pk__in=owned)
    if visibility.person_id is not None:
        reviewed = PullRequestReview.objects.filter(pull_request=OuterRef("pk"), author__person=visibility.person_id)
        visible |= Q(author__person=visibility.person_id) | Q(requested_by__person=visibility.person_id)
        visible |= Q(Exists(reviewed))
    return pull_requests.filter(visible)


def visible_work_items(access: Access) -> QuerySet[WorkItem]:
    """Work items of assignees in visible units, of projects that those units owned then, and of visible pull
    requests.
    """
    work_items, visibility = WorkItem.objects.filter(deleted_at=None), access.visibility
    if visibility.unit_ids is None:
        return work_items
    until = Coalesce(OuterRef("figures__done_on"), Value(timezone.localdate()))
    placed = Placement.objects.filter(
        person=OuterRef("figures__credited__person"), ancestor__in=visibility.unit_ids, during__contains=until
    )
    linked = WorkItemLink.objects.filter(work_item=OuterRef("pk"), pull_request__in=visible_pull_requests(access))
    owned = RawSQL(_ITEMS_OWNED_BY_UNITS, [sorted(visibility.unit_ids), timezone.localdate()])  # noqa: S611 — values are passed apart
    visible = Q(Exists(placed)) | Exists(linked) | Q(pk__in=owned)
    if visibility.person_id is not None:
        visible |= Q(assignee__person=visibility.person_id) | Q(reporter__person=visibility.person_id)
    return work_items.filter(visible)


def visible_sprints(access: Access) -> QuerySet[Sprint]:
    """Sprints that have begun, of boards that visible units owned then."""
    sprints = Sprint.objects.filter(deleted_at=None, figures__isnull=False)
    units = access.visibility.unit_ids
    return sprints if units is None else sprints_of_units(sprints, units)


def sprints_of_units(sprints: QuerySet[Sprint], units: Collection[int]) -> QuerySet[Sprint]:
    """The sprints of boards that one of the units, or a unit below one, owned then."""
    return sprints.filter(pk__in=RawSQL(_SPRINTS_OF_UNITS, [sorted(units), timezone.localdate()]))  # noqa: S611 — as below


def visible_deployments(access: Access) -> QuerySet[Deployment]:
    """Deployments of services and repositories owned by visible units, the viewer's own, and those of visible pull
    requests.
    """
    deployments, visibility = Deployment.objects.filter(deleted_at=None), access.visibility
    if visibility.unit_ids is None:
        return deployments
    contained = DeployedPullRequest.objects.filter(
        deployment=OuterRef("pk"), pull_request__in=visible_pull_requests(access)
    )
    visible = Q(Exists(contained)) | Q(pk__in=_owned("integrations_deployment", "finished_at", access))
    if visibility.person_id is not None:
        visible |= Q(deployed_by__person=visibility.person_id)
    return deployments.filter(visible)


def visible_incidents(access: Access) -> QuerySet[Incident]:
    """Incidents of services and repositories owned by visible units, and those that blame a visible deployment."""
    incidents, visibility = Incident.objects.filter(deleted_at=None), access.visibility
    if visibility.unit_ids is None:
        return incidents
    blaming = DeploymentFailure.objects.filter(incident=OuterRef("pk"), deployment__in=visible_deployments(access))
    return incidents.filter(Exists(blaming) | Q(pk__in=_owned("integrations_incident", "started_at", access)))


def _owned(table: str, at: str, access: Access) -> RawSQL:
    zone = timezone.get_default_timezone_name()
    values = [sorted(access.visibility.unit_ids or ()), zone, zone]
    statement = _OWNED_BY_UNITS.replace("TABLE", table).replace("record.AT", f"record.{at}")
    return RawSQL(statement, values)  # noqa: S611 — as above

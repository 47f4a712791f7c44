"""The page of a work item: its assignees, its transitions, and its pull requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

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
from integrations.enums import StatusCategory
from integrations.models import (
    DeployedPullRequest,
    PullRequest,
    Sprint,
    SprintChange,
    WorkItem,
    WorkItemAssignment,
    WorkItemChange,
    WorkItemFigures,
    WorkItemLink,
    WorkItemTransition,
)
from orgtree.access.access import Access


@dataclass(frozen=True)
class WorkItemStory(Story):
    work_item: WorkItem
    figures: WorkItemFigures | None


def story_of_work_item(record: WorkItem, access: Access) -> WorkItemStory:
    item = WorkItem.objects.select_related(
        *("project", "connection", "reporter__person", "assignee__person", "figures__credited__person")
    ).get(pk=record.pk)
    figures: WorkItemFigures | None = getattr(item, "figures", None)
    transitions = list(
        WorkItemTransition.objects.filter(work_item=record)
        .select_related("by__person")
        .order_by("at", "position", "pk")[: MOST_PARTS + 1]
    )
    assignments = list(
        WorkItemAssignment.objects.filter(work_item=record)
        .select_related("assignee__person")
        .order_by("at", "position", "pk")[: MOST_PARTS + 1]
    )
    changes = list(SprintChange.objects.filter(work_item=record).order_by("at", "pk")[: MOST_PARTS + 1])
    value_changes = list(WorkItemChange.objects.filter(work_item=record).order_by("at", "pk")[: MOST_PARTS + 1])
    links = list(
        WorkItemLink.objects.filter(work_item=record, pull_request__deleted_at=None)
        .select_related("pull_request__repository", "pull_request__author__person")
        .order_by("pull_request__created_at", "pull_request", "method")[: MOST_PARTS + 1]
    )
    pull_requests = {link.pull_request_id: link.pull_request for link in links[:MOST_PARTS]}
    deployed = list(
        DeployedPullRequest.objects.filter(pull_request__in=pull_requests)
        .select_related("deployment__repository")
        .order_by("deployed_at", "pull_request")
    )
    parent = (
        WorkItem.objects.filter(connection=item.connection_id, key=item.parent_key).select_related("project").first()
        if item.parent_key
        else None
    )
    openable = Openable(access, [*pull_requests.values(), *(link.deployment for link in deployed), parent])
    happenings = [
        *_its_own(item),
        *_transition_events(transitions[:MOST_PARTS]),
        *_assignment_events(assignments[:MOST_PARTS]),
        *_sprint_events(item, changes[:MOST_PARTS]),
        *_value_events(value_changes[:MOST_PARTS]),
        *_pull_request_events(list(pull_requests.values()), deployed, openable),
    ]
    more: Mapping[str, Sequence[object]] = {
        "transitions": transitions,
        "assignments": assignments,
        "sprint changes": changes,
        "changes of values": value_changes,
        "pull requests": links,
    }
    return WorkItemStory(
        name=openable.name(item),
        happenings=in_order(happenings),
        stages=_stages(item, figures),
        links=list(_links(links[:MOST_PARTS], deployed, parent, openable)),
        more=[name for name, parts in more.items() if len(parts) > MOST_PARTS],
        work_item=item,
        figures=figures,
    )


def _its_own(item: WorkItem) -> Iterator[Happening]:
    yield from happened(item.created_at, Happened.CREATED, by=item.reporter, status=item.first_category)


def _transition_events(transitions: Sequence[WorkItemTransition]) -> Iterator[Happening]:
    for transition in transitions:
        yield Happening(
            transition.at,
            Happened.STATUS,
            by=transition.by,
            detail=transition.to_status,
            status=transition.category or "",
        )


def _assignment_events(assignments: Sequence[WorkItemAssignment]) -> Iterator[Happening]:
    for assignment in assignments:
        what = Happened.ASSIGNED if assignment.assignee else Happened.UNASSIGNED
        yield Happening(assignment.at, what, of=assignment.assignee)


def _sprint_events(item: WorkItem, changes: Sequence[SprintChange]) -> Iterator[Happening]:
    if not changes:
        return
    known = Sprint.objects.filter(connection=item.connection_id, external_id__in={change.sprint for change in changes})
    names = dict(known.values_list("external_id", "name"))
    for change in changes:
        what = Happened.SPRINT_JOINED if change.added else Happened.SPRINT_LEFT
        yield Happening(change.at, what, detail=names.get(change.sprint) or change.sprint)


def _value_events(changes: Sequence[WorkItemChange]) -> Iterator[Happening]:
    for change in changes:
        detail = f"{change.before or 'none'} → {change.after or 'none'}"
        yield Happening(change.at, Happened(f"{change.field}_changed"), detail=detail)


def _pull_request_events(
    pull_requests: Sequence[PullRequest], deployed: Sequence[DeployedPullRequest], openable: Openable
) -> Iterator[Happening]:
    for pull_request in pull_requests:
        name, author = openable.name(pull_request), pull_request.author
        yield from happened(pull_request.created_at, Happened.PULL_REQUEST_OPENED, by=author, record=name)
        yield from happened(pull_request.merged_at, Happened.PULL_REQUEST_MERGED, record=name)
    for deployment in {link.deployment_id: link for link in deployed}.values():
        yield Happening(deployment.deployed_at, Happened.DEPLOYED, record=openable.name(deployment.deployment))


def _stages(item: WorkItem, figures: WorkItemFigures | None) -> list[Stage]:
    if figures is None:
        return []
    started, done = figures.first_in_progress_at, figures.done_at
    not_started = "" if started else "not_started"
    not_done = "" if done else _why_not_done(item, figures)
    cycle = stage("in_progress", started, done, not_started or not_done)
    stages = [stage("backlog", item.created_at, started, not_started), cycle]
    if cycle.seconds is not None and figures.active_seconds is not None:
        stages.append(Stage("active", None, None, figures.active_seconds))
        stages.append(Stage("waiting", None, None, cycle.seconds - figures.active_seconds))
    return [*stages, stage("item_lead", item.created_at, done, not_done)]


def _why_not_done(item: WorkItem, figures: WorkItemFigures) -> str:
    if item.status_category == StatusCategory.DONE:
        return "dropped"
    return "reopened" if figures.reopened else "not_done"


def _links(
    links: Sequence[WorkItemLink],
    deployed: Sequence[DeployedPullRequest],
    parent: WorkItem | None,
    openable: Openable,
) -> Iterator[Link]:
    for link in links:
        name = openable.name(link.pull_request)
        yield Link("pull_request", name, link.method, link.pull_request.merged_at or link.pull_request.created_at)
    for contained in {contained.deployment_id: contained for contained in deployed}.values():
        yield Link("deployment", openable.name(contained.deployment), contained.method, contained.deployed_at)
    if parent:
        yield Link("parent", openable.name(parent), "provider")

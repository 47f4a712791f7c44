"""Building blocks of record pages: names of other records, owners, timelines, stages, and links."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db.models import Model, QuerySet
from django.utils import timezone

from core import sql
from integrations.delivery.records.visible import (
    visible_deployments,
    visible_incidents,
    visible_pull_requests,
    visible_work_items,
)
from integrations.facts.ownership import OWNER_DAYS
from integrations.models import Deployment, DeploymentFailure, Incident, PipelineRun, PullRequest, WorkItem
from orgtree.access.access import Access
from orgtree.models import Identity

MOST_PARTS = 300  # listed per kind: a pull request can have thousands of commits


class RecordKind(StrEnum):
    PULL_REQUEST = "pull_request"
    WORK_ITEM = "work_item"
    DEPLOYMENT = "deployment"
    INCIDENT = "incident"
    PIPELINE_RUN = "pipeline_run"  # has no page of its own


class Happened(StrEnum):
    """Kinds of events in a record's timeline."""

    COMMIT = "commit"
    CREATED = "created"
    READY = "ready"
    DRAFT = "draft"
    REVIEW_REQUESTED = "review_requested"
    REVIEW_REQUEST_REMOVED = "review_request_removed"
    FORCE_PUSHED = "force_pushed"
    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    COMMENTED = "commented"
    DISMISSED = "dismissed"
    CLOSED = "closed"
    REOPENED = "reopened"
    MERGED = "merged"
    RUN = "run"
    DEPLOYED = "deployed"
    REVERTED = "reverted"
    STATUS = "status"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    SPRINT_JOINED = "sprint_joined"
    SPRINT_LEFT = "sprint_left"
    ESTIMATE_CHANGED = "estimate_changed"
    TYPE_CHANGED = "type_changed"
    PRIORITY_CHANGED = "priority_changed"
    VERSION_CHANGED = "version_changed"
    STARTED = "started"
    FINISHED = "finished"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    INCIDENT = "incident"
    REPAIRED = "repaired"
    PULL_REQUEST_OPENED = "pull_request_opened"
    PULL_REQUEST_MERGED = "pull_request_merged"
    RESTORED = "restored"


@dataclass(frozen=True)
class RecordName:
    """A reference to another record: its name in its tool, and whether the viewer may open its page."""

    kind: RecordKind
    pk: int
    reference: str
    title: str = ""
    url: str = ""  # in its own tool
    may_be_opened: bool = False


@dataclass(frozen=True)
class Happening:
    """One entry of a timeline.

    `of` is the person affected, `detail` a text from its tool.
    """

    at: datetime
    what: Happened
    by: Identity | None = None
    of: Identity | None = None
    detail: str = ""
    record: RecordName | None = None
    status: str = ""  # a value of RunStatus or StatusCategory
    counts: bool = True  # whether it affects the stages: a review by the author does not


@dataclass(frozen=True)
class Stage:
    """A stage between two moments; without seconds, `missing` gives the reason, as one of WHY_MISSING."""

    name: str
    start: datetime | None
    end: datetime | None
    seconds: float | None
    missing: str = ""


@dataclass(frozen=True)
class Link:
    """A link to another record: the relation, and the method of linking."""

    relation: str
    record: RecordName
    method: str = ""
    at: datetime | None = None


@dataclass(frozen=True)
class Story:
    """The content of a record's page: timeline, stages, and links.

    `more` names the kinds of parts of which only the first MOST_PARTS are listed.
    """

    name: RecordName
    happenings: Sequence[Happening]
    stages: Sequence[Stage]
    links: Sequence[Link]
    more: Sequence[str]


class Openable:
    """The named records that the viewer may open: one query for each kind, none if all may be opened."""

    def __init__(self, access: Access, records: Iterable[Model | None]) -> None:
        self._all = access.visibility.unit_ids is None
        self._ids: dict[type[Model], set[int]] = {}
        if self._all:
            return
        ids_by_model: dict[type[Model], set[int]] = {}
        for record in records:
            if record is not None:
                ids_by_model.setdefault(type(record), set()).add(record.pk)
        visible: Mapping[type[Model], QuerySet[Model]] = {
            PullRequest: visible_pull_requests(access),
            WorkItem: visible_work_items(access),
            Deployment: visible_deployments(access),
            Incident: visible_incidents(access),
        }
        for kind, ids in ids_by_model.items():
            self._ids[kind] = set(visible[kind].filter(pk__in=ids).values_list("pk", flat=True))

    def name(self, record: PullRequest | WorkItem | Deployment | Incident) -> RecordName:
        """A reference to the record, whose `repository`, if it has one, must already be loaded."""
        kind, reference, title = _called(record)
        may = record.deleted_at is None and (self._all or record.pk in self._ids.get(type(record), ()))
        return RecordName(kind, record.pk, reference, title, record.url, may)


def name_of_run(run: PipelineRun) -> RecordName:
    return RecordName(RecordKind.PIPELINE_RUN, run.pk, run.name, "", run.url)


def _called(record: PullRequest | WorkItem | Deployment | Incident) -> tuple[RecordKind, str, str]:
    """The record's kind, its name in its tool, and its title."""
    match record:
        case PullRequest():
            return RecordKind.PULL_REQUEST, f"{record.repository.name}#{record.number}", record.title
        case WorkItem():
            return RecordKind.WORK_ITEM, record.key, record.title
        case Deployment():
            return RecordKind.DEPLOYMENT, record.external_id, record.service or record.repository.name
        case Incident():
            return RecordKind.INCIDENT, record.key or record.external_id, record.title


def stage(name: str, start: datetime | None, end: datetime | None, missing: str = "") -> Stage:
    """The stage between two moments; a negative one is left out."""
    if missing or start is None or end is None:
        return Stage(name, start, end, None, missing or "unknown")
    seconds = (end - start).total_seconds()
    return Stage(name, start, end, seconds) if seconds >= 0 else Stage(name, start, end, None, "negative")


def happened(at: datetime | None, what: Happened, **details: Any) -> Iterator[Happening]:
    """The event, unless its time is unknown."""
    if at is not None:
        yield Happening(at, what, **details)


def consequences(failures: Iterable[DeploymentFailure], openable: Openable) -> Iterator[Happening]:
    """Timeline entries for the failures that a deployment caused, and for the deployments that repaired it."""
    for failure in failures:
        if failure.incident:
            name = openable.name(failure.incident)
            yield from happened(failure.incident.started_at, Happened.INCIDENT, record=name)
            yield from happened(failure.incident.resolved_at, Happened.RESOLVED, record=name)
        if failure.repaired_by:
            name = openable.name(failure.repaired_by)
            yield from happened(failure.repaired_by.finished_at, Happened.REPAIRED, record=name)


def links_of_failures(failures: Iterable[DeploymentFailure], openable: Openable) -> Iterator[Link]:
    """Links to the incidents that a deployment caused, and to the deployments that repaired it."""
    for failure in failures:
        if incident := failure.incident:
            yield Link("incident", openable.name(incident), failure.method, incident.started_at)
        if repair := failure.repaired_by:
            yield Link("repaired_by", openable.name(repair), failure.method, repair.finished_at)


def in_order(happenings: Iterable[Happening]) -> list[Happening]:
    """The timeline, oldest first; events at the same moment keep their given order."""
    return sorted(happenings, key=lambda happening: happening.at)


_OWNERS = f"""
    SELECT unit.name
    FROM ({OWNER_DAYS}) AS owner
    JOIN orgtree_unit unit ON unit.id = owner.unit_id
    WHERE owner.during @> %(day)s AND owner.owned_id = (
        SELECT id FROM integrations_owned
        WHERE kind = 'service' AND name = %(service)s OR repository_id = %(repository)s
        ORDER BY kind = 'service' DESC LIMIT 1
    )
    ORDER BY owner.tree_id
"""  # noqa: S608 — a constant of another module


def owners_of(service: str, repository_id: int | None, at: datetime) -> list[str]:
    """The units that owned the service, or else the repository, on that day: one name per tree.  One query."""
    return sql.column(_OWNERS, {"day": timezone.localdate(at), "service": service, "repository": repository_id})

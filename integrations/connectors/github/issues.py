"""Issues.  Every list also contains pull requests, which are left out.

An issue is only open or closed; teams say with a label that it is in progress.  Labels that are named like such a
status are statuses here, so that a connection's mappings may name them otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.drafts import (
    MISSING,
    AssignmentDraft,
    Missing,
    ProvidedParts,
    TransitionDraft,
    Who,
    WorkItemDraft,
    shown_title,
)
from integrations.connectors.errors import GoneError
from integrations.connectors.github.accounts import account, name_of_event, time_of_event
from integrations.connectors.github.graphql import details_of
from integrations.connectors.github.lists import list_all
from integrations.connectors.github.newest_first import NewestFirst
from integrations.connectors.github.queries import ISSUES
from integrations.connectors.github.stream_repository import Place, record_of
from integrations.connectors.reader import Reader
from integrations.connectors.references import issue_key
from integrations.connectors.status_labels import is_started, status_of
from integrations.connectors.unchecked import text_of
from integrations.enums import StatusCategory

BATCH_OVER_GRAPHQL = 50
BATCH_OVER_REST = 25  # one request each
OPEN, CLOSED = "open", "closed"
CATEGORIES = {OPEN: StatusCategory.TODO, CLOSED: StatusCategory.DONE}
EVENTS_OF_INTEREST = frozenset({"closed", "reopened", "assigned", "unassigned", "labeled", "unlabeled"})
"""Names in REST's timeline."""


def normalise_issue(payload: Json) -> list[WorkItemDraft]:
    """`issue` from REST or a webhook and `repository` (its id and full name); `details` (GraphQL) or `timeline` (REST)
    hold its events, if present.
    """
    reader = Reader(payload)
    issue = Reader(payload.get("issue"), "issue", parent=reader)
    events = _events(reader)
    labels, closed_at = issue.names("labels"), issue.part_time("closed_at")
    state = issue.text("state", default="") or (CLOSED if issue.has("closed_at") else OPEN)
    native_status = status_of(() if labels is MISSING else labels, OPEN) if state == OPEN else state
    return [
        WorkItemDraft(
            external_id=issue.identifier("id"),
            updated_at=issue.part_time("updated_at"),
            deleted=reader.boolean("deleted", default=False),
            project=reader.identifier("repository.id"),
            key=issue_key(reader.text("repository.full_name"), issue.integer("number")),
            title=shown_title(issue.text("title", default="")),
            url=issue.text("html_url", default=MISSING),
            native_type=issue.text("type.name", default=""),
            native_status=native_status,
            status_category=_category(native_status),
            resolution=issue.text("state_reason", default="") if native_status == CLOSED else "",
            parent_key=_parent_key(issue, is_listed=events is not None),
            reporter=account(issue.object("user")),
            assignee=_assignee(issue),
            labels=labels,
            has_description=bool(issue.text("body", default="").strip()),
            comment_count=issue.integer("comments", default=MISSING),
            created_at=issue.time("created_at"),
            resolved_at=closed_at,
            transitions=MISSING if events is None else ProvidedParts(_transitions(events)),
            assignments=MISSING if events is None else ProvidedParts(_assignments(events)),
            left_out=tuple(reader.left_out),
        )
    ]


def _assignee(issue: Reader) -> Who | None:
    """The first of several assignees."""
    return next((who for who in map(account, issue.objects("assignees")) if who is not None), None)


def _parent_key(issue: Reader, *, is_listed: bool) -> str | Missing:
    """The parent's key; lists name the parent only if there is one, and webhooks may leave it out."""
    address = issue.text("parent_issue_url", default="")
    if not address:
        return "" if is_listed else MISSING
    parts = urlsplit(address).path.rstrip("/").split("/")  # …/repos/acme/shop/issues/12
    number = parts[-1]
    return issue_key("/".join(parts[-4:-2]), int(number)) if len(parts) >= 4 and number.isdecimal() else MISSING


def _events(reader: Reader) -> list[tuple[datetime, str, Reader]] | None:
    """Time, name and event, in order of time, from either API; None if they are not provided."""
    if (details := reader.object("details")) is not None:
        events = details.parts("timelineItems.nodes", _event)
    else:
        events = reader.parts("timeline", _event)
    return None if events is None else sorted(events, key=lambda event: event[0])


def _event(event: Reader) -> tuple[datetime, str, Reader] | None:
    name = name_of_event(event)
    at = time_of_event(event) if name in EVENTS_OF_INTEREST else None
    return None if at is None else (at, name, event)


def _transitions(events: Sequence[tuple[datetime, str, Reader]]) -> list[TransitionDraft]:
    """The transitions, without events that leave the status unchanged, such as closing it again for another reason."""
    transitions: list[TransitionDraft] = []
    status, state = OPEN, OPEN
    labels: list[str] = []
    for at, name, event in events:
        state = {"closed": CLOSED, "reopened": OPEN}.get(name, state)
        if name in ("labeled", "unlabeled"):
            label = event.text("label.name", default="")
            labels = [name for name in labels if name != label] + ([label] if name == "labeled" else [])
        to = CLOSED if state == CLOSED else status_of(labels, OPEN)
        if to != status:
            transitions.append(
                TransitionDraft(
                    at=at,
                    from_status=status,
                    to_status=to,
                    category=CATEGORIES.get(to, StatusCategory.IN_PROGRESS),
                    by=account(event.object("actor")),
                )
            )
            status = to
    return transitions


def _category(status: str) -> StatusCategory | Missing:
    return StatusCategory.IN_PROGRESS if is_started(status) else CATEGORIES.get(status, MISSING)


def _assignments(events: Iterable[tuple[datetime, str, Reader]]) -> list[AssignmentDraft]:
    """The assignments over time, with the first of several assignees."""
    assignments: list[AssignmentDraft] = []
    assigned: list[Who] = []
    for at, name, event in events:
        who = account(event.object("assignee")) if name in ("assigned", "unassigned") else None
        if who is None:
            continue
        before = assigned[:1]
        if name == "assigned" and who not in assigned:
            assigned.append(who)
        elif name == "unassigned" and who in assigned:
            assigned.remove(who)
        if assigned[:1] != before:
            assignments.append(AssignmentDraft(at=at, assignee=assigned[0] if assigned else None))
    return assignments


def fetch_issues(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read issues; nothing if the repository's issues are disabled."""
    if place.resource.details.get("has_issues") is False:
        yield Page((), cursor)
        return
    record = partial(record_of, "issue", normalise_issue, repository=place.repository)

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        if place.graphql:
            details = details_of(http, place.graphql, ISSUES, [text_of(entry, "node_id") for entry in entries])
            return [record(entry, details=details.get(text_of(entry, "node_id"))) for entry in entries]
        return [record(entry, timeline=_timeline(http, place, entry)) for entry in entries]

    issues = NewestFirst(
        path=place.path("issues"),
        params={"state": "all", "sort": "updated", "direction": "desc"},
        sorted_by="updated_at",
        read=read,
        batch=BATCH_OVER_GRAPHQL if place.graphql else BATCH_OVER_REST,
        is_relevant=lambda item: not (isinstance(item, dict) and "pull_request" in item),
        parameter="since",
    )
    yield from issues.pages(http, cursor, now=now)


def _timeline(http: Http, place: Place, entry: Json) -> list[Any] | None:
    number = text_of(entry, "number")
    if not number:
        return None
    try:
        events = list_all(http, place.path("issues", number, "timeline"))
        return [event for event in events if text_of(event, "event") in EVENTS_OF_INTEREST]
    except GoneError:
        return None  # deleted since it was listed, and not yet noticed

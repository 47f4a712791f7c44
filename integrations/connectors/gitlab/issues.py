"""Issues and tasks of a project, and iterations of a group as sprints.

Incidents, which GitLab lists among issues, are another stream.

An issue is only open or closed; a label that is named like a status gives it a status in between, and the history of
labels shows since when.  Changes of state, labels, iteration and weight have histories of their own; assignees are in
the notes.  Why it was closed is known of duplicates and of those that were moved.

https://docs.gitlab.com/api/issues/, /api/resource_state_events/, /api/resource_label_events/,
/api/resource_iteration_events/, /api/resource_weight_events/, /api/group_iterations/; the numbers of an iteration's
`state` are those of STATE_ENUM_MAP in ee/app/models/ee/iteration.rb.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord
from integrations.connectors.drafts import (
    MISSING,
    AssignmentDraft,
    Missing,
    ProvidedParts,
    SprintChangeDraft,
    SprintDraft,
    TransitionDraft,
    ValueChangeDraft,
    Who,
    WorkItemDraft,
    shown_title,
)
from integrations.connectors.errors import GoneError, PermanentError
from integrations.connectors.gitlab.changes import changes_in
from integrations.connectors.gitlab.group_changes import GroupChanges
from integrations.connectors.gitlab.lists import list_all
from integrations.connectors.gitlab.records import (
    Note,
    Place,
    account,
    logins_in,
    notes_in,
    read_notes,
    said,
)
from integrations.connectors.reader import Reader
from integrations.connectors.status_labels import is_started, status_of
from integrations.connectors.unchecked import record_of, text_of
from integrations.enums import ItemField, SprintState, StatusCategory

SOURCE, INCIDENT, ITERATION = "issue", "incident", "iteration"
OPENED, CLOSED = "opened", "closed"
CATEGORIES = {OPENED: StatusCategory.TODO, CLOSED: StatusCategory.DONE}
PLAIN = "issue"  # the type of an issue that has no other
DUPLICATE, MOVED = "duplicate", "moved"
_REMOVED = "unassigned"
_LARGEST_WEIGHT = 10**6
ITERATIONS = {"state": "all", "include_descendants": "true", "include_ancestors": "false"}  # each on one board
_ITERATION_STATES = {1: SprintState.PLANNED, 2: SprintState.ACTIVE, 3: SprintState.CLOSED}
_Event = tuple[datetime, str, Reader]


def normalise_issue(payload: Json) -> list[WorkItemDraft]:
    """`issue` from a list, with `state_events`, `label_events`, `notes` and, if there are iterations and weights,
    `iteration_events` and `weight_events`.
    """
    reader = Reader(payload)
    issue = Reader(payload.get("issue"), "issue", parent=reader)
    labels, closed_at = issue.texts("labels"), issue.part_time("closed_at")
    state = issue.text("state", default="") or (CLOSED if closed_at else OPENED)
    status = status_of(() if labels is MISSING else labels, state) if state == OPENED else state
    type_ = issue.text("issue_type", default="").lower()
    events, notes = _events(reader), notes_in(reader)
    iterations = reader.parts("iteration_events", _sprint_change)
    weights = reader.parts("weight_events", _weight_event)
    milestone = issue.text("milestone.title", default="")
    weight = issue.integer("weight", default=None)
    assignees = [who for who in map(account, issue.objects("assignees")) if who is not None]
    return [
        WorkItemDraft(
            external_id=issue.identifier("id"),
            updated_at=issue.part_time("updated_at"),
            project=issue.identifier("project_id"),
            key=issue.text("references.full"),
            title=shown_title(issue.text("title", default="")),
            url=issue.text("web_url", default=MISSING),
            native_type="" if type_ == PLAIN else type_,
            native_status=status,
            status_category=_category(status),
            resolution=_resolution(issue) if state == CLOSED else "",
            estimate=float(weight) if weight is not None and 0 <= weight < _LARGEST_WEIGHT else None,
            parent_key="",
            due_on=issue.part_date("due_date"),
            versions=(milestone,) if milestone else (),
            release_on=issue.part_date("milestone.due_date") if milestone else None,
            reporter=account(issue.object("author")),
            assignee=assignees[0] if assignees else None,
            labels=labels,
            has_description=bool(issue.text("description", default="").strip()),
            comment_count=issue.integer("user_notes_count", default=MISSING),
            created_at=issue.time("created_at"),
            resolved_at=closed_at if state == CLOSED else None,
            transitions=MISSING if events is None else ProvidedParts(_transitions(events)),
            assignments=MISSING if notes is None else ProvidedParts(_assignments(notes)),
            sprint_changes=MISSING if iterations is None else ProvidedParts(list(_moves(iterations))),
            value_changes=MISSING if weights is None else ProvidedParts(list(_weights(weights))),
            left_out=tuple(reader.left_out),
        )
    ]


def _category(status: str) -> StatusCategory | Missing:
    return StatusCategory.IN_PROGRESS if is_started(status) else CATEGORIES.get(status, MISSING)


def _resolution(issue: Reader) -> str:
    """The reason of a closed issue: the one it duplicates, or the one it became in another project."""
    if issue.text("_links.closed_as_duplicate_of", default=""):
        return DUPLICATE
    return MOVED if issue.identifier("moved_to_id", default="") else ""


def _events(reader: Reader) -> list[_Event] | None:
    """Time, kind and event of all changes of state and labels, in order; None if they were not read."""
    states = reader.parts("state_events", partial(_event, field="state"))
    labels = reader.parts("label_events", partial(_event, field="action"))
    if states is None or labels is None:
        return None
    return sorted((*labels, *states), key=lambda event: event[0])


def _event(event: Reader, field: str) -> _Event | None:
    at = event.part_time("created_at", required=True)
    return None if at is None else (at, event.text(field, default=""), event)


def _transitions(events: Iterable[_Event]) -> list[TransitionDraft]:
    """The transitions; an event that does not change the status makes none."""
    transitions: list[TransitionDraft] = []
    status, state = OPENED, OPENED
    labels: list[str] = []
    for at, name, event in events:
        if name in ("add", "remove"):
            label = event.text("label.name", default="")  # null once the label is deleted
            labels = [known for known in labels if known != label] + ([label] if name == "add" else [])
        else:
            state = CLOSED if name == CLOSED else OPENED
        to = CLOSED if state == CLOSED else status_of(labels, OPENED)
        if to != status:
            by = account(event.object("user"))
            category = CATEGORIES.get(to, StatusCategory.IN_PROGRESS)
            transitions.append(TransitionDraft(at=at, from_status=status, to_status=to, category=category, by=by))
            status = to
    return transitions


def _assignments(notes: Iterable[Note]) -> list[AssignmentDraft]:
    """The assignments over time, with the first of several assignees."""
    assignments: list[AssignmentDraft] = []
    assigned: list[str] = []
    for at, note in notes:
        words = said(note)
        if not words.startswith(("assigned to", _REMOVED, "removed assignee")):
            continue
        added, _, removed = words.partition(_REMOVED)
        gone = set(logins_in(removed)) if not words.startswith("removed assignee") else set(assigned)
        now_assigned = [login for login in assigned if login not in gone]
        now_assigned += [login for login in logins_in(added) if login not in now_assigned]
        if now_assigned[:1] != assigned[:1]:
            assignments.append(AssignmentDraft(at=at, assignee=Who(login=now_assigned[0]) if now_assigned else None))
        assigned = now_assigned
    return assignments


def _sprint_change(event: Reader) -> SprintChangeDraft | None:
    at = event.part_time("created_at", required=True)
    sprint = event.identifier("iteration.id", default="")
    if at is None or not sprint:
        return None
    added = event.text("action", default="") == "add"
    return SprintChangeDraft(at=at, sprint=sprint, added=added, by=account(event.object("user")))


def _moves(events: Sequence[SprintChangeDraft]) -> Iterator[SprintChangeDraft]:
    """The changes, including leaving the previous iteration: an issue is in one at a time, and its history names only
    the new one.
    """
    current = ""
    for event in sorted(events, key=lambda event: event.at):
        if event.added and current not in ("", event.sprint):
            yield replace(event, sprint=current, added=False)
        current = event.sprint if event.added else "" if event.sprint == current else current
        yield event


def _weight_event(event: Reader) -> ValueChangeDraft | None:
    """The weight from then on; none if it was removed."""
    at = event.part_time("created_at", required=True)
    weight = event.integer("weight", default=None)
    if at is None:
        return None
    after = "" if weight is None else str(weight)
    return ValueChangeDraft(at=at, field=ItemField.ESTIMATE, before="", after=after, by=account(event.object("user")))


def _weights(events: Sequence[ValueChangeDraft]) -> Iterator[ValueChangeDraft]:
    """The changes, each from the weight before: events name the new one alone, the first as early as the creation."""
    before = ""
    for event in sorted(events, key=lambda event: event.at):
        yield replace(event, before=before)
        before = event.after or ""


def fetch_issues(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read issues: a changed one costs three requests, and one more for iterations and for weights each."""

    def read(entries: Sequence[Json]) -> list[RawRecord]:
        plain = (entry for entry in entries if text_of(entry, "issue_type") != INCIDENT)
        return [record for entry in plain for record in _read(http, place, entry)]

    changes = changes_in(
        place.path("issues"),
        params={"state": "all", "scope": "all"},
        read=read,
        group=GroupChanges(place, "issues"),
    )
    yield from changes.pages(http, cursor, now=now)


def _read(http: Http, place: Place, entry: Json) -> Iterator[RawRecord]:
    number = text_of(entry, "iid")
    if not number:
        yield record_of(SOURCE, normalise_issue, entry)
        return
    path = place.path("issues", number)
    try:
        parts: dict[str, Any] = {
            "state_events": list(list_all(http, f"{path}/resource_state_events")),
            "label_events": list(list_all(http, f"{path}/resource_label_events")),
            "notes": read_notes(http, path),
            "iteration_events": _paid(http, f"{path}/resource_iteration_events") if "iteration" in entry else None,
            "weight_events": _paid(http, f"{path}/resource_weight_events") if "weight" in entry else None,
        }
    except GoneError:  # deleted since it was listed
        return
    yield record_of(SOURCE, normalise_issue, entry, **parts)


def _paid(http: Http, path: str) -> list[Any] | None:
    """The history of what a paid tier alone has; None on one without it."""
    try:
        return list(list_all(http, path))
    except PermanentError:
        return None


# Iterations -----------------------------------------------------------------------------------------------------------


def normalise_iteration(payload: Json) -> list[SprintDraft]:
    """`iteration` from a list, and `board`, the group that was read.  Its days are those of UTC: it has no zone."""
    reader = Reader(payload)
    iteration = Reader(payload.get("iteration"), "iteration", parent=reader)
    native = iteration.integer("state", default=0)
    first, last = iteration.part_date("start_date"), iteration.part_date("due_date")
    ends_at = _midnight(last + timedelta(days=1)) if last else None
    days = " – ".join(str(day) for day in (first, last) if day)
    state = _ITERATION_STATES.get(native, SprintState.PLANNED)
    return [
        SprintDraft(
            external_id=iteration.identifier("id"),
            updated_at=iteration.part_time("updated_at"),
            board=reader.identifier("board"),
            name=shown_title(iteration.text("title", default="") or days),  # automatic ones have no title
            state=state,
            native_state=str(native or ""),
            starts_at=_midnight(first) if first else None,
            ends_at=ends_at,
            completed_at=ends_at if state is SprintState.CLOSED else None,
            left_out=tuple(reader.left_out),
        )
    ]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def fetch_iterations(http: Http, resource: FetchedResource, cursor: Cursor) -> Iterator[Page]:
    """Read all iterations, a hundred per request: their state changes with the calendar."""
    listed: list[Any] = list(list_all(http, f"groups/{resource.external_id}/iterations", ITERATIONS))
    records = [record_of(ITERATION, normalise_iteration, entry, board=resource.external_id) for entry in listed]
    yield Page(records, {"read": True}, left=0, complete=not cursor)

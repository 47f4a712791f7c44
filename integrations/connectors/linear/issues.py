"""Issues of a team with their whole history, including archived ones.

A list names the changed ones only by id, because Linear prices a query by what it may return, even if that is nothing;
ten are then read at once with their history, which would make a list of fifty too complex:
https://github.com/canvasxai/sketch/pull/246.  Later pages of a long history are read for each.

https://linear.app/developers/filtering, /pagination; the fields are those of packages/sdk/src/schema.graphql of
linear/linear @8335e09a (July 2026).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.changes import GRAIN, Changes, ListedPage, written
from integrations.connectors.drafts import (
    MISSING,
    AssignmentDraft,
    Missing,
    ProvidedParts,
    SprintChangeDraft,
    TransitionDraft,
    ValueChangeDraft,
    Who,
    WorkItemDraft,
    shown_title,
)
from integrations.connectors.errors import TransientError
from integrations.connectors.linear.graphql import PER_PAGE, ask, list_page, page_of
from integrations.connectors.linear.records import (
    CATEGORIES,
    DROPPED,
    PRIORITIES,
    PRIORITY_LABELS,
    STATUS,
    USER,
    account,
    key_of_project,
    number_in,
    priority_in,
)
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import as_record, object_of, record_of, text_of
from integrations.enums import ItemField, Priority, StatusCategory

SOURCE = "linear_issue"
LABELS = 20
WITH_THE_CLOSE = timedelta(minutes=10)  # in which Linear moves unfinished issues to the next cycle
LIST = """
query Issues($first: Int!, $after: String, $filter: IssueFilter!) {
  issues(first: $first, after: $after, filter: $filter, orderBy: updatedAt, includeArchived: true) {
    pageInfo { hasNextPage endCursor }
    nodes { id updatedAt }
  }
}"""
_ENTRY = f"""
      id createdAt actor {USER} botActor {{ name }} fromState {STATUS} toState {STATUS}
      fromAssigneeId fromAssignee {USER} toAssigneeId toAssignee {USER}
      fromCycleId toCycleId fromCycle {{ completedAt }}
      fromEstimate toEstimate fromPriority toPriority
"""
_HISTORY = f"pageInfo {{ hasNextPage endCursor }} nodes {{ {_ENTRY} }}"
DETAILS = f"""
query Details($ids: [ID!]!, $first: Int!) {{
  issues(first: $first, filter: {{ id: {{ in: $ids }} }}, includeArchived: true) {{
    nodes {{
      id identifier previousIdentifiers title description url priority estimate dueDate trashed
      createdAt updatedAt completedAt canceledAt
      state {STATUS} team {{ id }} assignee {USER} creator {USER} cycle {{ id }} project {{ slugId }}
      parent {{ identifier }} labels(first: {LABELS}) {{ nodes {{ name }} }}
      history(first: {PER_PAGE}) {{ {_HISTORY} }}
    }}
  }}
}}"""
HISTORY = f"""
query History($id: String!, $after: String) {{
  issue(id: $id) {{ history(first: {PER_PAGE}, after: $after) {{ {_HISTORY} }} }}
}}"""


def normalise_issue(payload: Json) -> list[WorkItemDraft]:
    """`linear_issue` from a list, and `history`, which may be missing.  Linear has no types: labels give the type."""
    reader = Reader(payload)
    issue = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    history = _history_in(reader)
    kind, priority = issue.text("state.type", default=""), priority_in(issue)
    created_at, project = issue.time("createdAt"), issue.text("project.slugId", default="")
    assignee = account(issue.object("assignee"))
    return [
        WorkItemDraft(
            external_id=issue.identifier("id"),
            updated_at=issue.part_time("updatedAt"),
            deleted=issue.boolean("trashed", default=False),
            project=issue.identifier("team.id"),
            key=issue.text("identifier"),
            former_keys=issue.texts("previousIdentifiers"),
            title=shown_title(issue.text("title", default="")),
            url=issue.text("url", default=MISSING),
            native_type="",
            native_status=issue.text("state.name", default=MISSING),
            status_category=CATEGORIES.get(kind, MISSING),
            first_category=MISSING if history is None else _first_category(history, kind),
            native_priority=PRIORITY_LABELS.get(priority, ""),
            priority=PRIORITIES.get(priority, Priority.UNKNOWN),
            resolution=DROPPED.get(kind, ""),
            estimate=number_in(issue, "estimate"),
            parent_key=issue.text("parent.identifier", default="") or (key_of_project(project) if project else ""),
            due_on=issue.part_date("dueDate"),
            versions=(),
            release_on=None,
            reporter=account(issue.object("creator")),
            assignee=assignee,
            labels=issue.names("labels.nodes"),
            has_description=issue.boolean("has_description", default=False),
            created_at=created_at,
            resolved_at=issue.part_time("completedAt") or issue.part_time("canceledAt"),
            transitions=MISSING if history is None else ProvidedParts(_transitions(history)),
            assignments=MISSING if history is None else ProvidedParts(_assignments(history, created_at, assignee)),
            sprint_changes=MISSING if history is None else ProvidedParts(_sprint_changes(issue, history, created_at)),
            value_changes=MISSING if history is None else ProvidedParts(list(_value_changes(history))),
            left_out=tuple(reader.left_out),
        )
    ]


# History ------------------------------------------------------------------------------------------------------------

Entry = tuple[datetime, Reader]


def _history_in(reader: Reader) -> list[Entry] | None:
    """The changes of a payload in order of time; None if they were not read."""
    entries = reader.parts("history", _entry)
    return None if entries is None else sorted(entries, key=lambda entry: entry[0])


def _entry(entry: Reader) -> Entry | None:
    at = entry.part_time("createdAt", required=True)
    return None if at is None else (at, entry)


def _first_category(history: Sequence[Entry], kind: str) -> StatusCategory | Missing:
    """The category of the status in which it was created: the one that the first change left, else the current one."""
    first = next((entry.text("fromState.type", default="") for _, entry in history if entry.has("fromState")), kind)
    return CATEGORIES.get(first, MISSING)


def _transitions(history: Sequence[Entry]) -> list[TransitionDraft]:
    return [
        TransitionDraft(
            at=at,
            from_status=entry.text("fromState.name", default=""),
            to_status=entry.text("toState.name", default=""),
            category=CATEGORIES.get(entry.text("toState.type", default="")),
            by=account(entry.object("actor")),
        )
        for at, entry in history
        if entry.has("toState") and entry.has("fromState")
    ]


def _assignments(history: Sequence[Entry], created_at: datetime, now: Who | None) -> list[AssignmentDraft]:
    """The assignments since its creation: the person whom the first change replaced had it until then."""
    changes = [
        (at, _person(entry, "fromAssignee"), _person(entry, "toAssignee"))
        for at, entry in history
        if entry.has("fromAssigneeId") or entry.has("toAssigneeId")
    ]
    first = changes[0][1] if changes else now
    drafts = [] if first is None else [AssignmentDraft(at=created_at, assignee=first)]
    return drafts + [AssignmentDraft(at=at, assignee=after) for at, _, after in changes]


def _person(entry: Reader, name: str) -> Who | None:
    """The person of a change; if the account is gone, only the id is known."""
    id_ = entry.identifier(f"{name}Id", default="")
    return account(entry.object(name)) or (Who(login=id_, account=id_) if id_ else None)


def _sprint_changes(issue: Reader, history: Sequence[Entry], created_at: datetime) -> list[SprintChangeDraft]:
    """Additions to and removals from cycles; before the first change, it was in the cycle from which that change
    took it.
    """
    changes = [
        (at, entry.identifier("fromCycleId", default=""), entry.identifier("toCycleId", default=""), entry)
        for at, entry in history
        if entry.has("fromCycleId") or entry.has("toCycleId")
    ]
    first = changes[0][1] if changes else issue.identifier("cycle.id", default="")
    drafts = [SprintChangeDraft(at=created_at, sprint=first, added=True)] if first else []
    for changed_at, before, after, entry in changes:
        by, at = account(entry.object("actor")), _after_the_close(changed_at, entry)
        drafts += [SprintChangeDraft(at=at, sprint=before, added=False, by=by)] if before else []
        drafts += [SprintChangeDraft(at=at, sprint=after, added=True, by=by)] if after else []
    return drafts


def _after_the_close(at: datetime, entry: Reader) -> datetime:
    """The time of a move to another cycle: leftover issues are moved with the close, not before it."""
    closed_at = entry.part_time("fromCycle.completedAt")
    return closed_at if closed_at and timedelta(0) < closed_at - at <= WITH_THE_CLOSE else at


def _value_changes(history: Sequence[Entry]) -> Iterator[ValueChangeDraft]:
    for at, entry in history:
        by = account(entry.object("actor"))
        for field, name in ((ItemField.ESTIMATE, "Estimate"), (ItemField.PRIORITY, "Priority")):
            if entry.has(f"from{name}") or entry.has(f"to{name}"):
                before, after = (_shown(field, number_in(entry, f"{end}{name}")) for end in ("from", "to"))
                yield ValueChangeDraft(at=at, field=field, before=before, after=after, by=by)


def _shown(field: ItemField, value: float | None) -> str:
    """The value as the item shows it; empty if there was none."""
    if value is None:
        return ""
    return PRIORITY_LABELS.get(int(value), "") if field is ItemField.PRIORITY else f"{value:g}"


# Reading ------------------------------------------------------------------------------------------------------------


def fetch_issues(http: Http, team: str, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read issues: ten changed ones cost a request, and each long history one more for fifty changes."""

    def page(http: Http, since: str, before: datetime | None, number: int) -> ListedPage:
        changed = {**({"gte": since} if since else {}), **({"lte": written(before + GRAIN)} if before else {})}
        wanted: Json = {"team": {"id": {"eq": team}}, **({"updatedAt": changed} if changed else {})}
        variables: Json = {"first": PER_PAGE, "filter": wanted}
        listed = list_page(http, LIST, "issues", variables)
        for _ in range(number - 1):  # a page for whole moments alone, as after a bulk edit
            if not listed.after:
                return ListedPage((), True, listed.headers)
            listed = list_page(http, LIST, "issues", {**variables, "after": listed.after})
        return ListedPage(listed.nodes, not listed.after, listed.headers)

    changes = Changes(
        list_page=page,
        read=lambda entries: _read(http, entries),
        answered="Linear answered a query of issues",
        time_field="updatedAt",
    )
    yield from changes.pages(http, cursor, now=now)


def _read(http: Http, entries: Sequence[Json]) -> list[RawRecord]:
    """The records of ten issues; those that were deleted since they were listed are left out.

    Raises TransientError if the answer contains issues that were not requested: a proxy sent another one.
    """
    ids = [id_ for entry in entries if (id_ := text_of(entry, "id"))]
    records = [record_of(SOURCE, normalise_issue, entry) for entry in entries if not text_of(entry, "id")]
    if not ids:
        return records
    data, headers = ask(http, DETAILS, {"ids": ids, "first": len(ids)})
    nodes = page_of(data.get("issues"), "details", headers, "").nodes
    found = {text_of(issue, "id"): issue for issue in map(as_record, nodes)}
    if found.keys() - set(ids):
        raise TransientError("Linear answered with issues other than those requested.")
    for id_ in (id_ for id_ in ids if id_ in found):
        history = _history(http, id_, found[id_].get("history"))
        records.append(record_of(SOURCE, normalise_issue, _stored(found[id_]), history=history))
    return records


def _history(http: Http, id_: str, listed: Any) -> list[Any]:
    """All changes; the issue contained the first page of them."""
    page = page_of(listed, "history", {}, "")
    changes = page.nodes
    while page.after:
        more, headers = ask(http, HISTORY, {"id": id_, "after": page.after})
        page = page_of(object_of(more, "issue").get("history"), "history", headers, page.after)
        changes = [*changes, *page.nodes]
    return changes


def _stored(issue: Json) -> Json:
    """The issue without its description, and without its history, which is stored separately."""
    kept = {name: value for name, value in issue.items() if name not in ("description", "history")}
    return {**kept, "has_description": bool(text_of(issue, "description").strip())}

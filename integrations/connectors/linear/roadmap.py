"""Projects and initiatives of the workspace: the epics of its issues, and the initiatives that these belong to.

They belong to no team, so they are a separate resource.  Of their changes of status, only the times at which a project
began and ended are known.

The fields are those of types Project and Initiative of linear/linear @8335e09a.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from integrations.connectors.base import Cursor, Http, Json, Page, RawRecord
from integrations.connectors.changes import OVERLAP, written
from integrations.connectors.drafts import MISSING, ProvidedParts, TransitionDraft, WorkItemDraft, shown_title
from integrations.connectors.linear.graphql import PER_PAGE, list_page
from integrations.connectors.linear.records import (
    CATEGORIES,
    DROPPED,
    PRIORITIES,
    PRIORITY_LABELS,
    USER,
    account,
    key_of_initiative,
    key_of_project,
    priority_in,
)
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import record_of
from integrations.enums import Priority

PROJECT, INITIATIVE = "linear_project", "initiative"
EPIC_TYPE, INITIATIVE_TYPE = "Epic", "Initiative"
_FIELDS = "id slugId name url priority targetDate createdAt updatedAt startedAt completedAt canceledAt trashed"
PROJECTS = f"""
query Projects($first: Int!, $after: String, $filter: ProjectFilter!) {{
  projects(first: $first, after: $after, filter: $filter, orderBy: updatedAt, includeArchived: true) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{
      {_FIELDS} status {{ name type }} lead {USER} creator {USER}
      labels(first: 10) {{ nodes {{ name }} }} initiatives(first: 5) {{ nodes {{ slugId }} }}
    }}
  }}
}}"""
INITIATIVES = f"""
query Initiatives($first: Int!, $after: String, $filter: InitiativeFilter!) {{
  initiatives(first: $first, after: $after, filter: $filter, orderBy: updatedAt, includeArchived: true) {{
    pageInfo {{ hasNextPage endCursor }}
    nodes {{ {_FIELDS} status owner {USER} creator {USER} parentInitiative {{ slugId }} }}
  }}
}}"""
_LISTS = ((PROJECT, PROJECTS, "projects"), (INITIATIVE, INITIATIVES, "initiatives"))


def normalise_project(payload: Json) -> list[WorkItemDraft]:
    """`linear_project` from a list, and `workspace`, its id.  Of several initiatives the first is its parent."""
    reader = Reader(payload)
    project = Reader(payload.get(PROJECT), PROJECT, parent=reader)
    slugs = project.names("initiatives.nodes", "slugId")
    parent = key_of_initiative(slugs[0]) if slugs is not MISSING and slugs else ""
    name, kind = (project.text(f"status.{field}", default="") for field in ("name", "type"))
    key = key_of_project(project.text("slugId"))
    return [_item(reader, project, key, EPIC_TYPE, parent=parent, status=name, kind=kind, owner="lead")]


def normalise_initiative(payload: Json) -> list[WorkItemDraft]:
    """`initiative` from a list, and `workspace`."""
    reader = Reader(payload)
    initiative = Reader(payload.get(INITIATIVE), INITIATIVE, parent=reader)
    above = initiative.text("parentInitiative.slugId", default="")
    status = initiative.text("status", default="")
    key, parent = key_of_initiative(initiative.text("slugId")), key_of_initiative(above) if above else ""
    return [
        _item(
            reader, initiative, key, INITIATIVE_TYPE, parent=parent, status=status, kind=status.lower(), owner="owner"
        )
    ]


def _item(
    reader: Reader, item: Reader, key: str, native_type: str, *, parent: str, status: str, kind: str, owner: str
) -> WorkItemDraft:
    priority = priority_in(item)
    return WorkItemDraft(
        external_id=item.identifier("id"),
        updated_at=item.part_time("updatedAt"),
        deleted=item.boolean("trashed", default=False),
        project=reader.identifier("workspace"),
        key=key,
        former_keys=(),
        title=shown_title(item.text("name", default="")),
        url=item.text("url", default=MISSING),
        native_type=native_type,
        native_status=status or MISSING,
        status_category=CATEGORIES.get(kind, MISSING),
        native_priority=PRIORITY_LABELS.get(priority, ""),
        priority=PRIORITIES.get(priority, Priority.UNKNOWN),
        resolution=DROPPED.get(kind, ""),
        estimate=None,
        parent_key=parent,
        due_on=item.part_date("targetDate"),
        versions=(),
        release_on=None,
        reporter=account(item.object("creator")),
        assignee=account(item.object(owner)),
        labels=item.names("labels.nodes"),
        has_description=None,
        comment_count=None,
        created_at=item.time("createdAt"),
        resolved_at=item.part_time("completedAt") or item.part_time("canceledAt"),
        transitions=ProvidedParts(_transitions(item)),
        assignments=ProvidedParts(),
        sprint_changes=ProvidedParts(),
        left_out=tuple(reader.left_out),
    )


def _transitions(item: Reader) -> list[TransitionDraft]:
    """The changes of status whose times are known, under the names of their types."""
    known = [
        (at, kind) for kind in ("started", "completed", "canceled") if (at := item.part_time(f"{kind}At")) is not None
    ]
    statuses = ["backlog", *(kind for _, kind in known)]
    return [
        TransitionDraft(at=at, from_status=before, to_status=kind, category=CATEGORIES[kind])
        for (at, kind), before in zip(sorted(known), statuses, strict=False)
    ]


def fetch_roadmap(http: Http, workspace: str, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read projects, then initiatives: all of them, later those that changed.  A cursor is {} or {"since"}, with
    {"then", "list", "after"} while a reading is in progress.
    """
    since, then, after = (str(cursor.get(name, "")) for name in ("since", "then", "after"))
    wanted: Json = {"updatedAt": {"gte": since}} if since else {}
    started = {"since": since} if since else {}
    for position in range(int(cursor.get("list", 0)), len(_LISTS)):
        source, query, name = _LISTS[position]
        while True:
            variables = {"first": PER_PAGE, "filter": wanted, "after": after or None}
            page = list_page(http, query, name, variables)
            then = then or written(response_time(page.headers, now) - OVERLAP)
            records = [_record(source, node, workspace) for node in page.nodes]
            after = page.after
            if not after:
                break
            yield Page(records, {**started, "then": then, "list": position, "after": after})
        if position + 1 < len(_LISTS):
            yield Page(records, {**started, "then": then, "list": position + 1})
        else:
            yield Page(records, {"since": then}, left=0, complete=not since)


def _record(source: str, node: Any, workspace: str) -> RawRecord:
    normalise = normalise_project if source == PROJECT else normalise_initiative
    return record_of(source, normalise, node, workspace=workspace)

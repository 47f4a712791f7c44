"""Iterations of a project that have days, as sprints.

https://learn.microsoft.com/rest/api/azure/devops/wit/classification-nodes/get
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from integrations.connectors.azure.lists import get
from integrations.connectors.azure.records import Place
from integrations.connectors.base import Cursor, Http, Json, Page
from integrations.connectors.drafts import SprintDraft, shown_title
from integrations.connectors.errors import TransientError
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import object_of, objects_of, record_of
from integrations.enums import SprintState

SOURCE = "iteration"
DEEPEST = 14  # the most levels that a project may have


def normalise_iteration(payload: Json) -> list[SprintDraft]:
    """`iteration`, a node with its `path` below the project; `board`, and `at`, the time at which it was read."""
    reader = Reader(payload)
    node = Reader(payload.get("iteration"), "iteration", parent=reader)
    at = reader.time("at")
    starts_at, last = node.part_time("attributes.startDate"), node.part_time("attributes.finishDate")
    ends_at = last + timedelta(days=1) if last else None  # midnight of its last day
    state = SprintState.PLANNED
    if ends_at is not None and ends_at <= at:
        state = SprintState.CLOSED
    elif starts_at is not None and starts_at <= at:
        state = SprintState.ACTIVE
    return [
        SprintDraft(
            external_id=node.identifier("id"),
            board=reader.identifier("board"),
            name=shown_title(node.text("path", default="") or node.text("name", default="")),
            state=state,
            native_state="",
            starts_at=starts_at,
            ends_at=ends_at,
            completed_at=ends_at if state is SprintState.CLOSED else None,
            left_out=tuple(reader.left_out),
        )
    ]


def fetch_iterations(http: Http, place: Place, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read all iterations in one request: their state changes with the calendar."""
    path = place.api("wit/classificationnodes/Iterations")
    response = get(http, path, {"$depth": DEEPEST})
    root = response.json()
    if not isinstance(root, dict) or "id" not in root:
        raise TransientError(f"Azure DevOps answered {path} with something other than iterations.")
    at = response_time(response.headers, now)
    # The day is enough: a sprint that has not changed stays as it is.
    day = at.replace(hour=0, minute=0, second=0, microsecond=0).isoformat()
    records = [
        record_of(SOURCE, normalise_iteration, node, board=place.resource.external_id, at=day)
        for node in _below(root, "")
        if object_of(node, "attributes")
    ]
    yield Page(records, {"read": True}, left=0, complete=not cursor)


def _below(node: Json, path: str) -> Iterator[Json]:
    for child in objects_of(node.get("children")):
        name = f"{path}\\{child.get('name', '')}" if path else str(child.get("name", ""))
        yield {**{field: child.get(field) for field in ("id", "name", "attributes")}, "path": name}
        yield from _below(child, name)

"""Iterations of a group as sprints: a Premium feature, for the group and those below it.

https://docs.gitlab.com/api/group_iterations/; the numbers of `state` are those of STATE_ENUM_MAP in
ee/app/models/ee/iteration.rb.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page
from integrations.connectors.drafts import SprintDraft, shown_title
from integrations.connectors.gitlab.lists import list_all
from integrations.connectors.gitlab.stream_project import record_of
from integrations.connectors.reader import Reader
from integrations.enums import SprintState

SOURCE = "iteration"
_STATES = {1: SprintState.PLANNED, 2: SprintState.ACTIVE, 3: SprintState.CLOSED}
ALL = {"state": "all", "include_descendants": "true", "include_ancestors": "false"}  # each iteration on one board


def normalise_iteration(payload: Json) -> list[SprintDraft]:
    """`iteration` from a list, and `board`, the group that was read.  Its days are those of UTC: it has no zone."""
    reader = Reader(payload)
    iteration = Reader(payload.get("iteration"), "iteration", parent=reader)
    native = iteration.integer("state", default=0)
    first, last = iteration.part_date("start_date"), iteration.part_date("due_date")
    ends_at = _midnight(last + timedelta(days=1)) if last else None
    days = " – ".join(str(day) for day in (first, last) if day)
    state = _STATES.get(native, SprintState.PLANNED)
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
    listed: list[Any] = list(list_all(http, f"groups/{resource.external_id}/iterations", ALL))
    records = [record_of(SOURCE, normalise_iteration, entry, board=resource.external_id) for entry in listed]
    yield Page(records, {"read": True}, left=0, complete=not cursor)

"""Cycles of a team as sprints.

The planned and the added issues come from the history of the team's issues.  Linear's own daily numbers are those of
the end of each day, and after the close it lists only unfinished work: neither is stored.

The fields are those of type Cycle of linear/linear @8335e09a.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from integrations.connectors.base import Cursor, Http, Json, Page
from integrations.connectors.changes import OVERLAP, written
from integrations.connectors.drafts import SprintDraft, shown_title
from integrations.connectors.linear.graphql import PER_PAGE, list_page
from integrations.connectors.linear.records import number_in
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import record_of
from integrations.enums import SprintState

SOURCE = "cycle"
LIST = """
query Cycles($first: Int!, $after: String, $filter: CycleFilter!) {
  cycles(first: $first, after: $after, filter: $filter, includeArchived: true) {
    pageInfo { hasNextPage endCursor }
    nodes { id number name startsAt endsAt completedAt isActive isPast updatedAt team { id } }
  }
}"""


def normalise_cycle(payload: Json) -> list[SprintDraft]:
    reader = Reader(payload)
    cycle = Reader(payload.get(SOURCE), SOURCE, parent=reader)
    number = number_in(cycle, "number")
    completed_at, ends_at = cycle.part_time("completedAt"), cycle.part_time("endsAt")
    is_past = completed_at is not None or cycle.boolean("isPast", default=False)
    is_active = cycle.boolean("isActive", default=False)
    state = SprintState.CLOSED if is_past else SprintState.ACTIVE if is_active else SprintState.PLANNED
    return [
        SprintDraft(
            external_id=cycle.identifier("id"),
            updated_at=cycle.part_time("updatedAt"),
            board=cycle.identifier("team.id"),
            name=shown_title(cycle.text("name", default="") or f"Cycle {number or 0:.0f}"),
            state=state,
            native_state="",
            starts_at=cycle.part_time("startsAt"),
            ends_at=ends_at,
            completed_at=completed_at or (ends_at if is_past else None),
            left_out=tuple(reader.left_out),
        )
    ]


def fetch_cycles(http: Http, team: str, cursor: Cursor, *, now: datetime) -> Iterator[Page]:
    """Read all cycles, later those that changed or have not ended: their state changes with the calendar."""
    since, then = str(cursor.get("since", "")), str(cursor.get("then", ""))
    wanted: Json = {"team": {"id": {"eq": team}}}
    if since:
        wanted["or"] = [{"updatedAt": {"gte": since}}, {"isPast": {"eq": False}}]
    variables: Json = {"first": PER_PAGE, "filter": wanted, "after": cursor.get("after")}
    while True:
        page = list_page(http, LIST, "cycles", variables)
        then = then or written(response_time(page.headers, now) - OVERLAP)
        records = [record_of(SOURCE, normalise_cycle, node) for node in page.nodes]
        if not page.after:
            yield Page(records, {"since": then}, left=0, complete=not since)
            return
        variables["after"] = page.after
        yield Page(records, {**({"since": since} if since else {}), "then": then, "after": page.after})

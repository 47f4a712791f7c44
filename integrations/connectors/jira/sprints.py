"""Sprints of a board.  A Kanban board has none, and answers with a 400.

A cursor is {} or {"open"}: the ids of sprints that have not ended.  Sprints that ended long ago do not change, so later
syncs read planned and active ones, and those that were open before and are neither now.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord, Refused
from integrations.connectors.drafts import SprintDraft, shown_title
from integrations.connectors.errors import GoneError, PermanentError
from integrations.connectors.jira.site import pages
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import text_of
from integrations.enums import SprintState

SOURCE = "sprint"
STATES = {"future": SprintState.PLANNED, "active": SprintState.ACTIVE, "closed": SprintState.CLOSED}


class NoSprintsError(PermanentError):
    """The board has no sprints."""


def meaning_of(answer: Refused) -> PermanentError | None:
    """The meaning of a 400 to a request for a board's sprints; None for any other answer."""
    if answer.status == 400 and "/agile/" in answer.path and answer.path.partition("?")[0].endswith("/sprint"):
        return NoSprintsError("The board has no sprints.")
    return None


def fetch_sprints(http: Http, resource: FetchedResource, cursor: Cursor) -> Iterator[Page]:
    """Read all sprints from an empty cursor, else those that may have changed."""
    if resource.details.get("type") == "kanban":
        yield Page((), {"open": []}, left=0, complete=not cursor)
        return
    is_first = "open" not in cursor
    try:
        listed = list(_listed(http, resource, "" if is_first else "active,future"))
    except NoSprintsError:  # it has become a board without sprints
        yield Page((), {"open": []}, left=0, complete=is_first)
        return
    except PermanentError as problem:  # a board over somebody else's filter is as good as none
        raise PermanentError(
            f"Jira does not let this account see the board {resource.name}: {problem.problem}",
            what_to_do=f"Share the filter of {resource.name} with the account, or take it off the resources.",
        ) from None
    still_open = [str(sprint.get("id")) for sprint in listed if sprint.get("state") != "closed"]
    for ended in sorted(set(cursor.get("open", ())) - {str(sprint.get("id")) for sprint in listed}):
        with suppress(GoneError):  # deleted: the next full reading removes it
            listed.append(http.get(f"rest/agile/1.0/sprint/{ended}").json())
    yield Page([record(resource.external_id, sprint) for sprint in listed], {"open": still_open}, 0, complete=is_first)


def _listed(http: Http, resource: FetchedResource, states: str) -> Iterator[Any]:
    """The board's own sprints: a board also shows those of other boards, whose issues its filter finds."""
    params = {"state": states} if states else {}
    for sprint in pages(http, f"rest/agile/1.0/board/{resource.external_id}/sprint", params=params):
        if isinstance(sprint, dict) and str(sprint.get("originBoardId", resource.external_id)) == resource.external_id:
            yield sprint


def record(board: str, sprint: Any) -> RawRecord:
    payload = {"sprint": sprint, "board": board}
    return RawRecord(payload, normalise_sprint, text_of(sprint, "id"), SOURCE)


def normalise_sprint(payload: Json) -> list[SprintDraft]:
    reader = Reader(payload)
    sprint = Reader(payload.get("sprint"), "sprint", parent=reader)
    state = sprint.text("state", default="")
    return [
        SprintDraft(
            external_id=sprint.identifier("id"),
            board=reader.identifier("board"),
            deleted=reader.boolean("deleted", default=False),
            name=shown_title(sprint.text("name", default="")),
            state=STATES.get(state.lower(), SprintState.PLANNED),
            native_state=state,
            starts_at=sprint.part_time("startDate"),
            ends_at=sprint.part_time("endDate"),
            completed_at=sprint.part_time("completeDate"),
            left_out=tuple(reader.left_out),
        )
    ]

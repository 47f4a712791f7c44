"""Sprints of a board.  A Kanban board has none, and answers with a 400.

A cursor is {} or {"open"}: the ids of sprints that have not ended.  Sprints that ended long ago do not change, so later
syncs read planned and active ones, and those that were open before and are neither now.

Jira's own report of a sprint is read once, after the close: {"unreported"} are the ids of sprints whose report is still
to be read.  Its address is not documented: where the first one is refused, sprints go without until the next sync.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord, Refused
from integrations.connectors.drafts import MISSING, Missing, ProvidedParts, ReportedItemDraft, SprintDraft, shown_title
from integrations.connectors.errors import GoneError, PermanentError
from integrations.connectors.jira.issues import LARGEST_ESTIMATE
from integrations.connectors.jira.site import pages
from integrations.connectors.reader import Reader
from integrations.connectors.unchecked import object_of, objects_of, text_of
from integrations.enums import ReportedOutcome, SprintState

SOURCE = "sprint"
REPORT = "rest/greenhopper/1.0/rapid/charts/sprintreport"
REPORTS_AT_ONCE = 10
MOST_REPORTS = 60  # of a board: two years of fortnights
LISTS = {
    "completedIssues": ReportedOutcome.COMPLETED,
    "issuesNotCompletedInCurrentSprint": ReportedOutcome.NOT_COMPLETED,
    "incompletedIssues": ReportedOutcome.NOT_COMPLETED,  # of old servers
    "puntedIssues": ReportedOutcome.REMOVED,
    "issuesCompletedInAnotherSprint": ReportedOutcome.COMPLETED_ELSEWHERE,
}
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
    except PermanentError as problem:  # a board with a filter that the account may not see is useless
        raise PermanentError(
            f"Jira does not let this account see the board {resource.name}: {problem.problem}",
            what_to_do=f"Share the filter of {resource.name} with the account, or take it off the resources.",
        ) from None
    still_open = [str(sprint.get("id")) for sprint in listed if sprint.get("state") != "closed"]
    for ended in sorted(set(cursor.get("open", ())) - {str(sprint.get("id")) for sprint in listed}):
        with suppress(GoneError):  # deleted: the next full reading removes it
            listed.append(http.get(f"rest/agile/1.0/sprint/{ended}").json())
    by_id = {text_of(sprint, "id"): sprint for sprint in listed}
    closed = [sprint for sprint in listed if text_of(sprint, "state") == "closed"]
    closed.sort(key=lambda sprint: text_of(sprint, "completeDate"), reverse=True)
    unreported = [*(text_of(sprint, "id") for sprint in closed), *cursor.get("unreported", ())][:MOST_REPORTS]
    records = {id_: record(resource.external_id, sprint) for id_, sprint in by_id.items()}
    is_answered = False  # by this site, for this account
    while True:
        batch, unreported = unreported[:REPORTS_AT_ONCE], unreported[REPORTS_AT_ONCE:]
        for position, id_ in enumerate(batch):
            try:
                report = http.get(REPORT, params={"rapidViewId": resource.external_id, "sprintId": id_}).json()
                sprint = by_id.get(id_) or http.get(f"rest/agile/1.0/sprint/{id_}").json()
            except PermanentError as problem:
                if is_answered and isinstance(problem, GoneError):
                    continue
                if is_answered:
                    raise
                yield _page(records, still_open, [*batch[position:], *unreported], 0, complete=is_first)
                return
            is_answered = True
            records[id_] = record(resource.external_id, sprint, report)
        yield _page(records, still_open, unreported, len(unreported), complete=is_first and not unreported)
        if not unreported:
            return
        records = {}


def _page(
    records: Mapping[str, RawRecord], still_open: list[str], unreported: list[str], left: int, *, complete: bool
) -> Page:
    cursor = {"open": still_open, **({"unreported": unreported} if unreported else {})}
    return Page(list(records.values()), cursor, left, complete=complete)


def _listed(http: Http, resource: FetchedResource, states: str) -> Iterator[Any]:
    """The board's own sprints: a board also shows those of other boards, whose issues its filter finds."""
    params = {"state": states} if states else {}
    for sprint in pages(http, f"rest/agile/1.0/board/{resource.external_id}/sprint", params=params):
        if isinstance(sprint, dict) and str(sprint.get("originBoardId", resource.external_id)) == resource.external_id:
            yield sprint


def record(board: str, sprint: Any, report: Any = None) -> RawRecord:
    payload = {"sprint": sprint, "board": board}
    if report is not None:
        payload["report"] = _without_texts(report)
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
            reported=_reported(reader),
            left_out=tuple(reader.left_out),
        )
    ]


def _without_texts(report: Any) -> Json:
    """The lists and the added keys of a report, without titles and names."""
    contents = object_of(report, "contents")
    lists = {
        name: [
            {part: issue.get(part) for part in ("key", "estimateStatistic", "currentEstimateStatistic")}
            for issue in objects_of(contents[name])
        ]
        for name in LISTS
        if isinstance(contents.get(name), list)
    }
    return {**lists, "issueKeysAddedDuringSprint": contents.get("issueKeysAddedDuringSprint")}


def _reported(sprint: Reader) -> ProvidedParts[ReportedItemDraft] | Missing:
    """The items of Jira's own report; MISSING if it was not read, or has no list."""
    report = sprint.object("report") if sprint.has("report") else None
    if report is None:
        return MISSING
    added = {key for key, value in object_of(report.value("issueKeysAddedDuringSprint")).items() if value}
    items: dict[str, ReportedItemDraft] = {}
    for name, outcome in LISTS.items():
        for issue in report.parts(name, partial(_reported_item, outcome=outcome, added=added)) or ():
            items.setdefault(issue.key, issue)
    is_report = any(report.has(name) for name in LISTS)
    return ProvidedParts(tuple(items.values())) if is_report else MISSING


def _reported_item(issue: Reader, outcome: ReportedOutcome, added: Collection[str]) -> ReportedItemDraft:
    key = issue.text("key")
    first, last = _estimate(issue, "estimateStatistic"), _estimate(issue, "currentEstimateStatistic")
    return ReportedItemDraft(key=key, outcome=outcome, added=key in added, first_points=first, last_points=last)


def _estimate(issue: Reader, name: str) -> float | None:
    """The value of a numeric field; estimates in time are no points."""
    statistic = object_of(issue.value(name))
    value = object_of(statistic, "statFieldValue").get("value")
    if "customfield" not in text_of(statistic, "statFieldId"):
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value < LARGEST_ESTIMATE else None

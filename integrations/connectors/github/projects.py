"""Projects with an iteration field: their iterations as sprints, and the iteration and estimate of their issues.

GitHub keeps no history of a project's fields.  A value has the time of its last change; the value before it is the one
that an earlier reading stored.  https://docs.github.com/graphql/reference/objects#projectv2
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from integrations.connectors.base import Cursor, FetchedResource, Http, Json, Page, RawRecord, ResourceDraft
from integrations.connectors.drafts import MISSING, Missing, SeenPlan, SprintDraft, Who, WorkItemDraft, shown_title
from integrations.connectors.errors import GoneError, TransientError
from integrations.connectors.github.accounts import account
from integrations.connectors.github.graphql import answered, ask
from integrations.connectors.github.queries import PROJECT, PROJECT_ITEMS, PROJECTS
from integrations.connectors.rate_limits import response_time
from integrations.connectors.reader import Reader
from integrations.connectors.references import issue_key
from integrations.connectors.unchecked import object_of, objects_of, record_of, text_of
from integrations.enums import ResourceKind, SprintState

ITERATION, ITEM = "iteration", "project_item"
ITERATION_FIELDS = "Iteration, Sprint"
ESTIMATE_FIELDS = "Estimate, Story points, Points, Size"
NO_FIELDS: Json = {"after": None, "iteration": "Iteration", "estimate": "", "estimated": False}
"""The variables of a query for items, without their values."""
_FIELD_TYPE = "ProjectV2IterationField"
_READ_ALWAYS = 2  # pages: with the project itself, these are three requests
_LONGEST_UNREAD = timedelta(hours=1)
_MOST_PAGES = 500
_LARGEST_ESTIMATE = 1e6


def list_projects(http: Http, graphql: str, owners: Sequence[str]) -> Iterator[ResourceDraft]:
    """The projects of these owners that have an iteration field, and are not closed."""
    for owner in owners:
        after: str | None = None
        for _ in range(_MOST_PAGES):
            data = ask(http, graphql, PROJECTS, {"owner": owner, "after": after})
            listed = object_of(data, "repositoryOwner", "projectsV2")
            for project in objects_of(listed.get("nodes")):
                kinds = {
                    text_of(field, "__typename") for field in objects_of(object_of(project, "fields").get("nodes"))
                }
                if _FIELD_TYPE in kinds and project.get("closed") is not True:
                    yield _resource_of(project, owner)
            after = _following(listed, after)
            if after is None:
                break


def _resource_of(project: Json, owner: str) -> ResourceDraft:
    reader = Reader(project)
    # Rules that pick the owner's repositories pick its projects: acme/*
    return ResourceDraft(
        ResourceKind.BOARD,
        external_id=reader.identifier("id"),
        name=f"{owner}: {reader.text('title', default='')}"[:200],
        url=reader.text("url", default=""),
        details={"projects": [f"{owner}/"]},
    )


# Records --------------------------------------------------------------------------------------------------------------


def normalise_iteration(payload: Json) -> list[SprintDraft]:
    """`iteration`, whether it is `completed`, its `board`, and the day `at` which it was read.

    Its days are those of UTC: it has no zone.
    """
    reader = Reader(payload)
    iteration = Reader(payload.get(ITERATION), ITERATION, parent=reader)
    board, at = reader.identifier("board"), reader.time("at")
    completed = reader.boolean("completed", default=False)
    first, days = iteration.part_date("startDate"), iteration.integer("duration", default=None)
    starts_at = None if first is None else datetime.combine(first, time(), UTC)
    ends_at = None if starts_at is None or not days else starts_at + timedelta(days=days)
    state = SprintState.PLANNED
    if completed or (ends_at is not None and ends_at <= at):
        state = SprintState.CLOSED
    elif starts_at is not None and starts_at <= at:
        state = SprintState.ACTIVE
    return [
        SprintDraft(
            external_id=sprint_id(board, iteration.identifier("id")),
            board=board,
            name=shown_title(iteration.text("title", default="")),
            state=state,
            native_state="completed" if completed else "",
            starts_at=starts_at,
            ends_at=ends_at,
            completed_at=ends_at if state is SprintState.CLOSED else None,
            left_out=tuple(reader.left_out),
        )
    ]


def sprint_id(board: str, iteration: str) -> str:
    """An id for an iteration, whose own id is unique only within its field."""
    return f"{board}/{iteration}"


def normalise_item(payload: Json) -> list[WorkItemDraft]:
    """`project_item`, an issue in a project, and the project's `board`; `estimated` if the project has estimates."""
    reader = Reader(payload)
    item = Reader(payload.get(ITEM), ITEM, parent=reader)
    board, changed_at = reader.identifier("board"), item.time("updatedAt")
    iteration, iteration_at, iteration_by = _value(item, "iteration", changed_at)
    estimate, estimate_at, estimate_by = _value(item, "estimate", changed_at)
    current = "" if iteration is None else iteration.identifier("iterationId", default="")
    is_unknown = not current and item.has("iteration")
    return [
        WorkItemDraft(
            external_id=item.identifier("content.fullDatabaseId"),
            updated_at=item.part_time("content.updatedAt"),
            project=item.identifier("content.repository.databaseId"),
            key=issue_key(item.text("content.repository.nameWithOwner"), item.integer("content.number")),
            estimate=_points(item, estimate) if reader.boolean("estimated", default=False) else MISSING,
            seen=SeenPlan(
                board=board,
                sprint=None if is_unknown else sprint_id(board, current) if current else "",
                sprint_at=iteration_at,
                sprint_by=iteration_by,
                estimate_at=estimate_at,
                estimate_by=estimate_by,
            ),
            left_out=tuple(reader.left_out),
        )
    ]


def _points(item: Reader, estimate: Reader | None) -> float | Missing | None:
    """The estimate; MISSING if another project may have it, or if it cannot be parsed."""
    points = None if estimate is None else estimate.value("number")
    if isinstance(points, (int, float)) and not isinstance(points, bool) and 0 <= points < _LARGEST_ESTIMATE:
        return float(points)
    is_elsewhere = item.integer("content.projectItems.totalCount", default=1) > 1
    if estimate is not None:
        estimate.leave_out("number")
    return MISSING if is_elsewhere or item.has("estimate") else None


def _value(item: Reader, field: str, changed_at: datetime) -> tuple[Reader | None, datetime, Who | None]:
    """A field's value, when it was last changed, and by whom, which is known only of the first value.

    An emptied field has no time of its own; the item's last change, which is not earlier, is used.
    """
    value = item.object(field)
    if value is None:
        return None, changed_at, None
    created_at, updated_at = value.part_time("createdAt"), value.part_time("updatedAt") or changed_at
    return value, updated_at, account(value.object("creator")) if created_at == updated_at else None


# Reading --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlanFields:
    """Names by which a project's fields are found; the first that a project has counts."""

    iteration: Sequence[str]
    estimate: Sequence[str]


def fetch_plan(
    http: Http, graphql: str, resource: FetchedResource, names: PlanFields, cursor: Cursor, *, now: datetime
) -> Iterator[Page]:
    """Read the iterations, then the items: GitHub lists items by position, so each reading covers all of them.

    A project of more than 200 items is read again once it has changed, or after an hour.
    """
    board = resource.external_id
    data, headers = answered(http, graphql, PROJECT, {"id": board})
    project = object_of(data, "node")
    if text_of(project, "id") != board:
        raise GoneError(
            f"GitHub has no project {resource.name} that this token can see.",
            what_to_do="Grant “Projects: read” of the organisation (a classic token: read:project), or deselect it.",
        )
    at = response_time(headers, now)
    iteration, estimate = _fields_of(project, names)
    everything = not cursor or bool(cursor.get("everything"))
    after, pages, started = str(cursor.get("after", "")), int(cursor.get("pages", 0)), cursor.get("started")
    if not after or started is None:
        iterations = list(_iterations(iteration, board, at))
        started, after = {"changed": text_of(project, "updatedAt"), "read_at": at.isoformat()}, ""
        is_known = not everything and started["changed"] == cursor.get("changed") and pages > _READ_ALWAYS
        if is_known and at - datetime.fromisoformat(cursor["read_at"]) < _LONGEST_UNREAD:
            yield Page(iterations, cursor, left=0)
            return
        yield Page(iterations, {**cursor, "everything": everything})
        pages = 0
    variables = {
        "id": board,
        "iteration": text_of(iteration, "name"),
        "estimate": text_of(estimate, "name"),
        "estimated": bool(estimate),
    }
    while iteration:
        listed = object_of(ask(http, graphql, PROJECT_ITEMS, {**variables, "after": after or None}), "node", "items")
        if not isinstance(listed.get("nodes"), list):
            raise TransientError("GitHub answered without the project’s items.")
        pages += 1
        following = _following(listed, after)
        records = [
            record_of(ITEM, normalise_item, item, board=board, estimated=bool(estimate))
            for item in objects_of(listed["nodes"])
            if "fullDatabaseId" in object_of(item, "content")  # drafts and pull requests have none
        ]
        if following is None or pages >= _MOST_PAGES:
            break
        after = following
        yield Page(records, {"everything": everything, "after": after, "pages": pages, "started": started})
    else:
        records = []
    yield Page(records, {**started, "pages": pages}, left=0, complete=everything)


def _iterations(field: Json, board: str, at: datetime) -> Iterator[RawRecord]:
    # The day is enough: a sprint that has not changed stays as it is.
    day = datetime.combine(at.date(), time(), UTC).isoformat()
    for name, completed in (("completedIterations", True), ("iterations", False)):
        for entry in objects_of(object_of(field, "configuration").get(name)):
            yield record_of(ITERATION, normalise_iteration, entry, board=board, completed=completed, at=day)


def _fields_of(project: Json, names: PlanFields) -> tuple[Json, Json]:
    """The project's iteration field, and its field of estimates; empty if it has none."""
    fields = objects_of(object_of(project, "fields").get("nodes"))
    iterations = [field for field in fields if text_of(field, "__typename") == _FIELD_TYPE]
    numbers = [field for field in fields if text_of(field, "dataType") == "NUMBER"]
    first = iterations[0] if iterations else {}
    return _named(iterations, names.iteration) or first, _named(numbers, names.estimate)


def _named(fields: Sequence[Json], names: Sequence[str]) -> Json:
    by_name = {text_of(field, "name").lower(): field for field in reversed(fields)}
    return next((by_name[name.lower()] for name in names if name.lower() in by_name), {})


def _following(listed: Json, after: Any) -> str | None:
    """The cursor of the next page; None at the end.  Raises TransientError if it is the one that was just requested."""
    page = object_of(listed, "pageInfo")
    if page.get("hasNextPage") is not True:
        return None
    cursor = text_of(page, "endCursor")
    if not cursor or cursor == after:
        raise TransientError("GitHub repeated a page of a project.")
    return cursor

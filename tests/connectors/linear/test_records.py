"""Linear's records as drafts, one field changed at a time.

The shapes are those of types Issue, IssueHistory, Cycle and Project of linear/linear, packages/sdk/src/schema.graphql
@8335e09a: Headway's queries are valid by it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.connectors.base import Json
from integrations.connectors.drafts import MISSING, ProvidedParts, SprintChangeDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.linear.cycles import normalise_cycle
from integrations.connectors.linear.issues import normalise_issue
from integrations.enums import ItemField, Priority, SprintState, StatusCategory

CLOSED = datetime(2026, 3, 16, 9, 0, tzinfo=UTC)
ADA = {"id": "user-1", "name": "Ada", "email": "ada@example.com", "app": False}
UNSTARTED, DONE = ({"id": name, "name": name.title(), "type": name} for name in ("unstarted", "completed"))


def entry(at: datetime, **changes: Any) -> Json:
    return {"id": "h", "createdAt": at.isoformat(), "actor": ADA, **changes}


@pytest.fixture
def issue() -> Json:
    return {
        "linear_issue": {
            "id": "issue-1",
            "identifier": "SHOP-1",
            "previousIdentifiers": ["OLD-4"],
            "title": "Weigh the basket",
            "priority": 1,
            "estimate": 3,
            "createdAt": "2026-03-01T09:00:00.000Z",
            "updatedAt": "2026-03-02T09:00:00.000Z",
            "state": UNSTARTED,
            "team": {"id": "team-1"},
            "project": {"slugId": "1a2b"},
            "cycle": {"id": "cycle-1"},
            "labels": {"nodes": [{"name": "bug"}]},
        },
        "history": [],
    }


def test_an_issue_without_changes_was_always_as_it_is(issue: Json) -> None:
    (draft,) = normalise_issue(issue)
    assert (draft.key, draft.former_keys, draft.parent_key) == ("SHOP-1", ("OLD-4",), "project/1a2b")
    assert (draft.priority, draft.native_priority, draft.estimate) == (Priority.CRITICAL, "Urgent", 3.0)
    assert (draft.first_category, draft.labels) == (StatusCategory.TODO, ("bug",))
    joined = SprintChangeDraft(at=datetime(2026, 3, 1, 9, tzinfo=UTC), sprint="cycle-1", added=True)
    assert draft.sprint_changes == ProvidedParts([joined])


def test_without_its_history_an_issue_keeps_what_is_known_of_it(issue: Json) -> None:
    del issue["history"]
    (draft,) = normalise_issue(issue)
    assert (draft.transitions, draft.assignments, draft.sprint_changes) == (MISSING, MISSING, MISSING)


@pytest.mark.parametrize(
    ("kind", "category", "resolution"),
    [
        ("triage", StatusCategory.TODO, ""),
        ("backlog", StatusCategory.TODO, ""),
        ("started", StatusCategory.IN_PROGRESS, ""),
        ("completed", StatusCategory.DONE, ""),
        ("canceled", StatusCategory.DONE, "Canceled"),
        ("duplicate", StatusCategory.DONE, "Duplicate"),
        ("a new type", MISSING, ""),
    ],
)
def test_statuses_go_by_their_type(issue: Json, kind: str, category: Any, resolution: str) -> None:
    issue["linear_issue"]["state"] = {"id": "s", "name": "Whatever", "type": kind}
    (draft,) = normalise_issue(issue)
    assert (draft.native_status, draft.status_category, draft.resolution) == ("Whatever", category, resolution)


def test_changes_of_state_assignee_and_estimate(issue: Json) -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    issue["history"] = [
        entry(at + timedelta(hours=2), fromEstimate=2, toEstimate=3),
        entry(at + timedelta(hours=1), fromState=UNSTARTED, toState=DONE),
        entry(at, toAssigneeId="user-9", toAssignee=None),
    ]
    (draft,) = normalise_issue(issue)
    assert isinstance(draft.transitions, ProvidedParts)
    assert [(one.to_status, one.category) for one in draft.transitions.parts] == [("Completed", StatusCategory.DONE)]
    assert isinstance(draft.assignments, ProvidedParts)
    assert [one.assignee for one in draft.assignments.parts] == [Who(login="user-9", account="user-9")]
    assert isinstance(draft.value_changes, ProvidedParts)
    (change,) = draft.value_changes.parts
    assert (change.field, change.before, change.after) == (ItemField.ESTIMATE, "2", "3")


@pytest.mark.parametrize(
    ("before_close", "leaves_at"),
    [(timedelta(minutes=5), CLOSED), (timedelta(hours=5), CLOSED - timedelta(hours=5)), (-timedelta(minutes=5), None)],
)
def test_what_a_closed_cycle_leaves_over_leaves_it_with_the_close(
    issue: Json, before_close: timedelta, leaves_at: datetime | None
) -> None:
    """Linear moves it to the next cycle by itself; whether just before or after the close is not documented."""
    moved = {"fromCycleId": "cycle-1", "toCycleId": "cycle-2", "fromCycle": {"completedAt": CLOSED.isoformat()}}
    issue["history"] = [entry(CLOSED - before_close, **moved)]
    (draft,) = normalise_issue(issue)
    assert isinstance(draft.sprint_changes, ProvidedParts)
    _, left, joined = draft.sprint_changes.parts
    assert (left.at, left.added, joined.sprint) == (leaves_at or CLOSED - before_close, False, "cycle-2")


def test_an_issue_in_the_trash_is_deleted(issue: Json) -> None:
    issue["linear_issue"]["trashed"] = True
    (draft,) = normalise_issue(issue)
    assert draft.deleted


@pytest.mark.parametrize("field", ["id", "identifier", "createdAt"])
def test_a_renamed_field_is_named_in_the_error(issue: Json, field: str) -> None:
    del issue["linear_issue"][field]
    with pytest.raises(SchemaError, match=f"linear_issue.{field}"):
        normalise_issue(issue)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"completedAt": "2026-03-16T09:00:00Z"}, SprintState.CLOSED),
        ({"isPast": True}, SprintState.CLOSED),
        ({"isActive": True}, SprintState.ACTIVE),
        ({}, SprintState.PLANNED),
    ],
)
def test_a_cycle_that_is_closed_early_ends_then(fields: Json, state: SprintState) -> None:
    cycle = {
        "id": "cycle-1",
        "number": 12,
        "startsAt": "2026-03-02T09:00:00Z",
        "endsAt": "2026-03-16T09:00:00Z",
        "team": {"id": "team-1"},
    }
    (draft,) = normalise_cycle({"cycle": {**cycle, **fields}})
    assert (draft.state, draft.name, draft.board) == (state, "Cycle 12", "team-1")
    assert draft.completed_at == (CLOSED if state is SprintState.CLOSED else None)

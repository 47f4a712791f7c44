"""GitLab's issues, incidents and iterations: what becomes of the documented shapes, one field changed at a time.

Issues and incidents: https://docs.gitlab.com/api/issues/ (lib/api/entities/issue_basic.rb, issue.rb)
Histories: https://docs.gitlab.com/api/resource_state_events/, /api/resource_label_events/,
/api/resource_iteration_events/, /api/resource_weight_events/
Notes: app/services/system_notes/issuables_service.rb, incidents_service.rb
Iterations: https://docs.gitlab.com/api/group_iterations/ (STATE_ENUM_MAP of ee/app/models/ee/iteration.rb)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from demo.providers.gitlab_server import GitLabServer
from integrations.connectors.base import Settings
from integrations.connectors.drafts import MISSING, IncidentDraft, ProvidedParts, SprintDraft, Who, WorkItemDraft
from integrations.connectors.errors import SchemaError
from integrations.connectors.gitlab.connector import GitLab
from integrations.connectors.gitlab.incidents import normalise_incident
from integrations.connectors.gitlab.issues import normalise_issue, normalise_iteration
from integrations.connectors.http import ConnectionHttp
from integrations.delivery.mappings.defaults import default_ending
from integrations.enums import Ending, ItemField, Kind, ResourceKind, Severity, SprintState, StatusCategory
from tests.connectors.reading import QUICK, TOKEN, drafts_of, only_resource, read_pages
from tests.demo.small_history import small_history

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADA = {"id": 4, "username": "ada", "name": "Ada Admin", "state": "active"}
MAX = {"id": 5, "username": "max.member", "name": "Max Member", "state": "active"}
Payload = dict[str, Any]


def at(hours: float) -> str:
    return (NOON + hours * HOUR).isoformat()


def note(body: str, hours: float) -> Payload:
    return {"id": int(hours * 10), "author": ADA, "created_at": at(hours), "system": True, "body": body}


@pytest.fixture
def payload() -> Payload:
    return {
        "issue": {
            "id": 76,
            "iid": 6,
            "project_id": 8,
            "title": "It has no weight",
            "description": "Why?",
            "state": "opened",
            "issue_type": "issue",
            "created_at": at(0),
            "updated_at": at(9),
            "closed_at": None,
            "author": ADA,
            "assignees": [MAX, ADA],
            "labels": ["bug"],
            "milestone": {"id": 1, "title": "v1.0", "due_date": "2026-03-31"},
            "due_date": "2026-03-09",
            "weight": 3,
            "user_notes_count": 1,
            "web_url": "https://gitlab.example.com/acme/web/shop/-/issues/6",
            "references": {"short": "#6", "full": "acme/web/shop#6"},
        },
        "state_events": [],
        "label_events": [],
        "notes": [],
    }


def issue_of(payload: Payload) -> WorkItemDraft:
    (draft,) = normalise_issue(payload)
    return draft


def transitions_of(payload: Payload) -> list[tuple[float, str, str]]:
    transitions = issue_of(payload).transitions
    assert isinstance(transitions, ProvidedParts)
    return [((part.at - NOON) / HOUR, part.from_status, part.to_status) for part in transitions.parts]


def state(name: str, hours: float) -> Payload:
    return {"id": 1, "user": ADA, "created_at": at(hours), "state": name}


def label(name: str | None, hours: float, action: str = "add") -> Payload:
    named = {"id": 73, "name": name} if name else None
    return {"id": 1, "user": ADA, "created_at": at(hours), "label": named, "action": action}


def test_an_issue_has_its_key_people_weight_and_milestone(payload: Payload) -> None:
    draft = issue_of(payload)
    assert (draft.external_id, draft.project, draft.key) == ("76", "8", "acme/web/shop#6")
    assert (draft.native_type, draft.native_status, draft.status_category) == ("", "opened", StatusCategory.TODO)
    assert (draft.estimate, draft.due_on) == (3.0, date(2026, 3, 9))
    assert (draft.versions, draft.release_on) == (("v1.0",), date(2026, 3, 31))
    assert draft.assignee == Who(login="max.member", account="5")


def test_a_free_tier_has_no_weight(payload: Payload) -> None:
    del payload["issue"]["weight"]
    assert issue_of(payload).estimate is None


def test_a_scoped_label_that_is_named_like_a_status_is_one(payload: Payload) -> None:
    payload["issue"]["labels"] = ["bug", "workflow::in progress"]
    draft = issue_of(payload)
    assert (draft.native_status, draft.status_category) == ("workflow::in progress", StatusCategory.IN_PROGRESS)


def test_labels_and_states_make_transitions(payload: Payload) -> None:
    payload["label_events"] = [label("bug", 0), label("Doing", 1), label("Doing", 5, "remove"), label("wip", 6)]
    payload["state_events"] = [state("closed", 3), state("reopened", 4), state("closed", 8)]
    assert transitions_of(payload) == [
        (1, "opened", "Doing"),
        (3, "Doing", "closed"),
        (4, "closed", "Doing"),
        (5, "Doing", "opened"),
        (6, "opened", "wip"),
        (8, "wip", "closed"),
    ]


def test_an_event_of_a_label_that_was_deleted_is_none(payload: Payload) -> None:
    payload["label_events"] = [label(None, 1)]
    assert transitions_of(payload) == []


def test_notes_tell_who_was_assigned_and_when(payload: Payload) -> None:
    payload["notes"] = [
        note("assigned to @ada", 0),
        note("assigned to @max.member and unassigned @ada", 1),
        note("unassigned @max.member", 2),
        note("assigned to @ada and @max.member", 3),
        note("changed the description", 4),
    ]
    assignments = issue_of(payload).assignments
    assert isinstance(assignments, ProvidedParts)
    found = [((part.at - NOON) / HOUR, part.assignee and part.assignee.login) for part in assignments.parts]
    assert found == [(0, "ada"), (1, "max.member"), (2, None), (3, "ada")]


def test_a_reopened_issue_is_not_resolved(payload: Payload) -> None:
    payload["issue"]["closed_at"] = at(3)
    assert issue_of(payload).resolved_at is None
    payload["issue"]["state"] = "closed"
    assert issue_of(payload).resolved_at == NOON + 3 * HOUR


def test_a_renamed_field_is_named_in_the_error(payload: Payload) -> None:
    del payload["issue"]["references"]
    with pytest.raises(SchemaError, match=r"issue\.references\.full"):
        normalise_issue(payload)


@pytest.fixture
def incident(payload: Payload) -> Payload:
    return {"incident": {**payload["issue"], "issue_type": "incident", "severity": "HIGH"}, "notes": []}


def incident_of(payload: Payload) -> IncidentDraft:
    (draft,) = normalise_incident(payload)
    return draft


@pytest.mark.parametrize("severity", ["CRITICAL", "HIGH", "MEDIUM", "LOW", "UNKNOWN", "NEW"])
def test_an_incident_has_its_severity(incident: Payload, severity: str) -> None:
    incident["incident"]["severity"] = severity
    expected = Severity(severity.lower()) if severity != "NEW" else Severity.UNKNOWN
    assert (incident_of(incident).severity, incident_of(incident).repository) == (expected, "8")


def test_an_incident_is_acknowledged_and_resolved_by_its_status(incident: Payload) -> None:
    """People resolve it first, and close it days later."""
    incident["notes"] = [
        note("changed the incident status to **Acknowledged**", 1),
        note("changed the incident status to **Resolved** by closing the incident", 2),
    ]
    incident["incident"] |= {"state": "closed", "closed_at": at(50)}
    draft = incident_of(incident)
    assert (draft.acknowledged_at, draft.resolved_at) == (NOON + HOUR, NOON + 2 * HOUR)


def test_an_incident_that_was_triggered_again_goes_on(incident: Payload) -> None:
    resolved = note("changed the incident status to **Resolved**", 2)
    incident["notes"] = [resolved, note("changed the incident status to **Triggered**", 3)]
    assert incident_of(incident).resolved_at is None


def test_a_weight_has_a_history_of_estimates(payload: Payload) -> None:
    """The first event is that of the creation: ee/app/services/ee/issuable/common_system_notes_service.rb."""
    changes = ((8, None), (0, 3), (4, 5))
    payload["weight_events"] = [
        {"id": 142, "user": ADA, "created_at": at(hours), "issue_id": 76, "weight": weight} for hours, weight in changes
    ]
    values = issue_of(payload).value_changes
    assert isinstance(values, ProvidedParts)
    found = [((one.at - NOON) / HOUR, one.field, one.before, one.after) for one in values.parts]
    estimate = ItemField.ESTIMATE
    assert found == [(0, estimate, "", "3"), (4, estimate, "3", "5"), (8, estimate, "5", "")]


def test_without_weights_no_history_of_estimates_is_known(payload: Payload) -> None:
    assert issue_of(payload).value_changes is MISSING


def test_a_closed_issue_says_that_it_is_a_duplicate_or_was_moved(payload: Payload) -> None:
    duplicate = {"closed_as_duplicate_of": "https://gitlab.example.com/api/v4/projects/8/issues/5"}
    payload["issue"] |= {"moved_to_id": 2**60, "_links": duplicate}
    assert issue_of(payload).resolution == ""  # it was opened again
    payload["issue"]["state"] = "closed"
    assert issue_of(payload).resolution == "duplicate"
    payload["issue"]["_links"] = {"closed_as_duplicate_of": None}
    assert issue_of(payload).resolution == "moved"
    assert default_ending("moved") is default_ending("duplicate") is Ending.DROPPED
    assert default_ending("Moved to production") is Ending.DELIVERED
    payload["issue"] |= {"moved_to_id": None}
    assert issue_of(payload).resolution == ""


ITERATION: Payload = {
    "id": 53,
    "iid": 13,
    "group_id": 5,
    "title": "Iteration II",
    "state": 3,
    "updated_at": at(0),
    "start_date": "2026-02-02",
    "due_date": "2026-02-15",
}


def sprint_of(iteration: Payload) -> SprintDraft:
    (draft,) = normalise_iteration({"iteration": iteration, "board": "5"})
    return draft


def test_an_iteration_is_a_sprint_of_whole_days() -> None:
    draft = sprint_of(ITERATION)
    begin, end = datetime(2026, 2, 2, tzinfo=UTC), datetime(2026, 2, 16, tzinfo=UTC)
    assert (draft.starts_at, draft.ends_at, draft.completed_at, draft.state) == (begin, end, end, SprintState.CLOSED)


def test_an_automatic_iteration_is_named_by_its_days() -> None:
    draft = sprint_of({**ITERATION, "title": None, "state": 2})
    assert (draft.name, draft.state, draft.completed_at) == ("2026-02-02 – 2026-02-15", SprintState.ACTIVE, None)


@pytest.fixture
def premium() -> Iterator[GitLabServer]:
    with GitLabServer(small_history(), token=TOKEN) as server:
        server.iterations = [ITERATION]
        event = {"id": 1, "user": ADA, "created_at": at(0), "iteration": {"id": 53}, "action": "add"}
        server.iteration_events = {1: [event]}
        yield server


def test_a_group_with_iterations_is_offered_and_read(premium: GitLabServer) -> None:
    of = GitLab(Settings({"base_url": premium.url}, {"token": TOKEN}))
    board = only_resource(of, ResourceKind.BOARD)
    assert (board.name, board.details["projects"]) == ("acme", ["acme/"])
    (sprint,) = drafts_of(read_pages(of, board, Kind.SPRINT, now=premium.at))
    assert isinstance(sprint, SprintDraft)
    assert (sprint.board, sprint.name) == ("1", "Iteration II")
    shop = only_resource(of, ResourceKind.REPOSITORY)
    issues = drafts_of(read_pages(of, shop, Kind.WORK_ITEM, now=premium.at))
    changes = next(one.sprint_changes for one in issues if isinstance(one, WorkItemDraft) and one.key == "acme/shop#1")
    assert isinstance(changes, ProvidedParts)
    assert [(change.sprint, change.added) for change in changes.parts] == [("53", True)]


def test_an_issue_that_moves_to_an_iteration_leaves_the_one_before(payload: Payload) -> None:
    """GitLab writes one event for a move: ee/app/services/resource_events/change_iteration_service.rb."""

    def event(hours: float, action: str, iteration: int) -> Payload:
        return {"id": 1, "user": ADA, "created_at": at(hours), "iteration": {"id": iteration}, "action": action}

    payload["iteration_events"] = [
        event(1, "add", 53),
        event(2, "add", 54),
        event(3, "remove", 54),
        event(4, "add", 53),
    ]
    changes = issue_of(payload).sprint_changes
    assert isinstance(changes, ProvidedParts)
    found = [((one.at - NOON) / HOUR, one.sprint, one.added) for one in changes.parts]
    assert found == [(1, "53", True), (2, "53", False), (2, "54", True), (3, "54", False), (4, "53", True)]


def test_a_free_tier_offers_no_groups() -> None:
    with GitLabServer(small_history(), token=TOKEN) as gitlab:
        of = GitLab(Settings({"base_url": gitlab.url}, {"token": TOKEN}))
        with ConnectionHttp(of, patience=QUICK) as http:
            kinds = {resource.kind for resource in of.resources(http)}
    assert kinds == {ResourceKind.REPOSITORY}

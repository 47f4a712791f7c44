"""An issue as GitHub writes it, and the work item that is made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.drafts import MISSING, AssignmentDraft, ProvidedParts, TransitionDraft, Who, WorkItemDraft
from integrations.connectors.errors import SchemaError
from integrations.connectors.github.issues import normalise_issue
from integrations.enums import StatusCategory
from tests.connectors.github.conftest import Payload
from tests.connectors.github.reading import drafts_of_delivery

ADA, MAX = Who(login="ada", account="11"), Who(login="max", account="12")


def user(who: Who) -> dict[str, Any]:
    return {"login": who.login, "id": int(who.account), "type": "User"}


@pytest.fixture
def issue(example: Payload) -> dict[str, Any]:
    payload: dict[str, Any] = example("issues.opened")["issue"]
    return payload


def draft_of(issue: dict[str, Any], **parts: Any) -> WorkItemDraft:
    (draft,) = normalise_issue({"issue": issue, "repository": {"id": 7, "full_name": "acme/shop"}, **parts})
    return draft


def at(hour: int) -> datetime:
    return datetime(2026, 3, 2, hour, tzinfo=UTC)


def event(name: str, hour: int, **more: Any) -> dict[str, Any]:
    return {"event": name, "created_at": f"2026-03-02T{hour:02}:00:00Z", "actor": user(ADA), **more}


def test_an_open_issue(issue: dict[str, Any]) -> None:
    draft = draft_of(issue)
    assert (draft.external_id, draft.project, draft.key) == ("444500041", "7", "acme/shop#1")
    assert (draft.native_status, draft.status_category) == ("open", StatusCategory.TODO)
    assert draft.labels == ("bug",)
    assert draft.reporter == Who(login="Codertocat", account="21031067")
    assert (draft.native_type, draft.resolution) == ("", "")
    assert draft.has_description is True
    assert draft.resolved_at is None
    assert (draft.transitions, draft.assignments, draft.parent_key) == (MISSING, MISSING, MISSING)


def test_an_empty_description_is_none(example: Payload) -> None:
    assert draft_of(example("issues.opened.with-empty-body")["issue"]).has_description is False


def test_a_closed_issue_says_why(issue: dict[str, Any]) -> None:
    issue |= {"state": "closed", "state_reason": "not_planned", "closed_at": "2026-03-03T00:00:00Z"}
    draft = draft_of(issue)
    assert (draft.native_status, draft.status_category, draft.resolution) == (
        "closed",
        StatusCategory.DONE,
        "not_planned",
    )
    assert draft.resolved_at == datetime(2026, 3, 3, tzinfo=UTC)


def test_the_type_of_an_issue_is_the_organisations_own_word(issue: dict[str, Any]) -> None:
    assert draft_of(issue | {"type": {"id": 1, "name": "Bug", "is_enabled": True}}).native_type == "Bug"
    assert draft_of(issue | {"type": None}).native_type == ""


def test_a_parent_is_named_by_its_key(issue: dict[str, Any]) -> None:
    address = "https://api.github.com/repos/acme/epics/issues/3"
    assert draft_of(issue | {"parent_issue_url": address}).parent_key == "acme/epics#3"
    enterprise = "https://github.example.com/api/v3/repos/acme/epics/issues/3"
    assert draft_of(issue | {"parent_issue_url": enterprise}).parent_key == "acme/epics#3"
    assert draft_of(issue, timeline=[]).parent_key == ""


def test_an_unknown_state_is_kept_and_means_nothing(issue: dict[str, Any]) -> None:
    draft = draft_of(issue | {"state": "frozen"})
    assert (draft.native_status, draft.status_category) == ("frozen", MISSING)


def test_transitions_follow_from_closing_and_reopening(issue: dict[str, Any]) -> None:
    timeline = [
        event("reopened", 12),
        event("closed", 10),
        event("closed", 11),
        event("closed", 13),
        event("labeled", 9),
    ]
    assert draft_of(issue, timeline=timeline).transitions == ProvidedParts(
        [
            TransitionDraft(at=at(10), from_status="open", to_status="closed", category=StatusCategory.DONE, by=ADA),
            TransitionDraft(at=at(12), from_status="closed", to_status="open", category=StatusCategory.TODO, by=ADA),
            TransitionDraft(at=at(13), from_status="open", to_status="closed", category=StatusCategory.DONE, by=ADA),
        ]
    )


def labels(*names: str) -> dict[str, Any]:
    return {"labels": [{"id": number, "name": name} for number, name in enumerate(names)]}


@pytest.mark.parametrize(
    ("put_on", "status", "category"),
    [
        (("in progress",), "in progress", StatusCategory.IN_PROGRESS),
        (("bug", "Status: In-Progress"), "Status: In-Progress", StatusCategory.IN_PROGRESS),
        (("WIP", "in review"), "in review", StatusCategory.IN_PROGRESS),
        (("blocked", "doing"), "blocked", StatusCategory.IN_PROGRESS),
        (("blocked",), "open", StatusCategory.TODO),
        (("progress bar", "review", "code in review tool"), "open", StatusCategory.TODO),
    ],
)
def test_a_label_says_that_somebody_works_on_it(
    issue: dict[str, Any], put_on: tuple[str, ...], status: str, category: StatusCategory
) -> None:
    draft = draft_of(issue | labels(*put_on))
    assert (draft.native_status, draft.status_category) == (status, category)


def test_labels_of_a_closed_issue_say_nothing(issue: dict[str, Any]) -> None:
    draft = draft_of(issue | labels("in progress") | {"state": "closed", "closed_at": "2026-03-03T00:00:00Z"})
    assert (draft.native_status, draft.status_category) == ("closed", StatusCategory.DONE)


def test_labels_put_on_and_taken_off_are_transitions(issue: dict[str, Any]) -> None:
    """Begun at 9, blocked from 10 to 11, closed at 12 with its label on, reopened at 13, put back at 14."""

    def labelled(name: str, hour: int, label: str) -> dict[str, Any]:
        return event(name, hour, label={"name": label, "color": "d93f0b"})

    timeline = [
        labelled("labeled", 8, "bug"),
        labelled("labeled", 9, "in progress"),
        labelled("labeled", 10, "blocked"),
        labelled("unlabeled", 11, "blocked"),
        event("closed", 12),
        event("reopened", 13),
        labelled("unlabeled", 14, "in progress"),
    ]
    transitions = draft_of(issue, timeline=timeline).transitions
    assert isinstance(transitions, ProvidedParts)
    assert [(part.at, part.from_status, part.to_status, part.category) for part in transitions.parts] == [
        (at(9), "open", "in progress", StatusCategory.IN_PROGRESS),
        (at(10), "in progress", "blocked", StatusCategory.IN_PROGRESS),
        (at(11), "blocked", "in progress", StatusCategory.IN_PROGRESS),
        (at(12), "in progress", "closed", StatusCategory.DONE),
        (at(13), "closed", "in progress", StatusCategory.IN_PROGRESS),
        (at(14), "in progress", "open", StatusCategory.TODO),
    ]


def test_of_several_assignees_the_first_counts(issue: dict[str, Any]) -> None:
    timeline = [
        event("assigned", 9, assignee=user(ADA)),
        event("assigned", 10, assignee=user(MAX)),
        event("unassigned", 11, assignee=user(ADA)),
        event("unassigned", 12, assignee=user(MAX)),
    ]
    draft = draft_of(issue | {"assignees": [user(MAX), user(ADA)]}, timeline=timeline)
    assert draft.assignee == MAX
    assert draft.assignments == ProvidedParts(
        [
            AssignmentDraft(at=at(9), assignee=ADA),
            AssignmentDraft(at=at(11), assignee=MAX),
            AssignmentDraft(at=at(12), assignee=None),
        ]
    )


def test_graphql_gives_the_same_history(issue: dict[str, Any]) -> None:
    ada = {"__typename": "User", "login": "ada", "databaseId": 11}
    nodes = [
        {"__typename": "AssignedEvent", "createdAt": "2026-03-02T09:00:00Z", "assignee": ada},
        {"__typename": "ClosedEvent", "createdAt": "2026-03-02T10:00:00Z", "actor": ada},
        {
            "__typename": "LabeledEvent",
            "createdAt": "2026-03-02T08:00:00Z",
            "actor": ada,
            "label": {"name": "in progress"},
        },
        {"__typename": "SomethingNewEvent"},
    ]
    timeline = [
        event("closed", 10),
        event("assigned", 9, assignee=user(ADA)),
        event("labeled", 8, label={"name": "in progress"}),
    ]
    over_graphql = draft_of(issue, details={"timelineItems": {"nodes": nodes}})
    assert over_graphql == draft_of(issue, timeline=timeline)


@pytest.mark.parametrize("field", ["id", "number", "created_at"])
def test_a_missing_field_is_named(issue: dict[str, Any], field: str) -> None:
    del issue[field]
    with pytest.raises(SchemaError) as refused:
        draft_of(issue)
    assert refused.value.path == f"issue.{field}"


def test_a_transferred_issue_is_gone_here_and_new_there(example: Payload) -> None:
    here, there = drafts_of_delivery("issues", example("issues.transferred"))
    assert isinstance(here, WorkItemDraft)
    assert isinstance(there, WorkItemDraft)
    assert (here.key, here.deleted) == ("octo-org/octo-repo#1", True)
    assert (there.key, there.deleted, there.project) == ("Codertocat/Hello-World#1", False, "186853002")


def test_a_deleted_issue_is_gone(example: Payload) -> None:
    (draft,) = drafts_of_delivery("issues", example("issues.opened") | {"action": "deleted"})
    assert draft.deleted

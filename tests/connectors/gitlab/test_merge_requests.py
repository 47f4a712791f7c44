"""GitLab's merge requests: what becomes of the documented shapes, one field changed at a time.

Merge requests: https://docs.gitlab.com/api/merge_requests/ (lib/api/entities/merge_request_basic.rb)
Notes: https://docs.gitlab.com/api/notes/ (lib/api/entities/note.rb); what GitLab writes in them itself:
app/services/system_notes/merge_requests_service.rb and its tests in ee/spec/services/ee/system_notes.
Changes of state: https://docs.gitlab.com/api/resource_state_events/
Commits: https://docs.gitlab.com/api/merge_requests/#get-merge-request-commits
GraphQL: https://docs.gitlab.com/api/graphql/reference/#mergerequest
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.connectors.drafts import MISSING, ProvidedParts, PullRequestDraft, ReviewDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.gitlab.merge_requests import normalise_merge_request
from integrations.enums import PullRequestEventKind, PullRequestState, ReviewState

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ADA = {"id": 4, "username": "ada", "name": "Ada Admin", "state": "active"}
MAX = {"id": 5, "username": "max.member", "name": "Max Member", "state": "active"}
GHOST = {"id": 9_007_199_254_740_993, "username": "ghost", "name": "Ghost User"}
Payload = dict[str, Any]


@pytest.fixture
def payload() -> Payload:
    """A merged one, of a project in a subgroup."""
    return {
        "merge_request": {
            "id": 9_007_199_254_740_995,
            "iid": 12,
            "project_id": 3,
            "title": "Weigh the basket",
            "description": "Closes #7 and acme/tools/scales#8, for SHOP-9",
            "state": "merged",
            "draft": False,
            "created_at": "2026-03-02T10:00:00.000+01:00",
            "updated_at": "2026-03-02T13:00:00.000Z",
            "merged_at": "2026-03-02T13:00:00.000Z",
            "merge_user": ADA,
            "closed_at": None,
            "author": MAX,
            "labels": ["bug", "team::checkout"],
            "source_branch": "7-weigh",
            "target_branch": "main",
            "sha": "a" * 40,
            "merge_commit_sha": "b" * 40,
            "squash_commit_sha": "c" * 40,
            "web_url": "https://gitlab.example.com/acme/web/shop/-/merge_requests/12",
            "references": {"short": "!12", "full": "acme/web/shop!12"},
        },
        "commits": [],
        "notes": [],
        "state_events": [],
    }


def draft_of(payload: Payload) -> PullRequestDraft:
    (draft,) = normalise_merge_request(payload)
    return draft


def said(number: int, body: str, by: Payload = ADA, *, at: datetime = NOON) -> Payload:
    """A note that GitLab wrote about what somebody did."""
    return {"id": number, "type": None, "author": by, "created_at": at.isoformat(), "system": True, "body": body}


def commented(number: int, by: Payload = ADA, *, at: datetime = NOON, type_: str | None = "DiffNote") -> Payload:
    return {"id": number, "type": type_, "author": by, "created_at": at.isoformat(), "system": False}


def reviews_of(payload: Payload, *notes: Payload) -> list[tuple[str, ReviewState, datetime]]:
    reviews = draft_of({**payload, "notes": list(notes)}).reviews
    assert isinstance(reviews, ProvidedParts)
    return [(_name(review), review.state, review.submitted_at) for review in reviews.parts]


def _name(review: ReviewDraft) -> str:
    return review.author.login if review.author else ""


def test_a_merged_one_has_its_times_people_and_ids(payload: Payload) -> None:
    draft = draft_of(payload)
    assert (draft.external_id, draft.repository, draft.number) == ("9007199254740995", "3", 12)
    assert (draft.state, draft.merged_at, draft.closed_at) == (
        PullRequestState.MERGED,
        NOON + 60 * MINUTE,
        draft.merged_at,
    )
    assert (draft.author, draft.merged_by) == (Who(login="max.member", account="5"), Who(login="ada", account="4"))
    assert draft.labels == ("bug", "team::checkout")


def test_the_commit_on_the_target_branch_is_the_merge_the_squash_or_the_head_itself(payload: Payload) -> None:
    merge_request = payload["merge_request"]
    assert draft_of(payload).merge_sha == "b" * 40
    merge_request["merge_commit_sha"] = None
    assert draft_of(payload).merge_sha == "c" * 40
    merge_request["squash_commit_sha"] = None
    assert draft_of(payload).merge_sha == "a" * 40
    merge_request |= {"state": "opened", "merged_at": None}
    assert draft_of(payload).merge_sha == ""


def test_one_that_is_being_merged_or_waits_in_a_train_is_open(payload: Payload) -> None:
    for state in ("opened", "locked"):
        payload["merge_request"] |= {"state": state, "merged_at": None}
        assert draft_of(payload).state is PullRequestState.OPEN


def test_an_old_one_without_a_time_of_merge_has_that_of_its_state(payload: Payload) -> None:
    payload["merge_request"]["merged_at"] = None
    payload["state_events"] = [{"id": 1, "user": ADA, "created_at": NOON.isoformat(), "state": "merged"}]
    assert (draft_of(payload).state, draft_of(payload).merged_at) == (PullRequestState.MERGED, NOON)


def test_issues_in_subgroups_are_named_by_their_whole_path(payload: Payload) -> None:
    references = draft_of(payload).references
    assert isinstance(references, ProvidedParts)
    assert {reference.key for reference in references.parts} >= {"acme/web/shop#7", "acme/tools/scales#8", "SHOP-9"}


def test_an_approval_has_the_time_of_its_note(payload: Payload) -> None:
    assert reviews_of(payload, said(1, "approved this merge request")) == [("ada", ReviewState.APPROVED, NOON)]


def test_an_approval_that_was_withdrawn_is_dismissed_and_a_later_one_counts(payload: Payload) -> None:
    notes = [
        said(1, "approved this merge request"),
        said(2, "unapproved this merge request", at=NOON + MINUTE),
        said(3, "approved this merge request", at=NOON + 2 * MINUTE),
    ]
    states = [state for _, state, _ in reviews_of(payload, *notes)]
    assert states == [ReviewState.DISMISSED, ReviewState.APPROVED]


def test_an_approval_that_a_push_has_reset_is_dismissed(payload: Payload) -> None:
    """GitLab writes no note about it: who counts now is only in the list of approvers."""
    notes = [said(1, "approved this merge request"), said(2, "approved this merge request", MAX)]
    payload["details"] = {"approvedBy": {"nodes": [{"username": "max.member"}]}}
    states = [(name, state) for name, state, _ in reviews_of(payload, *notes)]
    assert states == [("ada", ReviewState.DISMISSED), ("max.member", ReviewState.APPROVED)]


def test_comments_on_lines_are_part_of_the_verdict_that_follows_them(payload: Payload) -> None:
    seconds = timedelta(seconds=20)
    notes = [commented(1), commented(2, at=NOON + seconds), said(3, "requested changes", at=NOON + 2 * seconds)]
    assert reviews_of(payload, *notes) == [("ada", ReviewState.CHANGES_REQUESTED, NOON + 2 * seconds)]


def test_comments_on_lines_without_a_verdict_are_a_review_of_their_own(payload: Payload) -> None:
    notes = [commented(1), commented(2, at=NOON + MINUTE), commented(3, at=NOON + 60 * MINUTE, type_="DiscussionNote")]
    expected = [("ada", ReviewState.COMMENTED, NOON), ("ada", ReviewState.COMMENTED, NOON + 60 * MINUTE)]
    assert reviews_of(payload, *notes) == expected


def test_a_general_comment_is_counted_and_is_no_review(payload: Payload) -> None:
    notes = [commented(1, type_=None), commented(2), said(3, "added 1 commit")]
    draft = draft_of({**payload, "notes": notes})
    assert (draft.comment_count, draft.review_comment_count) == (1, 1)
    assert len(reviews_of(payload, commented(1, type_=None))) == 0


def test_what_people_write_is_no_approval(payload: Payload) -> None:
    note = {**commented(1, type_=None), "body": "approved this merge request"}
    assert reviews_of(payload, note) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("marked this merge request as **ready**", PullRequestEventKind.READY),
        ("unmarked as a **Work In Progress**", PullRequestEventKind.READY),
        ("marked this merge request as **draft**", PullRequestEventKind.DRAFT),
        ("marked this merge request as **draft** from abc12345", PullRequestEventKind.DRAFT),
        ("marked as a **Work In Progress**", PullRequestEventKind.DRAFT),
    ],
)
def test_drafts_become_ready_at_the_time_of_the_note(payload: Payload, body: str, kind: PullRequestEventKind) -> None:
    payload["notes"] = [said(1, body, MAX)]
    events = draft_of(payload).events
    assert isinstance(events, ProvidedParts)
    assert [(event.kind, event.at) for event in events.parts] == [(kind, NOON)]


def test_reviews_are_requested_and_not_any_more_in_one_note(payload: Payload) -> None:
    body = "requested review from @ada and @max.member and removed review request for @maya-manager"
    payload["notes"] = [said(1, body, MAX)]
    events = draft_of(payload).events
    assert isinstance(events, ProvidedParts)
    assert [(event.kind, event.of and event.of.login) for event in events.parts] == [
        (PullRequestEventKind.REVIEW_REQUESTED, "ada"),
        (PullRequestEventKind.REVIEW_REQUESTED, "max.member"),
        (PullRequestEventKind.REVIEW_REQUEST_REMOVED, "maya-manager"),
    ]


def test_states_are_events_and_the_first_is_none_of_them(payload: Payload) -> None:
    states = [("closed", NOON), ("reopened", NOON + MINUTE), ("merged", NOON + 2 * MINUTE)]
    payload["state_events"] = [
        {"id": number, "user": ADA, "created_at": at.isoformat(), "state": state}
        for number, (state, at) in enumerate(states)
    ]
    events = draft_of(payload).events
    assert isinstance(events, ProvidedParts)
    assert [event.kind for event in events.parts] == [PullRequestEventKind.CLOSED, PullRequestEventKind.REOPENED]


def test_lines_are_those_of_graphql_and_unknown_without(payload: Payload) -> None:
    assert (draft_of(payload).additions, draft_of(payload).changed_files) == (MISSING, MISSING)
    payload["details"] = {"diffStatsSummary": {"additions": 10, "deletions": 3, "fileCount": 2}}
    draft = draft_of(payload)
    assert (draft.additions, draft.deletions, draft.changed_files) == (10, 3, 2)


def test_deleted_accounts_are_nobody_and_those_of_tokens_are_bots(payload: Payload) -> None:
    payload["merge_request"]["author"] = GHOST
    assert draft_of(payload).author is None
    for login in ("project_3_bot", "group_12_bot_0a1b", "service_account_group_12_ab"):
        payload["merge_request"]["author"] = {"id": 8, "username": login}
        assert draft_of(payload).author == Who(login=login, account="8", bot=True)


def test_an_old_server_calls_a_draft_work_in_progress(payload: Payload) -> None:
    del payload["merge_request"]["draft"]
    assert (
        draft_of({**payload, "merge_request": payload["merge_request"] | {"work_in_progress": True}}).is_draft is True
    )
    assert draft_of({**payload, "merge_request": payload["merge_request"] | {"title": "Draft: Weigh"}}).is_draft is True


def test_a_renamed_field_is_named_in_the_error(payload: Payload) -> None:
    del payload["merge_request"]["created_at"]
    with pytest.raises(SchemaError, match=r"merge_request\.created_at"):
        draft_of(payload)

"""Azure DevOps' pull requests as drafts: the shapes of its documentation, one field changed at a time.

https://learn.microsoft.com/rest/api/azure/devops/git/pull-requests/get-pull-request and
/git/pull-request-threads/list have the examples; their values are shortened here.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.azure.pull_requests import normalise_pull_request
from integrations.connectors.drafts import MISSING, ProvidedParts, PullRequestDraft, Who, WorkItemReference
from integrations.connectors.errors import SchemaError
from integrations.enums import LinkMethod, PullRequestEventKind, PullRequestState, ReviewState

PAUL = {
    "id": "d6245f20-2af8-44f4-9451-8107cb2767db",
    "displayName": "Normal Paulk",
    "uniqueName": "fabrikamfiber16@hotmail.com",
}
JOHNNIE = {
    "id": "B335B0D4-578F-4944-B94C-A45216EB1A1A",
    "displayName": "Johnnie McLeod",
    "uniqueName": "johnnie@fabrikam.com",
}
AT = "2016-11-01T16:30:36.58Z"
WHEN = datetime(2016, 11, 1, 16, 30, 36, 580000, UTC)


@pytest.fixture
def payload() -> dict[str, Any]:
    return {
        "page": "https://dev.azure.com/fabrikam/shop/_git/web/pullrequest/22",
        "pull_request": {
            "repository": {"id": "3411ebc1-d5aa-464f-9615-0b527bc66719", "name": "web", "project": {"name": "shop"}},
            "pullRequestId": 22,
            "status": "active",
            "createdBy": PAUL,
            "creationDate": "2016-11-01T16:30:31.6655471Z",
            "title": "A new feature",
            "description": "Adds a new feature, see #7",
            "sourceRefName": "refs/heads/npaulk/my_work",
            "targetRefName": "refs/heads/main",
            "mergeStatus": "succeeded",
            "lastMergeSourceCommit": {"commitId": "b60280bc6e62e2f880f1b63c1e24987664d3bda3"},
            "lastMergeCommit": {"commitId": "39f52d24533cc712fc845ed9fd1b6c06b3942588"},
            "reviewers": [{**JOHNNIE, "vote": 10}],
            "workItemRefs": [{"id": "43", "url": "https://dev.azure.com/fabrikam/_apis/wit/workItems/43"}],
        },
        "commits": [],
        "iterations": [],
        "threads": [],
    }


def draft(payload: dict[str, Any]) -> PullRequestDraft:
    (found,) = normalise_pull_request(payload)
    return found


def system(kind: str, identities: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    named = {"CodeReviewThreadType": kind, **properties}
    values = {name: {"$type": "System.String", "$value": value} for name, value in named.items()}
    return {"id": 1, "publishedDate": AT, "properties": values, "identities": identities, "comments": []}


def vote(value: str, at: str = AT, by: Any = None) -> dict[str, Any]:
    thread = system("VoteUpdate", {"1": by or JOHNNIE}, CodeReviewVoteResult=value, CodeReviewVotedByIdentity="1")
    return {**thread, "id": int(datetime.fromisoformat(at).timestamp()), "publishedDate": at}


def reviews(payload: dict[str, Any]) -> list[tuple[ReviewState, datetime]]:
    found = draft(payload).reviews
    assert isinstance(found, ProvidedParts)
    return [(review.state, review.submitted_at) for review in found.parts]


def events(payload: dict[str, Any]) -> list[tuple[PullRequestEventKind, str, str]]:
    found = draft(payload).events
    assert isinstance(found, ProvidedParts)
    return [
        (event.kind, event.by.name if event.by else "", event.of.name if event.of else event.team)
        for event in found.parts
    ]


def test_an_active_one_is_neither_merged_nor_closed(payload: dict[str, Any]) -> None:
    found = draft(payload)
    assert (found.state, found.merged_at, found.closed_at, found.merge_sha) == (PullRequestState.OPEN, None, None, "")
    assert (found.source_branch, found.target_branch) == ("npaulk/my_work", "main")
    assert found.author == Who(
        login="fabrikamfiber16@hotmail.com",
        email="fabrikamfiber16@hotmail.com",
        name="Normal Paulk",
        account="d6245f20-2af8-44f4-9451-8107cb2767db",
    )
    assert (found.additions, found.changed_files) == (None, None)


@pytest.mark.parametrize(
    ("status", "state"), [("completed", PullRequestState.MERGED), ("abandoned", PullRequestState.CLOSED)]
)
def test_the_time_of_its_end_is_that_of_the_merge_if_it_was_completed(
    payload: dict[str, Any], status: str, state: PullRequestState
) -> None:
    payload["pull_request"] |= {"status": status, "closedDate": AT, "closedBy": JOHNNIE}
    found = draft(payload)
    is_merged = state is PullRequestState.MERGED
    assert (found.state, found.closed_at, found.merged_at) == (state, WHEN, WHEN if is_merged else None)
    assert (found.merge_sha != "", found.merged_by is not None) == (is_merged, is_merged)


@pytest.mark.parametrize("field", ["pullRequestId", "creationDate", "repository"])
def test_a_renamed_field_is_named_in_the_error(payload: dict[str, Any], field: str) -> None:
    payload["pull_request"][f"new_{field}"] = payload["pull_request"].pop(field)
    with pytest.raises(SchemaError, match=field):
        draft(payload)


def test_a_time_without_zone_is_refused(payload: dict[str, Any]) -> None:
    payload["pull_request"]["creationDate"] = "2016-11-01T16:30:31"
    with pytest.raises(SchemaError, match="without its offset"):
        draft(payload)


def test_work_items_are_those_that_are_linked_or_named(payload: dict[str, Any]) -> None:
    found = draft(payload).references
    assert isinstance(found, ProvidedParts)
    assert list(found.parts) == [
        WorkItemReference(key="AB#43", method=LinkMethod.PROVIDER),
        WorkItemReference(key="AB#7", method=LinkMethod.BODY),
    ]


@pytest.mark.parametrize(
    ("value", "state"),
    [
        ("10", ReviewState.APPROVED),
        ("5", ReviewState.APPROVED),
        ("-5", ReviewState.CHANGES_REQUESTED),
        ("-10", ReviewState.CHANGES_REQUESTED),
    ],
)
def test_a_vote_is_a_review_at_its_own_time(payload: dict[str, Any], value: str, state: ReviewState) -> None:
    payload["threads"] = [vote(value)]
    assert reviews(payload) == [(state, WHEN)]


def test_an_approval_that_does_not_count_any_more_is_dismissed(payload: dict[str, Any]) -> None:
    """A policy resets votes when commits are pushed; the list of reviewers has the votes of now."""
    payload["threads"] = [vote("10")]
    payload["pull_request"]["reviewers"][0]["vote"] = 0
    assert reviews(payload) == [(ReviewState.DISMISSED, WHEN)]


def test_a_vote_that_was_withdrawn_and_given_again_counts_once(payload: dict[str, Any]) -> None:
    payload["threads"] = [vote("10"), vote("0", "2016-11-01T16:40:00Z"), vote("10", "2016-11-01T16:50:00Z")]
    assert [state for state, _ in reviews(payload)] == [ReviewState.DISMISSED, ReviewState.APPROVED]


def test_votes_of_before_2017_name_people_by_their_ids(payload: dict[str, Any]) -> None:
    """The published example, with TfId instead of identities."""
    old = system(
        "VoteUpdate",
        CodeReviewVoteResult="10",
        CodeReviewVotedByTfId="b335b0d4578f4944b94ca45216eb1a1a",
        CodeReviewVotedByDisplayName="Johnnie McLeod",
    )
    payload["threads"] = [old]
    found = draft(payload).reviews
    assert isinstance(found, ProvidedParts)
    (review,) = found.parts
    assert review.author == Who(name="Johnnie McLeod", account=JOHNNIE["id"].lower())
    assert review.state is ReviewState.APPROVED


def test_comments_on_files_are_a_review_and_others_are_counted(payload: dict[str, Any]) -> None:
    comment = {"id": 1, "author": JOHNNIE, "publishedDate": AT, "commentType": "text"}
    deleted = {**comment, "id": 2, "isDeleted": True}
    payload["threads"] = [
        {"id": 5, "publishedDate": AT, "on_file": True, "properties": {}, "comments": [comment, deleted]},
        {"id": 6, "publishedDate": AT, "on_file": False, "properties": {}, "comments": [comment]},
        {"id": 7, "publishedDate": AT, "on_file": False, "isDeleted": True, "comments": [comment]},
        {**system("MergeAttempt"), "comments": [{**comment, "commentType": "system"}]},
    ]
    found = draft(payload)
    assert (found.comment_count, found.review_comment_count) == (1, 1)
    assert reviews(payload) == [(ReviewState.COMMENTED, WHEN)]


def test_requested_reviews_drafts_and_status_are_events(payload: dict[str, Any]) -> None:
    people = {"1": PAUL, "2": JOHNNIE, "3": {"id": "1", "displayName": "[shop]\\Checkout", "isContainer": True}}
    by = {"CodeReviewReviewersUpdatedByIdentity": "1"}
    payload["threads"] = [
        system("ReviewersUpdate", people, CodeReviewReviewersUpdatedAddedIdentity="2", **by),
        system("ReviewersUpdate", people, CodeReviewReviewersUpdatedAddedIdentity="3", **by),
        system("ReviewersUpdate", people, CodeReviewReviewersUpdatedRemovedIdentity="2", **by),
        system("IsDraftUpdate", people, CodeReviewIsDraftNowSet="1", CodeReviewIsDraftUpdatedByIdentity="1"),
        system("IsDraftUpdate", people, CodeReviewIsDraftNowSet="0", CodeReviewIsDraftUpdatedByIdentity="1"),
        system("StatusUpdate", people, CodeReviewStatus="Abandoned", CodeReviewStatusUpdatedByIdentity="2"),
        system("StatusUpdate", people, CodeReviewStatus="Active", CodeReviewStatusUpdatedByIdentity="2"),
        system("StatusUpdate", people, CodeReviewStatus="Completed", CodeReviewStatusUpdatedByIdentity="2"),
    ]
    assert events(payload) == [
        (PullRequestEventKind.REVIEW_REQUESTED, "Normal Paulk", "Johnnie McLeod"),
        (PullRequestEventKind.REVIEW_REQUESTED, "Normal Paulk", "[shop]\\Checkout"),
        (PullRequestEventKind.REVIEW_REQUEST_REMOVED, "Normal Paulk", "Johnnie McLeod"),
        (PullRequestEventKind.DRAFT, "Normal Paulk", ""),
        (PullRequestEventKind.READY, "Normal Paulk", ""),
        (PullRequestEventKind.CLOSED, "Johnnie McLeod", ""),
        (PullRequestEventKind.REOPENED, "Johnnie McLeod", ""),
    ]


@pytest.mark.parametrize(
    ("identity", "bot"),
    [
        ({"uniqueName": "Build\\4b8c", "displayName": "Project Collection Build Service"}, True),
        ({"uniqueName": "1c2d", "descriptor": "aadsp.MWM", "displayName": "deployer"}, True),
        ({"uniqueName": "ada@fabrikam.com", "descriptor": "aad.MWM", "displayName": "Ada"}, False),
    ],
)
def test_build_services_and_service_principals_are_bots(payload: dict[str, Any], identity: Any, bot: bool) -> None:
    payload["pull_request"]["createdBy"] = {"id": "1", **identity}
    author = draft(payload).author
    assert isinstance(author, Who)
    assert author.bot is bot


def test_parts_that_were_not_read_stay_missing(payload: dict[str, Any]) -> None:
    for name in ("threads", "commits", "iterations"):
        del payload[name]
    found = draft(payload)
    assert (found.reviews, found.commits, found.events, found.comment_count) == (MISSING, MISSING, MISSING, MISSING)

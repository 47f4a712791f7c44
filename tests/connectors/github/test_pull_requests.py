"""A pull request as GitHub writes it, and what is made of it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.providers.github_server import GitHubServer
from integrations.connectors.drafts import MISSING, Missing, ProvidedParts, PullRequestDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.github.pull_requests import normalise_pull_request
from integrations.connectors.github.webhooks import normalise_review
from integrations.enums import Kind, LinkMethod, PullRequestEventKind, PullRequestState, ReviewState
from tests.connectors.github.conftest import Payload
from tests.connectors.github.reading import read


def draft_of(pull_request: dict[str, Any], **parts: Any) -> PullRequestDraft:
    (draft,) = normalise_pull_request({"pull_request": pull_request, **parts})
    return draft


@pytest.fixture
def opened(example: Payload) -> dict[str, Any]:
    pull_request: dict[str, Any] = example("pull_request.opened")["pull_request"]
    return pull_request


def parts_of(collection: Any) -> list[Any]:
    assert isinstance(collection, ProvidedParts)
    return list(collection.parts)


# GitHub's own examples -------------------------------------------------------------------------------------------


def test_an_open_pull_request(opened: dict[str, Any]) -> None:
    draft = draft_of(opened)
    assert (draft.external_id, draft.repository, draft.number) == ("279147437", "186853002", 2)
    assert draft.title == "Update the README with new information."
    assert draft.author == Who(login="Codertocat", account="21031067")
    assert draft.state is PullRequestState.OPEN
    assert draft.created_at == datetime(2019, 5, 15, 15, 20, 33, tzinfo=UTC)
    assert (draft.merged_at, draft.closed_at, draft.merged_by) == (None, None, None)
    assert (draft.source_branch, draft.target_branch) == ("changes", "master")
    assert (draft.additions, draft.deletions, draft.changed_files) == (1, 1, 1)
    assert draft.labels == ("bug",)


def test_a_webhook_provides_no_commits_reviews_and_events(opened: dict[str, Any]) -> None:
    draft = draft_of(opened)
    assert (draft.commits, draft.reviews, draft.events) == (MISSING, MISSING, MISSING)
    assert isinstance(draft.references, ProvidedParts)
    assert not draft.references.whole


def test_the_test_merge_of_an_open_pull_request_is_no_merge(opened: dict[str, Any]) -> None:
    opened["merge_commit_sha"] = "a" * 40
    assert draft_of(opened).merge_sha == ""


def test_merged_is_what_has_a_time_of_merging(opened: dict[str, Any]) -> None:
    opened |= {"state": "closed", "merged_at": "2019-05-16T10:00:00+02:00", "closed_at": "2019-05-16T08:00:00Z"}
    opened |= {"merge_commit_sha": "b" * 40, "merged_by": opened["user"]}
    draft = draft_of(opened)
    assert draft.state is PullRequestState.MERGED
    assert draft.native_state == "closed"
    assert draft.merged_at == draft.closed_at == datetime(2019, 5, 16, 8, tzinfo=UTC)
    assert draft.merge_sha == "b" * 40
    assert draft.merged_by == Who(login="Codertocat", account="21031067")


def test_closed_without_a_merge_is_closed(example: Payload) -> None:
    assert draft_of(example("pull_request.closed")["pull_request"]).state is PullRequestState.CLOSED


def test_a_description_may_be_null(example: Payload) -> None:
    assert draft_of(example("pull_request.opened.with-null-body")["pull_request"]).references == ProvidedParts(
        [], whole=False
    )


def test_drafts_come_and_go(example: Payload) -> None:
    assert draft_of(example("pull_request.converted_to_draft")["pull_request"]).is_draft is True
    assert draft_of(example("pull_request.ready_for_review")["pull_request"]).is_draft is False


def test_a_review_provides_itself_and_little_of_its_pull_request(example: Payload) -> None:
    (draft,) = normalise_review(example("pull_request_review.submitted"))
    (review,) = parts_of(draft.reviews)
    assert (review.state, review.native_state) == (ReviewState.COMMENTED, "commented")
    assert review.submitted_at == datetime(2019, 5, 15, 15, 20, 38, tzinfo=UTC)
    assert isinstance(draft.reviews, ProvidedParts)
    assert not draft.reviews.whole
    assert draft.additions is MISSING
    assert draft.merged_by is MISSING


def test_a_pending_review_is_nobodys_business(example: Payload) -> None:
    payload = example("pull_request_review.submitted")
    payload["review"] |= {"state": "PENDING", "submitted_at": None}
    (draft,) = normalise_review(payload)
    assert draft.reviews is MISSING


# What may be otherwise -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", [None, {"login": "ghost", "id": 10137, "type": "User"}])
def test_an_account_that_was_deleted_is_nobody(opened: dict[str, Any], user: Any) -> None:
    assert draft_of(opened | {"user": user}).author is None


def test_a_fork_that_was_deleted_changes_nothing(opened: dict[str, Any]) -> None:
    opened["head"]["repo"] = None
    assert draft_of(opened).source_branch == "changes"


def test_an_unknown_state_goes_by_its_times(opened: dict[str, Any]) -> None:
    assert draft_of(opened | {"state": "frozen"}).state is PullRequestState.OPEN
    assert draft_of(opened | {"state": "frozen"}).native_state == "frozen"


def test_titles_may_be_long_and_in_any_script(opened: dict[str, Any]) -> None:
    title = draft_of(opened | {"title": "🧺" * 100_000}).title
    assert not isinstance(title, Missing)
    assert len(title) == 1000
    assert title.endswith("🧺…")


def test_who_requested_work_of_a_coding_agent_is_known_by_assignment(opened: dict[str, Any]) -> None:
    agent = {"login": "Copilot", "id": 198982749, "type": "Bot"}
    person = {"login": "ada", "id": 11, "type": "User"}
    draft = draft_of(opened | {"user": agent, "assignees": [agent, person]})
    assert draft.author == Who(login="Copilot", bot=True)
    assert draft.requested_by == Who(login="ada", account="11")
    assert draft_of(opened | {"assignees": [person]}).requested_by is None


@pytest.mark.parametrize(
    "path",
    ["id", "number", "created_at", "base.repo.id"],
)
def test_a_missing_field_is_named(opened: dict[str, Any], path: str) -> None:
    broken = copy.deepcopy(opened)
    *way, last = path.split(".")
    holder = broken
    for name in way:
        holder = holder[name]
    del holder[last]
    with pytest.raises(SchemaError) as refused:
        draft_of(broken)
    assert refused.value.path == f"pull_request.{path}"


@pytest.mark.parametrize(
    ("path", "value"), [("user", "ada"), ("head", "main"), ("labels", {}), ("draft", "no"), ("closed_at", "soon")]
)
def test_a_field_of_another_kind_is_left_out_and_named(opened: dict[str, Any], path: str, value: Any) -> None:
    assert draft_of(opened | {path: value}).left_out == (f"pull_request.{path}",)


@pytest.mark.parametrize("value", [[], "main", {"repo": []}])
def test_a_pull_request_of_no_repository_is_refused(opened: dict[str, Any], value: Any) -> None:
    with pytest.raises(SchemaError, match=r"pull_request\.base"):
        draft_of(opened | {"base": value})


def test_no_pull_request_at_all_is_said(opened: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="pull_request"):
        draft_of("gone")  # type: ignore[arg-type]


# Read with everything that belongs to it ---------------------------------------------------------------------------


@pytest.fixture(params=["true", "false"], ids=["graphql", "rest"])
def by_number(request: pytest.FixtureRequest, github: GitHubServer) -> dict[int, PullRequestDraft]:
    drafts = read(github, Kind.PULL_REQUEST, use_graphql=request.param).drafts
    return {draft.number: draft for draft in drafts if isinstance(draft, PullRequestDraft)}


def test_a_reviewed_pull_request_has_its_reviews_and_requests(by_number: dict[int, PullRequestDraft]) -> None:
    draft = by_number[2]
    maya = Who(login="maya", account="13")
    assert [(part.state, part.author) for part in parts_of(draft.reviews)] == [
        (ReviewState.CHANGES_REQUESTED, maya),
        (ReviewState.APPROVED, maya),
    ]
    requests = [part for part in parts_of(draft.events) if part.kind is PullRequestEventKind.REVIEW_REQUESTED]
    assert [(request.of, request.team) for request in requests] == [(maya, ""), (None, "checkout")]
    assert (draft.comment_count, draft.review_comment_count) == (1, 2)
    assert [part.position for part in parts_of(draft.commits)] == [0, 1]
    assert parts_of(draft.commits)[0].author == Who("max-member", "max@example.com", "Max Member", "12")
    assert [(part.key, part.method) for part in parts_of(draft.references)] == [("acme/shop#1", LinkMethod.PROVIDER)]
    assert draft.merged_by == Who(login="max-member", account="12")


def test_a_force_push_is_an_event_and_a_dismissed_review_stays(by_number: dict[int, PullRequestDraft]) -> None:
    draft = by_number[3]
    assert [part.kind for part in parts_of(draft.events)] == [PullRequestEventKind.FORCE_PUSHED]
    assert [part.state for part in parts_of(draft.reviews)] == [ReviewState.DISMISSED]
    assert [part.subject for part in parts_of(draft.commits)] == ["Sort all crates"]


def test_closed_and_reopened_are_events_in_order(by_number: dict[int, PullRequestDraft]) -> None:
    draft = by_number[4]
    kinds = [part.kind for part in parts_of(draft.events)]
    assert kinds[:2] == [PullRequestEventKind.CLOSED, PullRequestEventKind.REOPENED]
    assert draft.author is None
    assert {(part.key, part.method) for part in parts_of(draft.references)} == {
        ("SHOP-9", LinkMethod.BODY),
        ("SHOP-9", LinkMethod.BRANCH),
    }


def test_times_of_readiness_are_events(by_number: dict[int, PullRequestDraft]) -> None:
    kinds = [part.kind for part in parts_of(by_number[5].events)]
    assert kinds == [PullRequestEventKind.READY, PullRequestEventKind.DRAFT]


def test_a_bot_is_one_in_both_forms(by_number: dict[int, PullRequestDraft]) -> None:
    author = by_number[6].author
    assert isinstance(author, Who)
    assert (author.login, author.bot) == ("orchard-updates[bot]", True)


# Odd times, copies and cut lists -------------------------------------------------------------------------------------


def listed(sha: str, authored: str, committed: str = "2026-06-02T07:30:00Z", message: str = "Step") -> dict[str, Any]:
    signed = {"name": "Ada", "email": "ada@example.com"}
    return {
        "sha": sha,
        "commit": {
            "author": {**signed, "date": authored},
            "committer": {**signed, "date": committed},
            "message": message,
        },
        "author": None,
        "parents": [{"sha": "a" * 40}],
    }


@pytest.mark.parametrize(
    ("written", "is_possible"),
    [
        ("0001-01-01T00:00:00Z", False),
        ("1970-01-01T00:00:00Z", False),
        ("1970-01-02T00:00:00Z", True),
        ("1998-04-02T10:00:00Z", True),
        ("2099-12-31T23:59:59Z", True),
        ("2106-02-07T06:28:15Z", False),
        ("9999-12-31T23:59:59-12:00", False),
    ],
)
def test_a_commit_with_a_time_that_cannot_be_loses_the_time_alone(
    opened: dict[str, Any], written: str, is_possible: bool
) -> None:
    odd = listed("b" * 40, written, committed="2106-02-07T06:28:15Z")
    draft = draft_of(opened, commits=[odd, listed("c" * 40, "2026-06-02T07:00:00Z")], reviews=[], timeline=[])
    first, second = parts_of(draft.commits)
    assert (first.authored_at is not None, first.committed_at) == (is_possible, None)
    assert second.authored_at == datetime(2026, 6, 2, 7, tzinfo=UTC)
    paths = {"commits[0].commit.committer.date"} | (set() if is_possible else {"commits[0].commit.author.date"})
    assert set(draft.left_out) == paths


def test_a_review_and_an_event_of_left_out_are_left_out(opened: dict[str, Any]) -> None:
    review = {"id": 1, "user": None, "state": "APPROVED", "submitted_at": "0001-01-01T00:00:00Z"}
    event = {"event": "closed", "created_at": "2106-02-07T06:28:15Z", "actor": None}
    draft = draft_of(opened, commits=[], reviews=[review], timeline=[event])
    assert (parts_of(draft.reviews), parts_of(draft.events)) == ([], [])
    assert draft.left_out == ("reviews[0].submitted_at", "timeline[0].created_at")


def test_a_pull_request_whose_own_time_cannot_be_is_refused(opened: dict[str, Any]) -> None:
    opened["created_at"] = "0001-01-01T00:00:00Z"
    with pytest.raises(SchemaError, match="created_at"):
        draft_of(opened)


def test_a_cherry_pick_was_written_when_it_was_picked(opened: dict[str, Any]) -> None:
    message = f"Step\n\n(cherry picked from commit {'d' * 40})"
    picked = listed("b" * 40, "2026-05-04T08:00:00Z", message=message)
    draft = draft_of(opened, commits=[picked], reviews=[], timeline=[])
    (commit,) = parts_of(draft.commits)
    assert commit.authored_at == datetime(2026, 6, 2, 7, 30, tzinfo=UTC)
    assert commit.parents == ("a" * 40,)

"""Records of Gitea as its API documents them, one field changed at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from integrations.connectors.drafts import MISSING, ProvidedParts, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.gitea.records import normalise_issue, normalise_pull_request

ADA = {"id": 4, "login": "ada", "full_name": "Ada Admin", "email": "ada@noreply.gitea.example.com"}
GHOST = {"id": -1, "login": "Ghost"}


@pytest.fixture
def pull_request() -> dict[str, Any]:
    """A pull request of a server without the fields that version 1.23 added."""
    return {
        "id": 71,
        "number": 12,
        "user": ADA,
        "title": "wip: Weigh the basket",
        "body": "For SHOP-9",
        "state": "open",
        "html_url": "https://gitea.example.com/acme/shop/pulls/12",
        "labels": None,
        "created_at": "2026-03-02T10:00:00+01:00",
        "updated_at": "2026-03-02T11:00:00+01:00",
        "closed_at": None,
        "merged_at": None,
        "merge_commit_sha": None,
        "merged_by": None,
        "base": {"label": "main", "ref": "main", "sha": "b" * 40, "repo": {"id": 7, "full_name": "acme/shop"}},
        "head": {"label": "weigh", "ref": "refs/pull/12/head", "sha": "a" * 40, "repo": None},
    }


@pytest.fixture
def issue() -> dict[str, Any]:
    return {
        "issue": {
            "id": 5,
            "number": 3,
            "user": GHOST,
            "title": "It has no weight",
            "body": "",
            "state": "open",
            "html_url": "https://gitea.example.com/acme/shop/issues/3",
            "assignees": None,
            "created_at": "2026-03-02T10:00:00-08:00",
            "updated_at": "2026-03-02T11:00:00-08:00",
            "closed_at": None,
            "due_date": "2026-03-09T23:59:59-08:00",
        },
        "repository": {"id": "7", "full_name": "acme/shop"},
    }


def test_a_branch_that_is_gone_keeps_its_name(pull_request: dict[str, Any]) -> None:
    (draft,) = normalise_pull_request({"pull_request": pull_request})
    assert draft.source_branch == "weigh"


def test_an_old_server_says_by_the_title_what_is_a_draft(pull_request: dict[str, Any]) -> None:
    (draft,) = normalise_pull_request({"pull_request": pull_request})
    assert (draft.is_draft, draft.additions, draft.reviews) == (True, MISSING, MISSING)
    pull_request["title"] = "Weigh the basket"
    (draft,) = normalise_pull_request({"pull_request": pull_request})
    assert draft.is_draft is False


def test_a_review_that_was_requested_and_not_submitted_does_not_count(pull_request: dict[str, Any]) -> None:
    reviews = [{"id": 1, "user": ADA, "state": "REQUEST_REVIEW"}, {"id": 2, "user": ADA, "state": "PENDING"}]
    (draft,) = normalise_pull_request({"pull_request": pull_request, "reviews": reviews, "timeline": []})
    assert draft.reviews == ProvidedParts([])


def test_accounts_that_are_gone_are_nobody_and_actions_are_a_bot(pull_request: dict[str, Any]) -> None:
    (draft,) = normalise_pull_request({"pull_request": {**pull_request, "user": GHOST}})
    assert draft.author is None
    (draft,) = normalise_pull_request({"pull_request": {**pull_request, "user": {"id": -2, "login": "gitea-actions"}}})
    assert draft.author == Who(login="gitea-actions", bot=True)


def test_a_renamed_field_is_named_in_the_error(pull_request: dict[str, Any]) -> None:
    del pull_request["created_at"]
    with pytest.raises(SchemaError, match=r"pull_request\.created_at"):
        normalise_pull_request({"pull_request": pull_request})


def test_an_issue_is_due_on_the_day_that_the_server_writes(issue: dict[str, Any]) -> None:
    (draft,) = normalise_issue(issue)
    assert (draft.due_on, draft.reporter, draft.transitions) == (date(2026, 3, 9), None, MISSING)

"""Releases, commits and repositories as GitHub writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.connectors.drafts import CommitDraft, ReleaseDraft, RepositoryDraft, Who
from integrations.connectors.errors import SchemaError
from integrations.connectors.github.commits import normalise_commit
from tests.connectors.github.conftest import Payload
from tests.connectors.github.reading import drafts_of_delivery


def test_a_release(example: Payload) -> None:
    (draft,) = drafts_of_delivery("release", example("release.published"))
    assert isinstance(draft, ReleaseDraft)
    assert (draft.external_id, draft.tag, draft.repository) == ("17372790", "0.0.1", "186853002")
    assert not draft.is_draft
    assert draft.published_at is not None


def test_a_release_that_was_deleted_is_gone(example: Payload) -> None:
    (draft,) = drafts_of_delivery("release", example("release.published") | {"action": "deleted"})
    assert draft.deleted


def test_a_repository_that_was_renamed_keeps_its_id(example: Payload) -> None:
    payload = {"action": "renamed", "repository": example("issues.opened")["repository"]}
    payload["repository"] |= {"full_name": "Codertocat/Hi", "html_url": "https://github.com/Codertocat/Hi"}
    (draft,) = drafts_of_delivery("repository", payload)
    assert isinstance(draft, RepositoryDraft)
    assert (draft.external_id, draft.name) == ("186853002", "Codertocat/Hi")
    assert draft.remote == "github.com/Codertocat/Hi"


def commit(**more: Any) -> dict[str, Any]:
    return {
        "sha": "a" * 40,
        "commit": {
            "author": {"name": "Ada", "email": "ada@example.com", "date": "2026-03-02T09:00:00+02:00"},
            "committer": {"name": "GitHub", "email": "noreply@github.com", "date": "2026-03-02T10:00:00Z"},
            "message": "Weigh the basket\n\nCo-authored-by: Max <max@example.com>",
        },
        "author": {"login": "ada", "id": 11, "type": "User"},
        "committer": {"login": "web-flow", "id": 19864447, "type": "User"},
        "parents": [{"sha": "b" * 40}, {"sha": "c" * 40}],
        **more,
    }


def draft_of(commit: dict[str, Any]) -> CommitDraft:
    (draft,) = normalise_commit({"commit": commit, "repository": {"id": 7}})
    return draft


def test_a_commit() -> None:
    draft = draft_of(commit())
    assert draft.author == Who("ada", "ada@example.com", "Ada", "11")
    assert draft.parents == ("b" * 40, "c" * 40)
    assert draft.authored_at == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert "Co-authored-by" in draft.message
    assert (draft.additions, draft.deletions) == (None, None)  # a list counts no lines


def test_an_author_without_an_account_is_known_by_address() -> None:
    assert draft_of(commit(author=None)).author == Who(email="ada@example.com", name="Ada")


def test_a_bot_that_commits_is_known_by_the_address_in_graphql() -> None:
    bot = {"login": "dependabot[bot]", "id": 49699333, "type": "Bot"}
    signed = {"name": "dependabot[bot]", "email": "49699333+dependabot[bot]@users.noreply.github.com"}
    payload = commit(author=bot)
    payload["commit"]["author"] |= signed
    assert draft_of(payload).author == Who(email=signed["email"], name=signed["name"], bot=True)


def test_a_missing_field_is_named() -> None:
    payload = commit()
    del payload["commit"]["committer"]["date"]
    with pytest.raises(SchemaError, match=r"commit\.commit\.committer\.date"):
        draft_of(payload)

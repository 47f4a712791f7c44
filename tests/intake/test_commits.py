"""Commits from a provider's API, before and after a clone provides them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from integrations.connectors.drafts import CommitDraft, Who
from integrations.connectors.git.messages import trailers_of
from integrations.enums import Kind
from integrations.intake.deleted_records import mark_deleted
from integrations.intake.store_drafts import Outcome
from integrations.models import Commit, CommitEvidence, CommitInRepository, Connection, Repository
from orgtree.models import Identity
from tests.code.git.repositories import FIRST, Repo, lines
from tests.code.git.tables import imported_anew, sync, tables
from tests.intake.conftest import SHOP, Tell

ADA = Who(name="Ada Example", email="ada@example.com", login="ada-k")
MESSAGE = "Sell tea\n\nIt is wanted.\n\nCo-authored-by: Claude <noreply@anthropic.com>\nReviewed-by: Ben\n  Example"


def commit(sha: str, *, parents: tuple[str, ...] = (), **fields: Any) -> CommitDraft:
    whole: dict[str, Any] = {
        "external_id": sha,
        "repository": SHOP,
        "parents": parents,
        "author": ADA,
        "authored_at": FIRST,
        "committer": ADA,
        "committed_at": FIRST,
        "message": MESSAGE,
    }
    return CommitDraft(**whole | fields)


def test_a_commit_is_stored_without_its_files(tell: Tell) -> None:
    assert tell(commit("a" * 40, additions=3, deletions=1)).outcomes == (Outcome.ADDED,)
    stored = Commit.objects.get()
    assert (stored.subject, stored.lines_known, stored.lines_added, stored.without_clone) == (
        "Sell tea",
        False,
        3,
        True,
    )
    assert stored.home == Repository.objects.get()
    assert CommitInRepository.objects.get().on_default_branch
    assert CommitEvidence.objects.get().agent == "claude_code"
    assert Identity.objects.get(value="ada-k").person == stored.author.person
    assert tell(commit("a" * 40, additions=3, deletions=1)).outcomes == (Outcome.UNCHANGED,)


def test_whoever_has_no_address_is_known_by_login(tell: Tell) -> None:
    tell(commit("a" * 40, author=Who(login="ben"), committer=Who(login="ben")))
    author = Commit.objects.get().author
    assert (author.kind, author.provider, author.value) == ("login", "github", "ben")


def test_a_commit_that_reaches_the_default_branch_says_so(tell: Tell) -> None:
    tell(commit("a" * 40, on_default_branch=False))
    assert tell(commit("a" * 40)).outcomes == (Outcome.CHANGED,)
    assert CommitInRepository.objects.get().on_default_branch


def test_a_commit_that_is_taken_away_counts_no_more(tell: Tell, github: Connection) -> None:
    tell(commit("a" * 40))
    assert mark_deleted(github, Kind.COMMIT, ["a" * 40]) == 1
    assert Commit.objects.get().exclusion_reason == "gone"
    assert tell(commit("a" * 40)).outcomes == (Outcome.CHANGED,)
    assert Commit.objects.get().exclusion_reason == ""


@pytest.mark.parametrize("message", ["", MESSAGE])
def test_a_clone_takes_over_commits_that_the_provider_brought(tell: Tell, tmp_path: Path, message: str) -> None:
    repo = Repo.create(tmp_path / "shop")
    repo.git("remote", "add", "origin", "git@github.com:acme/shop.git")
    first = repo.commit({"tea.py": lines(3)}, MESSAGE)
    second = repo.commit({"tea.py": lines(5)}, "Sell more")
    at = {sha: datetime.fromisoformat(repo.git("log", "-1", "--format=%cI", sha)) for sha in (first, second)}
    tell(
        commit(first, authored_at=at[first], committed_at=at[first], message=message, additions=3, deletions=0),
        commit(second, authored_at=at[second], committed_at=at[second], parents=(first,), message="Sell more"),
    )
    run = sync(repo)
    assert (run.read, run.added, run.changed) == (2, 0, 2)
    assert not Commit.objects.filter(without_clone=True).exists()
    assert sync(repo).read == 0
    Repository.objects.update(name="shop")  # as the clone alone would call it
    assert tables() == imported_anew(repo)


@pytest.mark.parametrize(
    ("message", "keys"),
    [
        ("Fix: not a trailer", ()),
        ("One\n\nSigned-off-by: Ada", ("Signed-off-by",)),
        ("One\r\n\r\nText\r\n\r\nA: 1\r\nB: 2", ("A", "B")),
        ("", ()),
    ],
)
def test_trailers_stand_in_the_last_paragraph(message: str, keys: tuple[str, ...]) -> None:
    assert tuple(trailer.key for trailer in trailers_of(message)) == keys

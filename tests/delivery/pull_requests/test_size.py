"""The size of a pull request, from a clone's files or from the provider's counts."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.code.attribution.tasks import attribute_pending
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import PullRequestFigures
from integrations.sync.git.connect import connect_git
from integrations.sync.git.read_source import sync_source
from tests.code.git.repositories import Repo, lines
from tests.delivery.pull_requests.conftest import TellOf, figures
from tests.delivery.pull_requests.histories import Commit, History

AT = datetime(2026, 3, 3, 12, tzinfo=UTC)
LOCK, TEA, TEST = "package-lock.json", "src/tea.py", "tests/test_tea.py"


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    repo = Repo.create(tmp_path / "shop")
    repo.commit({"README.md": lines(3)})
    repo.branch("tea")
    return repo


def pull_request(repo: Repo, *shas: str, additions: int, deletions: int = 0) -> History:
    history = History(1, "ada", AT, merged_at=AT.replace(hour=18), additions=additions, deletions=deletions)
    history.commits = [Commit(sha, AT, AT, "ada") for sha in shas]
    history.merge_commit = repo.head
    return history


def read(repo: Repo) -> PullRequestFigures:
    """The stored figures of the pull request once the clone is read, too."""
    sync_source(connect_git(repo.path))
    attribute_pending()
    recompute_waiting_pull_requests()
    return figures()[1]


def test_without_a_clone_the_provider_counts(repo: Repo, tell_of: TellOf) -> None:
    row = tell_of(pull_request(repo, "tea", additions=120, deletions=30))[1]
    assert (row.size, row.size_class, row.directory_count) == (150, "M", None)


def test_generated_files_of_a_squash_are_left_out(repo: Repo, tell_of: TellOf) -> None:
    first = repo.commit({TEA: lines(30), LOCK: lines(500)})
    second = repo.commit({TEA: lines(20), TEST: lines(10)})
    repo.switch("main")
    repo.squash("tea")
    tell_of(pull_request(repo, first, second, additions=530))
    assert figures()[1].size == 530
    after = read(repo)
    assert (after.size, after.size_class) == (30, "S")
    assert (after.file_count, after.directory_count, after.language_count) == (2, 2, 1)


def test_of_a_merged_branch_its_commits_tell_and_never_more_than_the_provider(repo: Repo, tell_of: TellOf) -> None:
    first = repo.commit({TEA: lines(30), LOCK: lines(500)})
    second = repo.commit({TEA: lines(20)})
    repo.switch("main")
    repo.merge("tea")
    tell_of(pull_request(repo, first, second, additions=520))
    after = read(repo)
    assert after.size == 40  # 30 added, then 10 deleted again: without the lock file the commits tell no better
    assert after.file_count == 1


def test_a_branch_that_was_read_before_counts_at_once(repo: Repo, tell_of: TellOf) -> None:
    first = repo.commit({TEA: lines(30), LOCK: lines(500)})
    sync_source(connect_git(repo.path))
    row = tell_of(pull_request(repo, first, additions=530))[1]
    assert (row.size, row.directory_count) == (30, 1)


def test_agents_that_a_clone_tells_of_had_a_part(repo: Repo, tell_of: TellOf) -> None:
    trailer = "Sell tea\n\nCo-Authored-By: Claude <noreply@anthropic.com>"
    first = repo.commit({TEA: lines(30)}, trailer)
    second = repo.commit({TEST: lines(10)})
    repo.switch("main")
    repo.squash("tea")
    assert tell_of(pull_request(repo, first, second, additions=40))[1].agents == []
    assert read(repo).agents == ["claude_code"]

"""Periods of agent context files on the default branch."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.connectors.git.context_files import (
    ContextFilePeriod,
    agent_of,
    context_file_periods,
    is_context_file,
)
from integrations.connectors.git.history import read_commits
from integrations.connectors.git.repository import GitRepository
from tests.code.git.repositories import Repo


def on(day: int) -> datetime:
    return datetime(2026, 3, day, 12, tzinfo=UTC)


def periods(repo: Repo) -> list[ContextFilePeriod]:
    """As found by the patterns, and as found by the paths that an import sees pass by: the same."""
    git_dir, tip = GitRepository.open(repo.path).git_dir, repo.git("rev-parse", "main")
    expected = context_file_periods(git_dir, tip)
    commits = read_commits(git_dir, repo.git("rev-list", "--all").split())
    names = {name for commit in commits for file in commit.files for name in (file.path, file.old_path)}
    assert context_file_periods(git_dir, tip, set(filter(is_context_file, names))) == expected
    return expected


def test_a_file_stands_from_the_commit_that_brings_it(repo: Repo) -> None:
    repo.commit({"a.py": "1\n"}, at=on(1))
    repo.commit({"CLAUDE.md": "Be kind.\n"}, at=on(3))
    repo.commit({"CLAUDE.md": "Be kind, please.\n"}, at=on(5))
    assert periods(repo) == [ContextFilePeriod("CLAUDE.md", "claude_code", on(3), None)]


def test_a_file_that_goes_and_comes_back_has_two_periods(repo: Repo) -> None:
    repo.commit({"AGENTS.md": "1\n"}, at=on(1))
    repo.commit({"AGENTS.md": None, "a": "1\n"}, at=on(4))
    repo.commit({"AGENTS.md": "2\n"}, at=on(6))
    assert periods(repo) == [
        ContextFilePeriod("AGENTS.md", "", on(1), on(4)),
        ContextFilePeriod("AGENTS.md", "", on(6), None),
    ]


def test_a_file_on_a_branch_stands_from_its_merge(repo: Repo) -> None:
    repo.commit({"a.py": "1\n"}, at=on(1))
    repo.branch("topic")
    repo.commit({"GEMINI.md": "1\n"}, at=on(2))
    assert periods(repo) == []
    repo.switch("main")
    repo.merge("topic")
    (period,) = periods(repo)
    assert (period.path, period.since > on(1)) == ("GEMINI.md", True)


def test_a_file_that_only_a_merge_brings_stands(repo: Repo) -> None:
    repo.commit({"a.py": "1\n"}, at=on(1))
    repo.branch("topic")
    repo.commit({"b.py": "1\n"}, at=on(2))
    repo.switch("main")
    repo.git("merge", "--quiet", "--no-ff", "--no-commit", "topic", signed=repo.signed())
    repo.commit({"AGENTS.md": "1\n"}, at=on(3))
    assert periods(repo) == [ContextFilePeriod("AGENTS.md", "", on(3), None)]


def test_renames_and_names_that_are_no_utf_8_are_followed(repo: Repo) -> None:
    repo.commit({"CLAUDE.md": "1\n2\n3\n", b"\xff/AGENTS.md": "1\n"}, at=on(1))
    repo.commit({"CLAUDE.md": None, "docs/agents.txt": "1\n2\n3\n"}, at=on(2))
    assert [(period.path, period.until) for period in periods(repo)] == [
        ("CLAUDE.md", on(2)),
        ("\\xff/AGENTS.md", None),
    ]


@pytest.mark.parametrize(
    ("path", "agent"),
    [
        ("CLAUDE.md", "claude_code"),
        ("services/cart/CLAUDE.md", "claude_code"),
        ("AGENTS.md", ""),
        ("GEMINI.md", "gemini"),
        (".cursorrules", "cursor"),
        (".cursor/rules/style.mdc", "cursor"),
        (".github/copilot-instructions.md", "copilot"),
        (".github/instructions/python.instructions.md", "copilot"),
        (".windsurfrules", "windsurf"),
        (".clinerules", "cline"),
        ("with\nnewline/AGENTS.md", ""),
    ],
)
def test_every_kind_of_context_file_is_found(repo: Repo, path: str, agent: str) -> None:
    repo.commit({path: "1\n", "src/claude.md.py": "1\n"}, at=on(1))
    assert periods(repo) == [ContextFilePeriod(path, agent, on(1), None)]
    assert agent_of(path) == agent

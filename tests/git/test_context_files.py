"""When files that guide coding agents stood on the default branch."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from integrations.connectors.git.context_files import ContextFilePeriod, agent_of, context_file_periods
from integrations.connectors.git.repository import GitRepository
from tests.git.repositories import Repo


def on(day: int) -> datetime:
    return datetime(2026, 3, day, 12, tzinfo=UTC)


def periods(repo: Repo) -> list[ContextFilePeriod]:
    return context_file_periods(GitRepository.open(repo.path).git_dir, repo.git("rev-parse", "main"))


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

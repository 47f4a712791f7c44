"""Two clones of one repository whose notes differ: what either says stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from integrations.models import CommitEvidence, Repository
from tests.code.git.repositories import Repo, lines
from tests.code.git.tables import sync

pytestmark = pytest.mark.django_db
NOTE = """%(path)s
  %(session)s 1-3
---
{"schema_version": "authorship/3.0.0", "prompts": {"%(session)s": {"agent_id": {"tool": "claude", "id": "%(id)s"}}}}
"""


def note(repo: Repo, ref: str, sha: str, path: str, session: str) -> None:
    text = NOTE % {"path": path, "session": session * 16, "id": f"session-{session}"}
    repo.git("notes", f"--ref={ref}", "add", "--force", "--message", text, sha, signed=repo.signed())


def attested() -> set[tuple[str, str]]:
    """Path and session of all notes that stand."""
    evidence = CommitEvidence.objects.filter(method="note", withdrawn_at=None)
    return {(path, row.external_session) for row in evidence for path in row.lines_by_path or {}}


@pytest.fixture
def clones(repo: Repo, tmp_path: Path) -> tuple[Repo, Repo]:
    """One clone has a note on each commit under the standard ref, the other one on the second under an older ref."""
    first, second = repo.commit({"a.py": lines(3)}), repo.commit({"b.py": lines(3)})
    repo.git("remote", "add", "origin", "https://git.example.com/shop.git")
    other = repo.clone(tmp_path / "other")
    other.git("remote", "set-url", "origin", "https://git.example.com/shop.git")
    note(repo, "ai", first, "a.py", "1")
    note(other, "exceeds-ink", second, "b.py", "2")
    sync(repo)
    sync(other)
    return repo, other


def test_neither_takes_back_what_the_other_says(clones: tuple[Repo, Repo]) -> None:
    assert Repository.objects.count() == 1
    assert attested() == {("a.py", "session-1"), ("b.py", "session-2")}
    for repo in clones:
        assert sync(repo, full=True).changed == 0
        assert len(attested()) == 2


def test_each_takes_back_what_it_said_itself(clones: tuple[Repo, Repo]) -> None:
    repo, _ = clones
    repo.git("update-ref", "-d", "refs/notes/ai")
    sync(repo)
    assert attested() == {("b.py", "session-2")}


def test_while_one_cannot_be_read_nothing_is_taken_back(clones: tuple[Repo, Repo]) -> None:
    repo, other = clones
    shutil.rmtree(other.path)
    repo.git("update-ref", "-d", "refs/notes/ai")
    sync(repo)
    assert len(attested()) == 2

"""Two clones of one repository whose notes differ: what either says stands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from integrations.connectors.git.repository import GitRepository
from integrations.models import CommitEvidence, FileAttribution, Repository
from tests.code.attribution.world import attribute
from tests.code.git.repositories import Repo, lines
from tests.code.git.tables import sync

pytestmark = pytest.mark.django_db
NOTE = """%(path)s
  %(session)s 1-3
---
{"schema_version": "authorship/3.0.0", "%(kind)s": {"%(described)s": {"agent_id": {"tool": "claude", "id": "%(id)s"}}}}
"""


def note(
    repo: Repo, ref: str, sha: str, path: str, session: str, *, described: str = "", kind: str = "sessions"
) -> None:
    """A note of a session; where it describes another one, its own key is not described."""
    keys = [("s_" if kind == "sessions" else "") + name * 14 for name in (session, described or session)]
    text = NOTE % {
        "path": path,
        "session": keys[0],
        "kind": kind,
        "described": keys[1],
        "id": f"session-{described or session}",
    }
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


def test_a_source_withdraws_only_its_own_notes(clones: tuple[Repo, Repo]) -> None:
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


def counted() -> dict[str, int]:
    return dict(FileAttribution.objects.values_list("file__path", "ai_lines"))


def test_lines_that_an_older_commit_added_are_none_of_a_later_one(repo: Repo) -> None:
    """Tools attest the lines of a whole branch, or those that a formatter left alone."""
    repo.commit({"a.py": lines(10)})
    later = repo.commit({"a.py": lines(2) + "mended\n" + lines(10).split("\n", 3)[3], "läufe\t.py": lines(3)})
    note(repo, "ai", later, "a.py", "1")  # attests lines 1 to 3, of which the third is new
    sync(repo)
    attribute()
    assert counted() == {"a.py": 1}


def test_the_lines_of_a_first_commit_are_all_new(repo: Repo) -> None:
    first = repo.commit({"a.py": lines(2)})
    note(repo, "ai", first, "a.py", "1")
    sync(repo)
    attribute()
    assert counted() == {"a.py": 2}


def test_the_note_of_a_commit_that_was_written_again_takes_the_place_of_the_earlier_one(repo: Repo) -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    base = repo.commit({"b.py": lines(3)})
    earlier = repo.commit({"a.py": lines(3)}, "Add it", at=at)
    note(repo, "ai", earlier, "a.py", "1")
    sync(repo)
    repo.git("reset", "--hard", base)
    again = repo.commit({"a.py": lines(4)}, "Add it", at=at)
    text = repo.git("notes", "--ref=ai", "show", earlier).replace(" 1-3", " 1-4")
    repo.git("notes", "--ref=ai", "add", "--message", text, again, signed=repo.signed())
    sync(repo)
    noted = CommitEvidence.objects.filter(method="note", withdrawn_at=None)
    assert list(noted.values_list("commit__sha", "lines_by_path")) == [(again, {"a.py": 4})]


def test_only_notes_that_changed_are_read_again(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = repo.commit({"a.py": lines(3)}), repo.commit({"b.py": lines(3)})
    note(repo, "ai", first, "a.py", "1")
    note(repo, "ai", second, "b.py", "2")
    sync(repo)
    read: list[set[str] | None] = []
    whole = GitRepository.read_notes

    def noting(self: GitRepository, tip: str, only: set[str] | None = None) -> Iterator[tuple[str, bytes]]:
        read.append(only)
        return whole(self, tip, only)

    monkeypatch.setattr(GitRepository, "read_notes", noting)
    third = repo.commit({"c.py": lines(3)})
    note(repo, "ai", third, "c.py", "3")
    note(repo, "ai", second, "b.py", "4")
    repo.git("notes", "--ref=ai", "remove", first, signed=repo.signed())
    sync(repo)
    assert read == [{first, second, third}] * 3  # to find prompts that others name, and copies
    assert attested() == {("b.py", "session-4"), ("c.py", "session-3")}
    sync(repo, full=True)
    assert read[3:] == [None] * 2
    assert attested() == {("b.py", "session-4"), ("c.py", "session-3")}


@pytest.mark.parametrize("first", ["describing", "naming"])
def test_a_key_that_another_note_describes_is_found_in_any_order(repo: Repo, first: str) -> None:
    """Whichever of the two notes comes first, and whatever else was read before."""
    shas = {"describing": repo.commit({"a.py": lines(3)}), "naming": repo.commit({"b.py": lines(3)})}
    other = repo.commit({"c.py": lines(3)})

    def leave(which: str) -> None:
        if which == "describing":
            note(repo, "ai", shas[which], "a.py", "1", kind="prompts")
        else:
            note(repo, "ai", shas[which], "b.py", "1", described="2", kind="prompts")

    leave(first)
    sync(repo)
    note(repo, "ai", other, "c.py", "3", kind="prompts")
    sync(repo)
    leave("naming" if first == "describing" else "describing")
    sync(repo)
    assert attested() == {("a.py", "session-1"), ("b.py", "session-1"), ("c.py", "session-3")}
    assert sync(repo, full=True).changed == 0

"""Notes in git-ai's format, as the server's own reader of git-ai's notes understands them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.collector_cases import A3, B3, HUMAN
from bench.collector_world import World
from integrations.code.attribution.git_ai_notes import read_note

NOTE = ("notes", "--ref=refs/notes/ai", "show")


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.agent("install", "--notes")
    return made


def note_at(world: World, revision: str = "HEAD") -> str:
    return world.git(*NOTE, revision, check=False)


def sessions_noted(world: World, revision: str = "HEAD") -> dict[tuple[str, str], dict[str, int]]:
    sessions = read_note(note_at(world, revision).encode())
    return {(noted.agent, noted.external_session): dict(noted.lines_by_path) for noted in sessions}


def test_a_note_says_the_lines_of_sessions_and_no_prompt(world: World) -> None:
    world.edit("s-1", "app.py", *HUMAN[:1], *A3)
    world.edit("s-2", "my notes/read me.md", *B3, agent="codex")
    world.insert("app.py", A3[0], "typed = 'by hand'")
    sha = world.commit()
    assert sessions_noted(world) == {
        ("claude_code", "s-1"): {"app.py": 4},
        ("codex", "s-2"): {"my notes/read me.md": 3},
    }
    lines = note_at(world).splitlines()
    assert lines[0] == "app.py"
    assert lines[1].endswith(" 1-2,4-5")  # the third is the person's
    document = json.loads(lines[lines.index("---") + 1])
    assert (document["schema_version"], document["base_commit_sha"], document["prompts"]) == (
        "authorship/3.0.0",
        sha,
        {},
    )
    assert {name for session in document["sessions"].values() for name in session} == {"agent_id"}


def test_notes_follow_an_amend_and_a_rebase_by_content(world: World) -> None:
    world.write("base.txt", "base")
    world.commit()
    world.git("switch", "-qc", "work")
    world.edit("s-1", "app.py", *A3)
    world.commit()
    world.edit("s-1", "app.py", *A3, "amended = compute(A3)")
    world.git("add", "-A")
    world.git("commit", "-q", "--amend", "-m", "amended")
    assert sessions_noted(world) == {("claude_code", "s-1"): {"app.py": 4}}
    world.git("switch", "-q", "main")
    world.write("other.txt", "other")
    world.commit()
    world.git("rebase", "-q", "main", "work")
    assert sessions_noted(world) == {("claude_code", "s-1"): {"app.py": 4}}


def test_a_commit_in_the_agents_shell_gets_its_whole_note(world: World) -> None:
    """The hook of git runs before the shell's end is known; the note is completed then."""
    world.shell("s-1", f"printf '{A3[0]}\\n{A3[1]}\\n' > made.py; git add -A; git commit -qm made")
    assert sessions_noted(world) == {("claude_code", "s-1"): {"made.py": 2}}


def test_a_note_of_somebody_else_stays(world: World) -> None:
    world.write("first.txt", "first")
    sha = world.commit()
    world.git("notes", "--ref=refs/notes/ai", "add", "-m", "theirs", sha)
    world.edit("s-1", "first.txt", *A3)
    world.git("add", "-A")
    world.git("commit", "-qm", "second")
    assert sessions_noted(world)
    world.git("notes", "--ref=refs/notes/ai", "add", "-f", "-m", "theirs")
    world.shell("s-1", "git commit -q --amend -m again; git notes --ref=refs/notes/ai add -f -m theirs")
    assert note_at(world) == "theirs"
    assert note_at(world, sha) == "theirs"


def test_where_git_ai_is_at_work_nothing_is_written(world: World) -> None:
    (world.repository / ".git" / "ai").mkdir()
    world.edit("s-1", "app.py", *A3)
    sha = world.commit()
    assert world.counts(sha) == {"s-1": 3}
    assert note_at(world) == "" or "no note found" in note_at(world).lower()


def test_nothing_is_written_unless_it_is_wanted(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.edit("s-1", "app.py", *A3)
    world.commit()
    assert world.git("for-each-ref", "refs/notes") == ""

"""Each case of the labelled set, and random histories against an oracle of their own, to the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.collector_cases import CASES
from bench.collector_git_ai import GitAiWorld, version_of
from bench.collector_random import random_history
from bench.collector_world import World

IN_EVERY_RUN = (
    "agent commits in its shell",
    "person saves while the edit runs",
    "edits of two agents that overlap",
    "another work tree",
    "staging part of a file",
    "squash by interactive rebase",
    "stash popped by another agent",
    "conflict resolved by a person",
    "formatter on white space",
    "copy by a person in a later commit",
    "common lines of a person first",
    "an edit without a snapshot before",
)


def assert_right(folder: Path, name: str) -> None:
    world = World(folder)
    truth = CASES[name](world)
    assert {revision: world.counts(revision) for revision in truth} == dict(truth)


@pytest.mark.parametrize("name", IN_EVERY_RUN)
def test_lines_belong_to_who_wrote_them(tmp_path: Path, name: str) -> None:
    assert_right(tmp_path, name)


@pytest.mark.soak
@pytest.mark.parametrize("name", [name for name in CASES if name not in IN_EVERY_RUN])
def test_lines_belong_to_who_wrote_them_in_every_case(tmp_path: Path, name: str) -> None:
    assert_right(tmp_path, name)


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 40))])
def test_random_histories(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path)
    truth = random_history(world, seed)
    assert {revision: world.counts(revision) for revision in truth} == dict(truth)


NOTE = """app.py
  s_0123456789abcd::t_0123456789abcd 1,4-5
---
{"schema_version": "authorship/3.0.0", "base_commit_sha": "", "prompts": {},
 "sessions": {"s_0123456789abcd": {"agent_id": {"tool": "claude", "id": "a", "model": "m"}}}}
"""


def test_git_ai_is_judged_by_the_lines_of_a_commit_that_its_note_attests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "git-ai"
    program.write_text(f"#!/bin/sh\ncat >/dev/null\necho \"$*\" >> '{tmp_path}/calls'\necho '1.2.3 (debug)'\n")
    program.chmod(0o755)
    monkeypatch.setattr("bench.collector_git_ai.SECONDS_APART", 0)
    world = GitAiWorld(tmp_path / "machine", str(program), sees_people=True)
    CASES["agent edits person commits"](world)
    assert world.counts("HEAD") == {}
    world.git("notes", "--ref=ai", "add", "-m", NOTE, "HEAD")
    assert world.counts("HEAD") == {"a": 2}
    calls = [call for call in (tmp_path / "calls").read_text().splitlines() if not call.startswith("await")]
    checkpoints = [f"checkpoint {preset} --hook-input stdin" for preset in ("known_human", "claude", "claude")]
    assert calls == ["install-hooks", *checkpoints]
    assert version_of(str(program)) == "1.2.3"

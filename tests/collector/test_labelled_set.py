"""Each case of the labelled set, and random histories against an oracle of their own, to the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.collector_cases import CASES
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

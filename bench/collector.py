"""The collector: the cost of its hooks, and its precision and recall of lines on the labelled set."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.collector_cases import CASES, Truth, scores
from bench.collector_git_ai import git_ai_world, version_of
from bench.collector_random import random_history
from bench.collector_world import World
from bench.figures import Limit, Measured, percentile

GOAL = 0.98
GOAL_MS, GOAL_P95_MS = 50, 120
LINES = 2_000
CASES_AT_ONCE = 6
Case = Callable[[World], Truth]
Judged = tuple[int, int, int]
"""Lines that are rightly a session's, wrongly one, and missed."""


def collector(*, histories: int, rounds: int) -> list[Measured]:
    do: dict[str, Case] = {
        **CASES,
        **{f"random history {seed}": partial(random_history, seed=seed) for seed in range(histories)},
    }
    judged = {name: _judged(case, _world()) for name, case in do.items()}
    figures = [*_hooks(rounds), *_shown(judged)]
    if program := os.environ.get("HEADWAY_GIT_AI"):
        figures += _beside(str(Path(program).absolute()), do, judged)
    return figures


def _hooks(rounds: int) -> list[Measured]:
    """Processor time of the hooks around an edit of a file of 2,000 lines, from the start of Python to its end.

    It does not grow on a busy machine, which makes a hook wait but not work.
    """
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        lines = [f"value_{number} = compute({number})" for number in range(LINES)]
        world.write("app.py", *lines)
        world.commit()
        script = str(world.home / ".headway-agent" / "hook.py")
        bare, edits = [], []
        for number in range(rounds):
            bare.append(_milliseconds(world, [sys.executable, "-IS", "-c", "pass"]))
            given = {
                "file_path": str(world.repository / "app.py"),
                "old_string": "",
                "new_string": f"made_{number} = 1",
            }
            for event in ("PreToolUse", "PostToolUse"):
                payload = {"session_id": "s", "cwd": str(world.repository), "tool_name": "Edit", "tool_input": given}
                edits.append(
                    _milliseconds(
                        world,
                        [sys.executable, "-IS", script, "agent", "claude_code"],
                        json.dumps({**payload, "tool_use_id": f"t{number}", "hook_event_name": event}),
                    )
                )
                world.write("app.py", f"made_{number} = 1", *lines)
    start = percentile(bare, 50)
    conditions = f"{len(edits)} hooks of Claude Code, a file of {LINES:,} lines; Python alone starts in {start:.0f} ms"
    limit = Limit("ms: Python alone", start)
    return [
        Measured(name, value, "ms", f"≤ {goal} of processor time", value <= goal, conditions, limit)
        for name, value, goal in (
            ("collector hook, median", percentile(edits, 50), GOAL_MS),
            ("collector hook, p95", percentile(edits, 95), GOAL_P95_MS),
        )
    ]


def _milliseconds(world: World, command: Sequence[str], text: str = "") -> float:
    environment = {name: value for name, value in world.environment.items() if name != "HEADWAY_AGENT_WAIT"}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, input=text, text=True, cwd=world.repository, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def _shown(judged: Mapping[str, Judged]) -> list[Measured]:
    """Each case of the labelled set, then all of them, and all random histories."""
    return [
        Measured(f"{word}: {name}", value, "", f"≥ {GOAL}", value >= GOAL, _conditions(counts))
        for name, counts in _with_sums(judged).items()
        for word, value in _figures(counts).items()
    ]


def _beside(program: str, do: Mapping[str, Case], judged: Mapping[str, Judged]) -> list[Measured]:
    """git-ai's figures for the same cases and histories, met if the collector's are as good or better."""
    ours = {name: _figures(counts) for name, counts in _with_sums(judged).items()}
    return [
        Measured(
            f"{word} of git-ai: {name}",
            value,
            "",
            f"≤ {ours[name][word]:.2f}, ours",
            value <= ours[name][word],
            f"git-ai {version_of(program)}, {edition}: {_conditions(counts)}",
        )
        for edition, sees_people in (("without an editor's extension", False), ("with an editor's extension", True))
        for name, counts in _with_sums(_judged_at_once(program, do, sees_people=sees_people)).items()
        for word, value in _figures(counts).items()
    ]


def _judged_at_once(program: str, do: Mapping[str, Case], *, sees_people: bool) -> dict[str, Judged]:
    """Judges several cases at a time, because they mostly wait."""
    with ThreadPoolExecutor(CASES_AT_ONCE) as pool:
        results = {
            name: pool.submit(_judged, case, git_ai_world(program, sees_people=sees_people))
            for name, case in do.items()
        }
        return {name: result.result() for name, result in results.items()}


@contextmanager
def _world() -> Iterator[World]:
    with TemporaryDirectory() as folder:
        yield World(Path(folder))


def _judged(do: Case, machine: AbstractContextManager[World]) -> Judged:
    """The lines of all commits of a case together."""
    with machine as world:
        return _sum(scores(counts, world.counts(revision)) for revision, counts in do(world).items())


def _sum(judged: Iterable[Judged]) -> Judged:
    right, wrong, missed = (sum(column) for column in zip(*judged, strict=True))
    return right, wrong, missed


def _with_sums(judged: Mapping[str, Judged]) -> dict[str, Judged]:
    """The cases, all of them together, and all random histories together."""
    histories = [counts for name, counts in judged.items() if name not in CASES]
    return {
        **{name: counts for name, counts in judged.items() if name in CASES},
        "all cases": _sum(counts for name, counts in judged.items() if name in CASES),
        f"{len(histories)} random histories": _sum(histories),
    }


def _figures(counts: Judged) -> dict[str, float]:
    right, wrong, missed = counts
    return {
        "precision": right / (right + wrong) if right + wrong else 1.0,
        "recall": right / (right + missed) if right + missed else 1.0,
    }


def _conditions(counts: Judged) -> str:
    right, wrong, missed = counts
    return f"{right + missed} lines of agents, {missed} missed, {wrong} others taken for them"

"""The collector: what its hooks cost, and the precision and recall of lines on the labelled set."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.collector_cases import CASES, Truth, scores
from bench.collector_random import random_history
from bench.collector_world import World
from bench.figures import Limit, Measured, percentile

GOAL = 0.98
GOAL_MS, GOAL_P95_MS = 50, 120
LINES = 2_000


def collector(*, histories: int, rounds: int) -> list[Measured]:
    return [*_hooks(rounds), *_labelled(), *_random(histories)]


def _hooks(rounds: int) -> list[Measured]:
    """Processor time of the hooks around an edit of a file of 2,000 lines, from the start of Python to its end.

    A busy machine makes a hook wait, and does not make it work.
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


def _labelled() -> list[Measured]:
    """Each case of the labelled set, then all of them."""
    judged = {name: _judged(do) for name, do in CASES.items()}
    return [
        *(figure for name, counts in judged.items() for figure in _figures(name, [counts])),
        *_figures("all cases", list(judged.values())),
    ]


def _random(histories: int) -> list[Measured]:
    judged = [_judged(partial(random_history, seed=seed)) for seed in range(histories)]
    return _figures(f"{histories} random histories", judged)


def _judged(do: Callable[[World], Truth]) -> tuple[int, int, int]:
    """Lines that are rightly a session's, wrongly one, and missed, over all commits of a case."""
    with TemporaryDirectory() as folder:
        world = World(Path(folder))
        judged = [scores(counts, world.counts(revision)) for revision, counts in do(world).items()]
    right, wrong, missed = (sum(column) for column in zip(*judged, strict=True))
    return right, wrong, missed


def _figures(name: str, judged: Sequence[tuple[int, int, int]]) -> list[Measured]:
    right, wrong, missed = (sum(column) for column in zip(*judged, strict=True))
    conditions = f"{right + missed} lines of agents, {missed} missed, {wrong} others taken for them"
    return [
        Measured(f"{word}: {name}", value, "", f"≥ {GOAL}", value >= GOAL, conditions)
        for word, value in (
            ("precision", right / (right + wrong) if right + wrong else 1.0),
            ("recall", right / (right + missed) if right + missed else 1.0),
        )
    ]

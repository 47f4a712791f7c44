"""The order of test files across the processes of a run, and the timeout of a test.

pytest --shuffle 7      files in a random order with that seed
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import pytest

# Fixtures that start processes, and so take seconds where others take a tenth of one.
STARTING = frozenset({"start_server", "installation", "browser"})
SECONDS_WITH_PROCESSES, SECONDS_WITHOUT = 5.0, 0.1
# For what hangs.  Others may use the same processors; and what waits for a process, with tests/patience.py, says better
# what it waited for.
LIMIT_WITH_PROCESSES = 1200


def add_option(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the files in a random order")


def arrange(items: list[pytest.Item], *, seed: int | None) -> None:
    """Give every test its limit, and sort: what takes longest first, so that all processes end at about one time."""
    for item in items:
        if _starts_processes(item) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LIMIT_WITH_PROCESSES))
    files = [list(tests) for _, tests in groupby(items, key=_path)]
    if seed is None:
        files.sort(key=_expected_seconds, reverse=True)
    else:
        random.Random(seed).shuffle(files)
    items[:] = [item for tests in files for item in tests]


def _path(item: pytest.Item) -> Path:
    return item.path


def _expected_seconds(tests: Iterable[pytest.Item]) -> float:
    return sum(SECONDS_WITH_PROCESSES if _starts_processes(test) else SECONDS_WITHOUT for test in tests)


def _starts_processes(item: pytest.Item) -> bool:
    return not STARTING.isdisjoint(getattr(item, "fixturenames", ()))

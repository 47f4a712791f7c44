"""The order of test files across the processes of a run, and the timeout of a test.

pytest --shuffle 7      files in a random order with that seed
pytest --quick          what starts no process, and not the demo: `make quick`
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

import pytest

# Fixtures that start processes, and so take seconds where others take a tenth of one.
STARTING = frozenset({"start_server", "roomy_tmp_path", "browser"})
SECONDS_WITH_PROCESSES, SECONDS_WITHOUT = 5.0, 0.1
# Files that take far longer than their number of tests says.
SECONDS_OF = {
    "tests/catalogue/test_catalogue.py": 15.0,
    "tests/collector/test_installation.py": 25.0,
    "tests/columns/test_changes.py": 35.0,
    "tests/columns/test_pieces.py": 25.0,
    "tests/columns/test_rows.py": 25.0,
    "tests/delivery/oracle/test_figures.py": 30.0,
    "tests/delivery/oracle/test_lines.py": 25.0,
    "tests/demo/test_demo_command.py": 150.0,
    "tests/demo/test_same_figures.py": 65.0,
    "tests/engine/test_rows.py": 25.0,
    "tests/journeys/test_connect_github.py": 30.0,
    "tests/journeys/test_connect_jira.py": 30.0,
    "tests/journeys/test_main_pages.py": 110.0,
    "tests/kill/test_kill_during_intake.py": 75.0,
    "tests/launcher/test_backups.py": 120.0,
    "tests/launcher/test_web_server.py": 25.0,
    "tests/privacy/test_no_few_people.py": 45.0,
    "tests/privacy/test_withholding.py": 55.0,
    "tests/questions/test_tools.py": 30.0,
    "tests/sync/test_provider_faults.py": 100.0,
    "tests/telemetry/test_channels.py": 40.0,
    "tests/test_access.py": 65.0,
    "tests/test_access_to_units.py": 40.0,
    "tests/test_bad_input.py": 80.0,
    "tests/test_token_scopes.py": 40.0,
    "tests/worked/test_worked_examples.py": 60.0,
}
LEFT_OUT_OF_QUICK = frozenset({"agents_live", "bench", "demo", "journeys", "kill", "launcher"})  # folders
# For what hangs.  Others may use the same processors; and what waits for a process, with tests/patience.py, says better
# what it waited for.
LIMIT_WITH_PROCESSES = 1200


def add_option(parser: pytest.Parser) -> None:
    parser.addoption("--shuffle", type=int, metavar="SEED", help="run the files in a random order")
    parser.addoption("--quick", action="store_true", help="leave out what starts processes, and the demo")


def is_quick(item: pytest.Item) -> bool:
    """Whether a test starts no process: no browser, server, launcher or kill, and no demo."""
    folder = item.path.relative_to(item.config.rootpath / "tests").parts[0]
    return folder not in LEFT_OUT_OF_QUICK and not _starts_processes(item)


def arrange(items: list[pytest.Item], *, seed: int | None) -> None:
    """Give every test its limit, and sort the files.

    What takes longest is first, so that all processes end at about one time.  Tests that start processes wait for them
    most of the time: they are spread over the run, so that others use the processors meanwhile.
    """
    for item in items:
        if _starts_processes(item) and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(LIMIT_WITH_PROCESSES))
    by_path: dict[Path, list[pytest.Item]] = {}
    for item in items:
        by_path.setdefault(item.path, []).append(item)
    files = list(by_path.values())
    if seed is None:
        files.sort(key=_expected_seconds, reverse=True)
        files = _spread(files)
    else:
        random.Random(seed).shuffle(files)
    items[:] = [item for tests in files for item in tests]


def _spread(files: list[list[pytest.Item]]) -> list[list[pytest.Item]]:
    """In the same order among those that start processes, and among the others, both through at about one time."""
    waiting = [tests for tests in files if any(map(_starts_processes, tests))]
    computing = [tests for tests in files if not any(map(_starts_processes, tests))]
    return [tests for _, tests in sorted([*_with_shares(waiting), *_with_shares(computing)], key=itemgetter(0))]


def _with_shares(files: list[list[pytest.Item]]) -> Iterator[tuple[float, list[pytest.Item]]]:
    """Each file with the share of all of their time that comes before it."""
    total, before = sum(map(_expected_seconds, files)), 0.0
    for tests in files:
        yield before / total, tests
        before += _expected_seconds(tests)


def _expected_seconds(tests: Sequence[pytest.Item]) -> float:
    known = SECONDS_OF.get(tests[0].path.relative_to(tests[0].config.rootpath).as_posix())
    return known or sum(SECONDS_WITH_PROCESSES if _starts_processes(test) else SECONDS_WITHOUT for test in tests)


def _starts_processes(item: pytest.Item) -> bool:
    return not STARTING.isdisjoint(getattr(item, "fixturenames", ()))

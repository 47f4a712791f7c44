"""The order in which test files are given to the processes of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.run_order import SECONDS_OF, arrange, is_quick
from tests.servers import PROJECT_DIR

ROOT = Path("/project")


def items_of(file: str, number: int, *fixtures: str) -> list[Any]:
    """So many tests of a file, each with these fixtures."""
    one = SimpleNamespace(
        path=ROOT / file,
        config=SimpleNamespace(rootpath=ROOT),
        fixturenames=fixtures,
        get_closest_marker=lambda _name: "its own limit",
    )
    return [one] * number


def files_of(items: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(item.path.name for item in items))


def test_files_that_wait_for_processes_are_spread_among_those_that_compute() -> None:
    items = [
        *items_of("a.py", 100),
        *items_of("b.py", 100),
        *items_of("c.py", 100),
        *items_of("d.py", 100),
        *items_of("e.py", 1, "start_server"),
        *items_of("f.py", 2, "browser"),
    ]
    arrange(items, seed=None)
    assert files_of(items) == ["f.py", "a.py", "b.py", "c.py", "e.py", "d.py"]
    assert len(items) == 403


def test_the_longest_of_both_kinds_come_first() -> None:
    (long, *_) = SECONDS_OF
    items = [*items_of("short.py", 2), *items_of("many.py", 20), *items_of(long, 1)]
    arrange(items, seed=None)
    assert files_of(items) == [Path(long).name, "many.py", "short.py"]


def test_quick_tests_start_no_process() -> None:
    [one] = items_of("tests/programs/test_tickets.py", 1, "db")
    [journey] = items_of("tests/journeys/test_tickets.py", 1)
    [served] = items_of("tests/push/test_push.py", 1, "start_server")
    assert [is_quick(item) for item in (one, journey, served)] == [True, False, False]


def test_a_seed_is_one_order_and_another_one_another() -> None:
    def order(seed: int) -> list[str]:
        items = [item for number in range(20) for item in items_of(f"{number}.py", 1)]
        arrange(items, seed=seed)
        return files_of(items)

    assert order(7) == order(7) != order(8)


def test_files_that_are_known_to_take_long_are_there() -> None:
    assert [file for file in SECONDS_OF if not (PROJECT_DIR / file).exists()] == []

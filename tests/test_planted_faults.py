"""Planted faults (scripts/planted_faults.toml) reference existing code and tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.plant_faults import Fault, UnusableFaultError, folders_of, read_faults
from tests.servers import PROJECT_DIR

FAULT = Fault(
    "late", "clock.py", old="now", new="then", breaks="Everything is late.", tests=("tests/**/test_clock.py",)
)


def test_every_fault_has_its_place_exactly_once() -> None:
    texts = {fault.file: (PROJECT_DIR / fault.file).read_text(encoding="utf-8") for fault in read_faults()}
    assert [fault.name for fault in read_faults() if texts[fault.file].count(fault.old) != 1] == []


def test_every_fault_names_tests_that_are_there() -> None:
    missing = {
        fault.name: [pattern for pattern in fault.tests if not any(PROJECT_DIR.glob(pattern))]
        for fault in read_faults()
    }
    assert {name: patterns for name, patterns in missing.items() if patterns} == {}


def test_every_fault_changes_something_of_the_product_and_has_a_name_of_its_own() -> None:
    faults = read_faults()
    assert [fault.name for fault in faults if fault.old == fault.new or fault.file.startswith("tests/")] == []
    assert len({fault.name for fault in faults}) == len(faults) >= 30


def test_a_fault_is_planted_where_its_text_stands_once(tmp_path: Path) -> None:
    clock = tmp_path / FAULT.file
    clock.write_text("it is now\n")
    FAULT.plant(tmp_path)
    assert clock.read_text() == "it is then\n"
    clock.write_text("now or now\n")
    with pytest.raises(UnusableFaultError, match=r"2 times in clock\.py"):
        FAULT.plant(tmp_path)
    assert clock.read_text() == "now or now\n"


def test_a_fault_that_its_tests_miss_is_run_against_their_folders(tmp_path: Path) -> None:
    for name in ("tests/test_clock.py", "tests/engine/test_clock.py", "tests/engine/test_other.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    paths = FAULT.tests_in(tmp_path)
    assert paths == [Path("tests/engine/test_clock.py"), Path("tests/test_clock.py")]
    assert folders_of(paths) == [Path("tests/engine"), Path("tests/test_clock.py")]

"""State stored once is intact for each test of a file; see tests/stored_once.py."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from orgtree.models import Person
from tests.stored_once import StoreOnce, refuse_mixed_files

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("ada")]


@pytest.fixture(scope="module")
def ada(stored_once: StoreOnce) -> Iterator[int]:
    with stored_once(lambda: Person.objects.create(full_name="Ada").pk) as pk:
        yield pk


@pytest.mark.parametrize("time", ["first", "second"])
def test_what_a_test_changes_is_undone(ada: int, time: str) -> None:
    assert [person.full_name for person in Person.objects.filter(pk=ada)] == ["Ada"], time
    Person.objects.all().delete()
    Person.objects.create(full_name="Ben")


def item(file: str, name: str, *fixtures: str, marked: bool = False) -> Any:
    result = object() if marked else None
    return SimpleNamespace(path=Path(file), name=name, fixturenames=fixtures, get_closest_marker=lambda _: result)


def test_a_file_that_mixes_is_refused_by_name() -> None:
    once = item("test_a.py", "test_once", "stored_once", "db")
    refuse_mixed_files([once, item("test_a.py", "test_words"), item("test_b.py", "test_rows", "db")])
    for other in (item("test_a.py", "test_rows", "db"), item("test_a.py", "test_rows", marked=True)):
        with pytest.raises(pytest.UsageError, match=r"test_a\.py: .* test_rows\."):
            refuse_mixed_files([once, other])

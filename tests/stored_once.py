"""Module-scoped database state; changes of single tests are rolled back as usual.

    @pytest.fixture(scope="module")
    def world(stored_once: StoreOnce) -> Iterator[World]:
        with stored_once(lambda: create_world(1), at=NOW) as made:
            yield made

It lives in a transaction around those of the tests.  So no test of the file may commit (`transaction=True`), and every
test that reads the database must use the fixture: otherwise its data would depend on the order of tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

import pytest
import time_machine
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

Made = TypeVar("Made")
READS_THE_DATABASE = {"db", "transactional_db", "django_db_reset_sequences"}


class StoreOnce(Protocol):
    """`with stored_once(make, at=NOW) as made:` what `make` stored, at that time, is there until the block ends."""

    def __call__(self, make: Callable[[], Made], /, *, at: datetime | None = None) -> AbstractContextManager[Made]: ...


@pytest.fixture(scope="session")
def stored_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> StoreOnce:
    @contextmanager
    def stored(make: Callable[[], Made], *, at: datetime | None = None) -> Iterator[Made]:
        around = transaction.atomic()
        with django_db_blocker.unblock():
            around.__enter__()
        try:
            with django_db_blocker.unblock(), nullcontext() if at is None else time_machine.travel(at, tick=False):
                made = make()
                with connection.cursor() as cursor:  # what is deferred to the end is checked once, here
                    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
            yield made
        finally:
            with django_db_blocker.unblock():
                transaction.set_rollback(True)
                around.__exit__(None, None, None)

    return stored


def refuse_mixed_files(items: Iterable[pytest.Item]) -> None:
    """UsageError where some tests of a file find what is stored once and others may or may not."""
    by_file: dict[Path, tuple[list[pytest.Item], list[pytest.Item]]] = {}
    for item in items:
        names = set(getattr(item, "fixturenames", ()))
        of_file = by_file.setdefault(item.path, ([], []))
        if "stored_once" in names:
            of_file[0].append(item)
        elif names & READS_THE_DATABASE or item.get_closest_marker("django_db"):
            of_file[1].append(item)
    for finding, others in by_file.values():
        if finding and others:
            names_of_others = ", ".join(sorted({getattr(item, "originalname", item.name) for item in others}))
            raise pytest.UsageError(
                f"{finding[0].path}: these read the database without the fixture that others store once: "
                f"{names_of_others}. Ask for it in them, or move them to a file of their own."
            )

"""One process computes cells at a time: two would meet in the same week."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

LOCK = 0x48574D43


@contextmanager
def alone(*, waiting: bool) -> Iterator[bool]:
    """Whether this process has the lock while it lasts; where `waiting`, it has, however long that takes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_lock(%s) IS NOT NULL" if waiting else "SELECT pg_try_advisory_lock(%s)", [LOCK]
        )
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

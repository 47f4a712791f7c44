"""Partitions of the raw tables, one per UTC day, created when the first row for a day arrives."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import sql

from core.locks import Lock

DAY = 24 * 3600 * 1_000_000  # microseconds
FIRST_DAY = date(2000, 1, 1)
PARTITIONS = Lock("partitions of events")  # one process at a time creates them

_existing: set[tuple[str, int]] = set()


def day_number(at: int) -> int:
    """Days since 2000, for a time in microseconds since 2000."""
    return at // DAY


def day_of(day: date) -> int:
    return (day - FIRST_DAY).days


def date_of(day: int) -> date:
    return FIRST_DAY + timedelta(days=day)


def partition_name(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def ensure_partitions(table: str, days: Iterable[int]) -> None:
    """Create missing partitions of these days (numbers since 2000), in a short transaction of its own.

    A partition is created as a table and then attached, which does not block running inserts as
    CREATE … PARTITION OF would.
    """
    missing = sorted({day for day in days if (table, day) not in _existing})
    if not missing:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        PARTITIONS.hold()
        for day in missing:
            _create(cursor, table, date_of(day))
    _existing.update((table, day) for day in missing)


def forget_partitions() -> None:
    """Invalidate the cache, after a partition was dropped."""
    _existing.clear()


def _create(cursor: CursorWrapper, table: str, day: date) -> None:
    name = partition_name(table, day)
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
    if cursor.fetchone()[0]:
        return
    bounds = {
        "parent": sql.Identifier(table),
        "name": sql.Identifier(name),
        "from_": f"{day} 00:00Z",
        "to": f"{day + timedelta(days=1)} 00:00Z",
    }
    for statement in (
        "CREATE TABLE {name} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES)",
        "ALTER TABLE {parent} ATTACH PARTITION {name} FOR VALUES FROM ({from_}) TO ({to})",
    ):
        cursor.execute(sql.SQL(statement).format(**bounds))

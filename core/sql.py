"""SQL statements of PostgreSQL, one call each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection, transaction
from psycopg import errors

Parameters = Sequence[Any] | Mapping[str, Any] | None


class TooSlowError(Exception):
    """A statement took longer than `reading_within` allows."""


@contextmanager
def reading_within(seconds: float) -> Iterator[None]:
    """Statements within the block only read, each for so long; the transaction goes on after one that took longer.

    Raises TooSlowError.
    """
    limit = f"{max(1, round(seconds * 1000))}ms"
    try:
        with transaction.atomic():
            rows("SELECT set_config('statement_timeout', %s, true)", [limit])
            yield
            transaction.set_rollback(True)  # of the limit
    except OperationalError as problem:
        if not isinstance(problem.__cause__, errors.QueryCanceled):
            raise
        raise TooSlowError(f"It took longer than {limit}.") from problem


def execute(statement: str, parameters: Parameters = None) -> int:
    """Execute a statement; returns the number of rows that it changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.rowcount)


def rows(statement: str, parameters: Parameters = None) -> list[tuple[Any, ...]]:
    """The rows that a statement returns."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall())


def column(statement: str, parameters: Parameters = None) -> list[Any]:
    """The first column of these rows."""
    return [row[0] for row in rows(statement, parameters)]


def ids(statement: str, parameters: Parameters = None) -> set[int]:
    """The distinct ids in that column."""
    return set(column(statement, parameters))


def value(statement: str, parameters: Parameters = None) -> Any:
    """The first column of the only row."""
    ((first, *_),) = rows(statement, parameters)
    return first


def update_changed(key: str, columns: Iterable[str]) -> str:
    """The end of an INSERT … AS stored: a row whose key exists is updated where one of these columns differs."""
    names = list(columns)
    new = ", ".join(f"excluded.{name}" for name in names)
    stored = ", ".join(f"stored.{name}" for name in names)
    return (
        f"ON CONFLICT ({key}) DO UPDATE SET ({', '.join(names)}) = ROW ({new})"
        f" WHERE ({stored}) IS DISTINCT FROM ({new})"
    )


def upsert(table: str, key: str, columns: Sequence[str], source: str) -> str:
    """An INSERT of the rows of `source`, by the columns of `key` and these; unchanged rows are left alone."""
    names = f"{key}, {', '.join(columns)}"
    return f"INSERT INTO {table} AS stored ({names}) SELECT {names} FROM {source} {update_changed(key, columns)}"  # noqa: S608  # names

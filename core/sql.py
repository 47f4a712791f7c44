"""SQL statements of PostgreSQL, one call each."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import Any

from django.db import OperationalError, connection
from psycopg import Connection, Error, errors

Parameters = Sequence[Any] | Mapping[str, Any] | None
SECONDS_TO_CANCEL = 5.0

logger = logging.getLogger(__name__)


class TooSlowError(Exception):
    """A statement was cancelled: it took longer than it may."""


@contextmanager
def cancelled_after(seconds: float | None) -> Iterator[None]:
    """Cancel the one statement within the block after so many seconds; None: never.

    Raises TooSlowError; the transaction must then be rolled back to a savepoint.  The cancellation comes from outside:
    setting a timeout would cost two more statements around each one, however quick it is.
    """
    if seconds is None:
        yield
        return
    timer = Timer(seconds, _cancel, [connection.connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    except OperationalError as problem:
        if not isinstance(problem.__cause__, errors.QueryCanceled):
            raise
        raise TooSlowError(f"It took longer than {seconds} s.") from problem
    finally:
        timer.cancel()
        timer.join()  # what it has begun must not reach the next statement


def _cancel(opened: Connection[Any]) -> None:
    try:
        opened.cancel_safe(timeout=SECONDS_TO_CANCEL)
    except Error as problem:
        logger.warning("A slow statement could not be cancelled: %s", problem)


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
    """The end of an INSERT … AS stored: a row whose key exists is updated if one of these columns differs."""
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

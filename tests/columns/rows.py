"""Rows of relations from PostgreSQL alone, and from wherever a question would find them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import duckdb
from django.db import connection
from psycopg import sql

from insights.columns.folder import temporary_file
from insights.columns.rows import copy_rows, read_csv
from insights.columns.shape import shape_of
from insights.columns.source import LiveRows, source
from insights.metrics.query import Window
from integrations.facts.relation import Relation

EVER = Window(date(1, 1, 1), date(9999, 12, 31))
Rows = Counter[tuple[Any, ...]]
Read = list[tuple[str, Sequence[Window]]]


def in_postgresql(relation: Relation, days: Window = EVER) -> Rows:
    names = _names(relation)
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("SELECT {} FROM ({}) AS source WHERE {} >= %s AND {} < %s").format(
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.SQL(relation.sql),
                *[sql.Identifier(relation.day)] * 2,
            ),
            list(days),
        )
        return Counter(tuple(map(_plain, row)) for row in cursor.fetchall())


@contextmanager
def live_rows(read: Read) -> Iterator[LiveRows]:
    """Notes in `read` which days of which relation were read from PostgreSQL."""
    with ExitStack() as files:

        def live(relation: Relation, days: Sequence[Window] | None, needed: Collection[str]) -> str:
            read.append((relation.name, days or ()))
            shape = shape_of(relation)
            assert shape is not None
            path = files.enter_context(temporary_file(".csv"))
            copy_rows(relation, needed, days, path)
            return read_csv(path, {name: shape.types[name] for name in needed})

        yield live


def in_columns(relation: Relation, days: Window = EVER, read: Read | None = None) -> Rows:
    """As a question would find them; times as microseconds, because DuckDB gives them with a library of its own."""
    names, types = _names(relation), _types(relation)
    chosen = ", ".join(f"epoch_us({name})" if types[name] == "TIMESTAMPTZ" else name for name in names)
    with live_rows([] if read is None else read) as live, _duckdb().cursor() as columns:
        rows = columns.execute(f"SELECT {chosen} FROM {source(relation, days, names, live)} AS source").fetchall()
    return Counter(rows)


def assert_agreement(relations: Iterable[Relation], days: Window = EVER, *, context: str = "") -> Read:
    """Which days of which relations were read from PostgreSQL."""
    read: Read = []
    for relation in relations:
        found, expected = in_columns(relation, days, read), in_postgresql(relation, days)
        assert found == expected, (
            f"{relation.name} {context}: only in columns {found - expected}, only in PostgreSQL {expected - found}"
        )
    return read


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def _types(relation: Relation) -> Mapping[str, str]:
    shape = shape_of(relation)
    assert shape is not None
    return shape.types


def _names(relation: Relation) -> list[str]:
    return list(_types(relation))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        since = value.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return value

"""Rows of relations from PostgreSQL alone, and from wherever a question would find them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import duckdb
from django.db import connection

from insights.columns.folder import temporary_file
from insights.columns.rows import copy_rows, read_csv, types_of
from insights.columns.shape import shape_of
from insights.columns.source import LiveRows, Partitions, source
from insights.engine.database import MACROS
from insights.query.query import Window
from insights.query.windows import local_today
from integrations.facts.relation import STOCK_FROM, STOCK_UNTIL, Relation

EVER = Window(date(1, 1, 1), date(9999, 12, 31))
MOST_DAYS = 200  # on which it is compared what stands
Rows = Counter[tuple[Any, ...]]
Read = list[tuple[str, Sequence[Window]]]


def in_postgresql(relation: Relation, days: Window = EVER) -> Rows:
    """Rows in PostgreSQL; for a stock, the days in stock instead of rows, which may be cut into ranges of days in any
    way.
    """
    names = _expressions(relation)
    texts = {name for name, kind in shape_of(relation).types.items() if kind == "VARCHAR"}
    chosen = ", ".join(f"({text})::text" if name in texts else text for name, text in names.items())
    on = f"source.{relation.day} >= %s AND source.{relation.day} < %s"
    joined, parameters = "", list[Any](days)
    if relation.stock is not None:
        joined = "JOIN unnest(%s::date[]) AS standing (day) ON true"
        on, parameters = f"source.{relation.stock.days} @> standing.day", [some_of(days)]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {chosen} FROM ({relation.sql.replace('%', '%%')}) AS source {joined} WHERE {on}", parameters
        )
        return Counter(tuple(map(_plain, row)) for row in cursor.fetchall())


def in_columns(relation: Relation, days: Window = EVER, read: Read | None = None) -> Rows:
    """As a question would find them; times as microseconds, because DuckDB gives them with a library of its own."""
    names, types = _expressions(relation), types_of(relation)
    chosen = ", ".join(
        f"epoch_us({text})" if types.get(name) == "TIMESTAMPTZ" else text for name, text in names.items()
    )
    needed = sorted(shape_of(relation).types)
    partitions, windows = Partitions.read(), [days]
    joined, on, parameters = "", f"{relation.day} >= $1 AND {relation.day} < $2", list[Any](days)
    if relation.stock is not None:
        windows = [Window(day, day + timedelta(days=1)) for day in some_of(days)]
        joined = f"JOIN (SELECT unnest($1::DATE[]) AS day) AS standing ON {STOCK_FROM} <= day AND day < {STOCK_UNTIL}"
        on, parameters = "true", [some_of(days)]
    with live_rows([] if read is None else read) as live, _duckdb().cursor() as columns:
        rows = source(relation, windows, needed, live, partitions)
        rows_found = columns.execute(
            f"SELECT {chosen} FROM {rows} AS source {joined} WHERE {on}", parameters
        ).fetchall()
    return Counter(rows_found)


@contextmanager
def live_rows(read: Read) -> Iterator[LiveRows]:
    """Notes in `read` which days of which relation were read from PostgreSQL."""
    with ExitStack() as files:

        def live(relation: Relation, days: Sequence[Window], needed: Collection[str]) -> str:
            read.append((relation.name, days))
            path = files.enter_context(temporary_file(".csv"))
            number = copy_rows(relation, needed, days, path)
            return read_csv(path, {name: types_of(relation)[name] for name in needed}) if number else ""

        yield live


def assert_agreement(relations: Iterable[Relation], days: Window = EVER, *, context: str = "") -> Read:
    """Compare both copies; return the days and relations that were read from PostgreSQL."""
    read: Read = []
    for relation in relations:
        found, expected = in_columns(relation, days, read), in_postgresql(relation, days)
        assert found == expected, (
            f"{relation.name} {context}: only in columns {found - expected}, only in PostgreSQL {expected - found}"
        )
    return read


def some_of(days: Window) -> list[date]:
    """Days of the window; of one that is long those up to today, which the clock of the test says, and the next."""
    end = min(days.end, local_today() + timedelta(days=2))
    start = max(days.start, end - timedelta(days=MOST_DAYS))
    return [start + timedelta(days=n) for n in range(0, (end - start).days, 1 + (end - start).days // 40)]


def _expressions(relation: Relation) -> dict[str, str]:
    """The compared expressions of a row, by name; for a stock, also those computed for a day."""
    names = dict.fromkeys(shape_of(relation).types)
    if relation.stock is None:
        return {name: f"source.{name}" for name in names}
    computed = dict(relation.stock.columns)
    cut = {STOCK_FROM, STOCK_UNTIL, "healthy_days"}  # to the days read; what is computed of them is compared
    return {"day": "standing.day"} | {name: f"source.{name}" for name in names if name not in cut} | computed


@cache
def _duckdb() -> duckdb.DuckDBPyConnection:
    opened = duckdb.connect()
    opened.execute(MACROS)
    return opened


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        since = value.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    return value

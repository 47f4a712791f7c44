"""Rows of PostgreSQL for DuckDB: copied, as the transaction at hand sees them, into a file for one question."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path

from django.db import connection
from psycopg import sql

from insights.engine.database import temporary_folder
from insights.metrics.query import Window
from integrations.facts.relation import Relation

# PostgreSQL's types by number.  Whatever else there is comes as its text, multiranges among it.
TYPES: Mapping[int, str] = {
    16: "BOOLEAN",
    20: "BIGINT",
    21: "BIGINT",
    23: "BIGINT",
    700: "DOUBLE",
    701: "DOUBLE",
    1082: "DATE",
    1184: "TIMESTAMPTZ",
    1700: "DECIMAL(38, 16)",  # money; 22 digits before the point
}
STANDING_FROM, STANDING_UNTIL = "standing_from", "standing_until"
FIRST_DAY, END_DAY = "0001-01-01", "9999-12-31"  # for a range without a beginning, and without an end


def column_types(relation: Relation) -> Mapping[str, str]:
    """DuckDB's types of the relation's columns, by name."""
    return _types_of(relation.sql)


@lru_cache(maxsize=256)
def _types_of(statement: str) -> Mapping[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({statement}) AS source LIMIT 0")
        return {column.name: TYPES.get(column.type_code, "VARCHAR") for column in cursor.description}


def select_rows(relation: Relation, days: Window | None, needed: Collection[str]) -> sql.Composed:
    """The needed columns of the relation's rows on these days (None: on any), as SQL for PostgreSQL.

    A row of a stock comes once for each range of days, from standing_from to standing_until, on which it stands.
    """
    columns = sql.SQL(", ").join(sql.Identifier("source", name) for name in sorted(needed))
    first, end = (days.start, days.end) if days else (None, None)
    if relation.stock is None:
        where = sql.SQL("WHERE {day} >= {first} AND {day} < {end}" if days else "")
        return sql.SQL("SELECT {columns} FROM ({relation}) AS source {where}").format(
            columns=columns,
            relation=sql.SQL(relation.sql),
            where=where.format(day=sql.Identifier("source", relation.day), first=_literal(first), end=_literal(end)),
        )
    return sql.SQL(
        """
        SELECT {columns}, coalesce(lower(standing.during), {first_day}), coalesce(upper(standing.during), {end_day})
        FROM ({relation}) AS source
        CROSS JOIN LATERAL unnest(source.{days} * datemultirange({within})) AS standing (during)
        WHERE source.{days} && {within}
        """
    ).format(
        columns=columns,
        first_day=_literal(FIRST_DAY),
        end_day=_literal(END_DAY),
        relation=sql.SQL(relation.sql),
        days=sql.Identifier(relation.stock.days),
        within=sql.SQL("daterange({}, {})").format(_literal(first), _literal(end)),
    )


def _literal(day: object) -> sql.Composable:
    return sql.SQL("{}::date").format(sql.Literal(None if day is None else str(day)))


class LiveRows(ExitStack):
    """Rows read from PostgreSQL for one question; its files go at its end."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[str, Window | None, frozenset[str]], str] = {}

    def source(self, relation: Relation, days: Window | None, needed: Collection[str]) -> str:
        """What stands in a FROM clause of DuckDB for the relation's rows on these days (None: on any)."""
        key = relation.sql, days, frozenset(needed)
        if key not in self._known:
            types = column_types(relation)
            columns = {name: types[name] for name in sorted(needed)}
            if relation.stock:
                columns |= {STANDING_FROM: "DATE", STANDING_UNTIL: "DATE"}
            self._known[key] = self.copied(select_rows(relation, days, needed), columns)
        return self._known[key]

    def copied(self, select: sql.Composable, columns: Mapping[str, str]) -> str:
        """The same for any SELECT of PostgreSQL, given the types of its columns by name, in order.

        An empty text stays one: NULL is nothing at all in the file, an empty text two quotation marks.
        """
        path = self._file()
        copy = sql.SQL("COPY ({}) TO STDOUT (FORMAT csv)").format(select)
        with (
            connection.cursor() as cursor,
            connection.wrap_database_errors,
            path.open("wb") as file,
            cursor.copy(copy) as rows,
        ):
            for block in rows:
                file.write(block)
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
        return (
            f"read_csv('{_escaped(path)}', columns = {{{types}}}, header = false, auto_detect = false, "
            "quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false)"
        )

    def _file(self) -> Path:
        number, name = tempfile.mkstemp(dir=temporary_folder(), prefix="rows-", suffix=".csv")
        os.close(number)
        path = Path(name)
        self.callback(path.unlink, missing_ok=True)
        return path


def _escaped(path: Path) -> str:
    return str(path).replace("'", "''")

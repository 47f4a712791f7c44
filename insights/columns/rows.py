"""Rows from PostgreSQL to DuckDB: COPY on Django's own connection, so that rows of the open transaction are among them.

Four times as fast as rows through Python, and no Arrow library is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from django.db import connection
from psycopg import sql

from insights.metrics.query import Window
from integrations.facts.relation import Relation


def copy_rows(
    relation: Relation, names: Iterable[str], days: Sequence[Window] | None, path: Path, *, at_most: int | None = None
) -> None:
    """Write these columns of the relation's rows on these days (None: on any) to `path` as CSV without a header.

    `at_most` ends it after so many rows, whichever these are.
    """
    statement = sql.SQL("COPY (SELECT {names} FROM ({relation}) AS source WHERE {days} {limit}) TO STDOUT (FORMAT csv)")
    composed = statement.format(
        names=sql.SQL(", ").join(sql.Identifier("source", name) for name in names),
        relation=sql.SQL(relation.sql),
        days=_on(days, sql.Identifier("source", relation.day)),
        limit=sql.SQL("") if at_most is None else sql.SQL("LIMIT {}").format(sql.Literal(at_most)),
    )
    with (
        path.open("wb") as file,
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(composed) as rows,
    ):
        for block in rows:
            file.write(block)


def _on(days: Sequence[Window] | None, day: sql.Composable) -> sql.Composable:
    if not days:
        return sql.SQL("true" if days is None else "false")
    within = sql.SQL("{day} >= {start}::date AND {day} < {end}::date")
    return sql.SQL(" OR ").join(
        within.format(day=day, start=sql.Literal(str(window.start)), end=sql.Literal(str(window.end)))
        for window in days
    )


def read_csv(path: Path, types: Mapping[str, str]) -> str:
    """SQL that reads such a file.  NULL is nothing between commas, an empty text two quotation marks."""
    columns = ", ".join(f"{quoted(name)}: {quoted(kind)}" for name, kind in types.items())
    return (
        f"read_csv({quoted(str(path))}, columns={{{columns}}}, header=false, auto_detect=false, quote='\"', "
        "escape='\"', nullstr='', allow_quoted_nulls=false)"
    )


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

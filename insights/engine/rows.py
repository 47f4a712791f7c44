"""Rows of PostgreSQL for DuckDB: copied, as the transaction at hand sees them, into a file for one question."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any

from psycopg import sql

from insights.columns.folder import temporary_file
from insights.columns.rows import TYPES, copy, quoted, read_csv, select_rows, types_in_postgresql
from insights.columns.shape import shape_of
from insights.columns.source import Partitions, one_snapshot, source
from insights.metrics.query import Window
from integrations.facts.relation import Relation

STANDING_FROM, STANDING_UNTIL = "standing_from", "standing_until"
FIRST_DAY, END_DAY = "0001-01-01", "9999-12-31"  # for a range without a beginning, and without an end


def column_types(relation: Relation) -> Mapping[str, str]:
    """DuckDB's types of the relation's columns, by name."""
    return {name: TYPES.get(code, "VARCHAR") for name, code in types_in_postgresql(relation.sql).items()}


def select_standing(relation: Relation, days: Window | None, needed: Collection[str]) -> sql.Composed:
    """The needed columns of a stock's rows on these days (None: on any), as SQL for PostgreSQL.

    A row comes once for each range of days, from standing_from to standing_until, on which it stands.
    """
    first, end = (days.start, days.end) if days else (None, None)
    return sql.SQL(
        """
        SELECT {columns}, coalesce(lower(standing.during), {first_day}), coalesce(upper(standing.during), {end_day})
        FROM ({relation}) AS source
        CROSS JOIN LATERAL unnest(source.{days} * datemultirange({within})) AS standing (during)
        WHERE source.{days} && {within}
        """
    ).format(
        columns=sql.SQL(", ").join(sql.Identifier("source", name) for name in sorted(needed)),
        first_day=_literal(FIRST_DAY),
        end_day=_literal(END_DAY),
        relation=sql.SQL(relation.sql),
        days=sql.Identifier(relation.stock.days if relation.stock else ""),
        within=sql.SQL("daterange({}, {})").format(_literal(first), _literal(end)),
    )


def _literal(day: object) -> sql.Composable:
    return sql.SQL("{}::date").format(sql.Literal(None if day is None else str(day)))


class Rows(ExitStack):
    """Rows for the questions of one answer, all as of one moment: of built partitions where they are true, else copied
    from PostgreSQL.

    What is copied once serves the other questions, so all columns of the relation's copy come with it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.versions: dict[tuple[str, ...], Mapping[str, Any]] = {}  # insights/engine/tables.py
        self._live_rows: dict[tuple[str, tuple[Window, ...] | None, frozenset[str]], str] = {}
        self._copies: list[str] = []  # paths, as they stand in statements

    @cached_property
    def _partitions(self) -> Partitions:
        return Partitions.read()

    def read_no_files(self) -> None:
        """From now on everything comes from PostgreSQL."""
        self._partitions = Partitions({}, {})

    def source(self, relation: Relation, days: Window | None, needed: Collection[str]) -> str:
        """What stands in a FROM clause of DuckDB for the relation's rows on these days (None: on any)."""
        return source(relation, days, sorted(needed), self._live, self._partitions)

    def _live(self, relation: Relation, days: Sequence[Window] | None, needed: Collection[str]) -> str:
        shape = shape_of(relation)
        copied = frozenset([*needed, *(shape.types if shape else ())])
        key = relation.sql, None if days is None else tuple(days), copied
        if key not in self._live_rows:
            self._live_rows[key] = self._read(relation, days, sorted(copied))
        return self._live_rows[key]

    def _read(self, relation: Relation, days: Sequence[Window] | None, needed: Collection[str]) -> str:
        types = column_types(relation)
        columns = {name: types[name] for name in needed}
        if relation.stock is None:
            return self.copied(select_rows(relation, needed, days), columns)
        window = days[0] if days else None
        standing = {STANDING_FROM: "DATE", STANDING_UNTIL: "DATE"}
        return self.copied(select_standing(relation, window, needed), columns | standing)

    def copied(self, select: sql.Composed, columns: Mapping[str, str]) -> str:
        """The same for any SELECT of PostgreSQL, given the types of its columns by name, in order."""
        path = self.enter_context(temporary_file(".csv"))
        copy(select, path)
        self._copies.append(quoted(str(path)))
        return read_csv(path, columns)

    def reads_live(self, statement: str) -> bool:
        """Whether the statement reads any rows that were copied for this answer alone."""
        return any(copy in statement for copy in self._copies)


_of_answer: ContextVar[Rows | None] = ContextVar("rows of the answer", default=None)


@contextmanager
def rows_of_answer() -> Iterator[Rows]:
    """The rows of whatever is asked within the outermost block: read once, as of one moment."""
    known = _of_answer.get()
    if known is not None:
        yield known
        return
    with one_snapshot(), Rows() as rows:
        token = _of_answer.set(rows)
        try:
            yield rows
        finally:
            _of_answer.reset(token)

"""Rows of PostgreSQL for DuckDB: copied, as the transaction at hand sees them, into a file for one question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any

from psycopg import sql

from insights.columns.folder import temporary_file
from insights.columns.rows import copy, copy_rows, quoted, read_csv, types_of
from insights.columns.shape import shape_of
from insights.columns.source import EXACT, Allowance, Lag, Partitions, one_snapshot, source
from insights.query.query import Window
from integrations.facts.relation import Relation


class Rows(ExitStack):
    """Rows for the questions of one answer, all as of one moment: of built partitions where they are true, else copied
    from PostgreSQL.

    What is copied once serves the other questions, so all columns of the relation's copy come with it.
    """

    def __init__(self, allowance: Allowance = EXACT) -> None:
        super().__init__()
        self.versions: dict[str, Any] = {}  # of tables of PostgreSQL, by name (insights/engine/tables.py)
        self._allowance = allowance
        self._live_rows: dict[tuple[str, tuple[Window, ...], frozenset[str]], str | None] = {}
        self._number_of_live_rows: Counter[str] = Counter()  # by relation
        self._copies: list[str] = []  # paths, as they stand in statements

    @cached_property
    def _partitions(self) -> Partitions:
        return Partitions.read(self._allowance)

    @property
    def lag(self) -> Lag:
        """By what the rows lag behind PostgreSQL, of what was read so far: no more than is allowed."""
        return self._partitions.lag

    def read_no_files(self) -> None:
        """From now on everything comes from PostgreSQL."""
        self._partitions = Partitions({}, {}, self.lag)

    def source(self, relation: Relation, days: Sequence[Window], needed: Collection[str]) -> str:
        """What stands in a FROM clause of DuckDB for the relation's rows on these days, and maybe on others, too."""
        return source(relation, days, sorted(needed), self._live, self._partitions)

    def _live(self, relation: Relation, days: Sequence[Window], needed: Collection[str]) -> str | None:
        copied = frozenset([*needed, *shape_of(relation).types])
        key = relation.sql, tuple(days), copied
        if key not in self._live_rows:
            self._live_rows[key] = self._read(relation, days, sorted(copied))
        return self._live_rows[key]

    def _read(self, relation: Relation, days: Sequence[Window], needed: Collection[str]) -> str | None:
        types, path, most = types_of(relation), self.enter_context(temporary_file(".csv")), self._allowance.live_rows
        left = None if most is None else most - self._number_of_live_rows[relation.name]
        found = copy_rows(relation, needed, days, path, at_most=None if left is None else left + 1)
        if left is not None and found > left:
            path.unlink()
            return None
        self._number_of_live_rows[relation.name] += found
        self._copies.append(quoted(str(path)))
        return read_csv(path, {name: types[name] for name in needed})

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
def rows_of_answer(allowance: Allowance = EXACT) -> Iterator[Rows]:
    """The rows of whatever is asked within the outermost block: read once, as of one moment, and as that allows."""
    known = _of_answer.get()
    if known is not None:
        yield known
        return
    with one_snapshot(), Rows(allowance) as rows:
        token = _of_answer.set(rows)
        try:
            yield rows
        finally:
            _of_answer.reset(token)

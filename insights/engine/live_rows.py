"""PostgreSQL rows for DuckDB: copied, as the current transaction sees them, into temporary files."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from django.db import connection
from psycopg.sql import Composed

from core import sql
from core.sql import TooSlowError
from insights.columns.folder import temporary_file
from insights.columns.rows import copy, copy_rows, quoted, read_csv, types_of
from insights.columns.shape import shape_of
from insights.columns.source import BACK_TO_SNAPSHOT, EXACT, Allowance, Lag, Partitions, one_snapshot, source
from insights.columns.table_changes import versions
from insights.query.query import Window
from integrations.facts.relation import Relation

# If reading a relation live took too long, no page of this process tries again for this long.
SECONDS_SLOW = 30.0
_slow_until: dict[str, float] = {}  # by relation


class Rows(ExitStack):
    """Rows for all queries of one answer, in one snapshot: from built partitions where these are current, otherwise
    copied from PostgreSQL.

    A copy is shared by the queries, so it includes all columns of the relation's columnar copy.
    """

    def __init__(self, allowance: Allowance = EXACT) -> None:
        super().__init__()
        self.statements: list[Any] | None = None  # recorded by insights/engine/scan.py while it derives a result
        self.derived_from: dict[str, Any] = {}  # answers by key, cached only as part of the derived result
        self._allowance = allowance
        self._live_rows: dict[tuple[str, tuple[Window, ...], frozenset[str]], str | None] = {}
        self._number_of_live_rows: Counter[str] = Counter()  # by relation
        self._copies: dict[str, str] = {}  # hashes of copies by quoted path, as it appears in statements

    @cached_property
    def versions(self) -> Mapping[str, Any]:
        """Versions of PostgreSQL's tables by name."""
        return versions()

    @cached_property
    def _partitions(self) -> Partitions:
        return Partitions.read(self._allowance)

    @property
    def lag(self) -> Lag:
        """The lag of the rows read so far behind PostgreSQL, within the allowance."""
        return self._partitions.lag

    def read_no_files(self) -> None:
        """Read everything from PostgreSQL from now on."""
        self._partitions = Partitions({}, {}, self.lag)

    def source(self, relation: Relation, days: Sequence[Window], needed: Collection[str]) -> str:
        """A DuckDB FROM item with the relation's rows on these days, and possibly on others."""
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
        seconds, at_most = self._allowance.live_seconds, None if left is None else left + 1
        if left is not None and self._partitions.rows_of(relation, days) > left:
            return None  # without running a statement
        if seconds is not None and _slow_until.get(relation.name, 0.0) > time.monotonic():
            return None
        try:
            number = copy_rows(relation, needed, days, path, at_most=at_most, seconds=seconds)
        except TooSlowError:
            sql.execute(BACK_TO_SNAPSHOT)
            _slow_until[relation.name] = time.monotonic() + SECONDS_SLOW
            return None
        if left is not None and number > left:
            path.unlink()
            return None
        if number == 0:
            return ""
        self._number_of_live_rows[relation.name] += number
        self._note(path)
        return read_csv(path, {name: types[name] for name in needed})

    def copied(self, select: Composed, columns: Mapping[str, str]) -> str:
        """A FROM item with the rows of any PostgreSQL SELECT, given its column types by name, in order."""
        path = self.enter_context(temporary_file(".csv"))
        copy(select, path)
        self._note(path)
        return read_csv(path, columns)

    def _note(self, path: Path) -> None:
        with path.open("rb") as file:
            self._copies[quoted(str(path))] = hashlib.file_digest(file, "sha256").hexdigest()

    def by_content(self, statement: str) -> str:
        """Replaces each copy's path in the statement by a hash of its rows, so that equal content gives equal texts."""
        for copied, content in self._copies.items():
            statement = statement.replace(copied, content)
        return statement

    @contextmanager
    def noting_statements(self) -> Iterator[list[Any]]:
        """Records the statements that are run within the block, including those of nested blocks."""
        outer = self.statements
        self.statements = noted = list[Any]()
        try:
            yield noted
        finally:
            self.statements = outer
            if outer is not None:
                outer += noted


_of_answer: ContextVar[Rows | None] = ContextVar("rows of the answer", default=None)


@contextmanager
def rows_of_answer(allowance: Allowance = EXACT) -> Iterator[Rows]:
    """The rows shared by all queries within the outermost block: read once, in one snapshot, with the allowance of that
    block.
    """
    known = _of_answer.get()
    if known is not None:
        yield known
        return
    if connection.in_atomic_block:  # the caller's transaction, which lacks the snapshot's savepoint
        allowance = replace(allowance, live_seconds=None)
    with one_snapshot(), Rows(allowance) as rows:
        token = _of_answer.set(rows)
        try:
            yield rows
        finally:
            _of_answer.reset(token)

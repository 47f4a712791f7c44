"""Runs fact queries: one cached statement each."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.cache import Cache
from core.nudges import nudge_on_commit
from insights.columns.rows import types_of
from insights.columns.source import reads_rows
from insights.columns.tasks import check_files
from insights.engine import database, tables
from insights.engine.fact_query import FactQuery, GroupKey, StockQuery
from insights.engine.live_rows import Rows, rows_of_answer
from insights.engine.measures import value_in
from insights.engine.statement import (
    LISTED,
    Part,
    Source,
    Statement,
    statement_of,
    statement_over_parts,
    statement_over_rows,
    stock_statement,
    windows_of,
)
from insights.query.measures import Measure, MeasureValue
from insights.query.query import Window

logger = logging.getLogger(__name__)

CACHED_BYTES = 64 * 1024 * 1024
BYTES_OF_A_VALUE = 100  # estimate, including the entry in the row's dictionary

Found = Sequence[Mapping[str, Any]]  # rows by column name


def _bytes_of(rows: Found) -> int:
    return sum(len(row) for row in rows) * BYTES_OF_A_VALUE + 1000


answers: Cache[Found] = Cache(CACHED_BYTES, _bytes_of)
"""Rows by statement text, which includes the names of files and tables and the content of live rows, and parameters."""


@dataclass(frozen=True)
class MeasuredGroup:
    """The measures of one group, and how many of its facts are matched to a person."""

    values: Mapping[Measure, MeasureValue]
    facts: int
    matched_facts: int


MeasuredGroups = Mapping[GroupKey, MeasuredGroup]


class _ValuesOfRow(Mapping[Measure, MeasureValue]):
    """Computes values lazily: with thousands of people most are never used."""

    def __init__(self, row: Mapping[str, Any], positions: Mapping[Measure, int]) -> None:
        self._row = row
        self._positions = positions

    def __getitem__(self, measure: Measure) -> MeasureValue:
        return value_in(self._row, measure, self._positions[measure])

    def __iter__(self) -> Iterator[Measure]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


def scan(query: FactQuery, measures: Sequence[Measure]) -> MeasuredGroups:
    """Every group with a fact, in every window.

    Raises QuestionStoppedError where it exceeds the time or memory limit.
    """
    windows = windows_of(query)
    if not windows:
        return {}
    types = types_of(query.relation)
    rows = _fetch(lambda source: statement_of(query, measures, source, types))
    groups: dict[GroupKey, MeasuredGroup] = {}
    positions = {measure: position for position, measure in enumerate(measures)}
    width = len(query.segments)
    for row in rows:
        segment = tuple(row[f"segment_{position}"] for position in range(width))
        group = MeasuredGroup(_ValuesOfRow(row, positions), row["facts"], row["matched_facts"])
        for window in windows[row["window_id"]][1]:
            groups[GroupKey(row["unit_id"] or None, window, segment)] = group
    return groups


def select(query: FactQuery, measures: Sequence[Measure], text: str, *, columns: Sequence[str] = ()) -> Found:
    """Rows of a SELECT over `counted`, the fact query's rows (`Part`), by column name; `columns` are further ones.

    Raises QuestionStoppedError as `scan`.
    """
    if not windows_of(query):
        return []
    return _fetch(lambda source: statement_over_rows(Part(query, measures, text, columns), source))


def select_of_parts(parts: Sequence[Part], text: str, **values: Any) -> Sequence[Mapping[str, Any]]:
    """Rows of a SELECT over several fact queries (`statement_over_parts`), as `select`."""
    if not all(windows_of(part.query) for part in parts):
        return []
    return _fetch(lambda source: statement_over_parts(parts, source, text, values))


def stock(query: StockQuery) -> dict[tuple[int | None, Window], int]:
    """The number of people by unit and window.  Raises QuestionStoppedError as `scan`."""
    rows = _fetch(lambda _: stock_statement(query))
    return {(row["unit_id"] or None, query.windows[row["window_id"]]): row["people"] for row in rows}


def people_in_stock(query: StockQuery) -> Collection[int]:
    """The ids of the people whom `stock` counts in any window."""
    rows = _fetch(lambda _: stock_statement(query, LISTED))
    return {person for row in rows for person in row["people"]}


def _fetch(statement_from: Callable[[Source], Statement]) -> Found:
    """Runs the statement; where it fails, once more with rows from PostgreSQL alone.

    A column file can be damaged, or deleted since it was looked up, and another thread can drop a table in use: users
    should not notice.
    """
    import duckdb

    with rows_of_answer() as rows:
        try:
            return _fetch_once(statement_from, rows)
        except duckdb.Error as problem:
            logger.error("A query failed; it is answered from PostgreSQL. %s", problem)
            nudge_on_commit(check_files)
            rows.read_no_files()
            return _fetch_once(statement_from, rows)


def _fetch_once(statement_from: Callable[[Source], Statement], rows: Rows) -> Found:
    statement = statement_from(rows.source)
    if statement.grouped and not reads_rows(statement.text):
        return []
    with database.cursor() as cursor:
        text = statement.naming(tables.load(cursor, statement.tables, rows))
        # Files and tables are never changed in place: new content gets a new name.
        key = hashlib.sha256(repr((rows.by_content(text), statement.parameters)).encode()).hexdigest()
        cached_rows = answers.get(key)
        if cached_rows is None:
            cached_rows = database.fetch(cursor, text, statement.parameters)
            answers.put(key, cached_rows)
        return cached_rows

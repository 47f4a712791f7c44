"""Answering questions: one statement each."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.cache import Cache
from core.nudges import nudge_on_commit
from insights.columns.rows import types_of
from insights.columns.tasks import check_files
from insights.engine import database, tables
from insights.engine.fact_query import CellKey, Reading, StockReading
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
BYTES_OF_A_VALUE = 100  # a number with its place in a row, about

Found = Sequence[Mapping[str, Any]]  # rows, by the names of their columns


def _bytes_of(found: Found) -> int:
    return sum(len(row) for row in found) * BYTES_OF_A_VALUE + 1000


answers: Cache[Found] = Cache(CACHED_BYTES, _bytes_of)
"""What statements found, by their text, with the names of files and tables in it, and their parameters."""


@dataclass(frozen=True)
class Cell:
    """The measures of one cell, and how many of its facts were matched to a person."""

    values: Mapping[Measure, MeasureValue]
    facts: int
    matched_facts: int


Cells = Mapping[CellKey, Cell]


class _ValuesOfRow(Mapping[Measure, MeasureValue]):
    """Each is put together when it is asked for: of thousands of people most never are."""

    def __init__(self, row: Mapping[str, Any], positions: Mapping[Measure, int]) -> None:
        self._row = row
        self._positions = positions

    def __getitem__(self, measure: Measure) -> MeasureValue:
        return value_in(self._row, measure, self._positions[measure])

    def __iter__(self) -> Iterator[Measure]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)


def scan(question: Reading, measures: Sequence[Measure]) -> Cells:
    """Every cell in which a fact was found, of every window.

    Raises QuestionStoppedError where it needs more time or memory than a question may.
    """
    windows = windows_of(question)
    if not windows:
        return {}
    types = types_of(question.relation)
    found = _fetch(lambda source: statement_of(question, measures, source, types))
    cells: dict[CellKey, Cell] = {}
    positions = {measure: position for position, measure in enumerate(measures)}
    width = len(question.segments)
    for row in found:
        segment = tuple(row[f"segment_{position}"] for position in range(width))
        cell = Cell(_ValuesOfRow(row, positions), row["facts"], row["matched_facts"])
        for window in windows[row["window_id"]][1]:
            cells[CellKey(row["unit_id"] or None, window, segment)] = cell
    return cells


def select(question: Reading, measures: Sequence[Measure], text: str) -> Found:
    """Rows of a SELECT over `counted`, the question's rows (`Part`), by the names of its columns.

    Raises QuestionStoppedError as `scan`.
    """
    if not windows_of(question):
        return []
    return _fetch(lambda source: statement_over_rows(Part(question, measures, text), source))


def select_of_parts(parts: Sequence[Part], text: str, **values: Any) -> Sequence[Mapping[str, Any]]:
    """Rows of a SELECT over what several questions found (`statement_over_parts`), as `select`."""
    if not all(windows_of(part.question) for part in parts):
        return []
    return _fetch(lambda source: statement_over_parts(parts, source, text, values))


def stock(question: StockReading) -> dict[tuple[int | None, Window], int]:
    """People of each span of the question, by unit and span.  Raises QuestionStoppedError as `scan`."""
    found = _fetch(lambda _: stock_statement(question))
    return {(row["unit_id"] or None, question.spans[row["window_id"]]): row["people"] for row in found}


def people_in_stock(question: StockReading) -> Collection[int]:
    """The ids of those whom `stock` counts in any span of the question."""
    found = _fetch(lambda _: stock_statement(question, LISTED))
    return {person for row in found for person in row["people"]}


def _fetch(statement_from: Callable[[Source], Statement]) -> Found:
    """What the statement finds; where it fails, of rows of PostgreSQL alone.

    A file of the columns can be damaged or gone since it was looked for, and another thread can drop a table that this
    one has just found: nobody should see that.
    """
    import duckdb

    with rows_of_answer() as rows:
        try:
            return _fetch_once(statement_from, rows)
        except duckdb.Error as problem:
            logger.error("A question failed; it is answered from PostgreSQL. %s", problem)
            nudge_on_commit(check_files)
            rows.read_no_files()
            return _fetch_once(statement_from, rows)


def _fetch_once(statement_from: Callable[[Source], Statement], rows: Rows) -> Found:
    statement = statement_from(rows.source)
    with database.cursor() as cursor:
        text = statement.naming(tables.load(cursor, statement.tables, rows))
        if rows.reads_live(text):
            return database.fetch(cursor, text, statement.parameters)
        # Files and tables are never changed in place: a change of what they hold gives them another name.
        key = hashlib.sha256(repr((text, statement.parameters)).encode()).hexdigest()
        found = answers.get(key)
        if found is None:
            found = database.fetch(cursor, text, statement.parameters)
            answers.put(key, found)
        return found

"""Answering questions: one statement each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from insights.columns.tasks import check_files
from insights.engine import database, tables
from insights.engine.measures import value_in
from insights.engine.rows import Rows, column_types, rows_of_answer
from insights.engine.statement import Source, Statement, statement_of, statement_over_rows, stock_statement, windows_of
from insights.metrics.measures import Measure, MeasureValue
from insights.metrics.query import Window
from insights.metrics.reading import CellKey, Reading, StockReading
from orgtree.nudges import nudge_on_commit

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Cell:
    """The measures of one cell, how many of its facts were matched to a person, and their first and last day."""

    values: Mapping[Measure, MeasureValue]
    facts: int
    matched_facts: int
    days: tuple[date, date] | None = None  # known of cells of people


Cells = Mapping[CellKey, Cell]


def scan(question: Reading, measures: Sequence[Measure]) -> Cells:
    """Every cell in which a fact was found, of every window.

    Raises QuestionStoppedError where it needs more time or memory than a question may.
    """
    windows = windows_of(question)
    if not windows:
        return {}
    types = column_types(question.relation)
    found = _fetch(lambda source: statement_of(question, measures, source, types))
    cells: dict[CellKey, Cell] = {}
    width = len(question.segments)
    for row in found:
        segment = tuple(row[f"segment_{position}"] for position in range(width))
        values = {measure: value_in(row, measure, position) for position, measure in enumerate(measures)}
        of_days = (row["first_day"], row["last_day"]) if question.by_person else None
        cell = Cell(values, row["facts"], row["matched_facts"], of_days)
        for window in windows[row["window_id"]][1]:
            cells[CellKey(row["unit_id"] or None, window, segment)] = cell
    return cells


def select(question: Reading, measures: Sequence[Measure], text: str) -> Sequence[dict[str, Any]]:
    """Rows of a SELECT over `counted`, the question's rows (`statement_over_rows`), by the names of its columns.

    Raises QuestionStoppedError as `scan`.
    """
    if not windows_of(question):
        return []
    return _fetch(lambda source: statement_over_rows(question, measures, source, text))


def stock(question: StockReading) -> dict[tuple[int | None, Window], int]:
    """People of each span of the question, by unit and span.  Raises QuestionStoppedError as `scan`."""
    found = _fetch(lambda source: stock_statement(question, source))
    return {(row["unit_id"] or None, question.spans[row["window_id"]]): row["people"] for row in found}


def _fetch(statement_from: Callable[[Source], Statement]) -> Sequence[dict[str, Any]]:
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


def _fetch_once(statement_from: Callable[[Source], Statement], rows: Rows) -> Sequence[dict[str, Any]]:
    statement = statement_from(rows.source)
    with database.cursor() as cursor:
        names = tables.load(cursor, statement.tables, rows)
        return database.fetch(cursor, statement.naming(names), statement.parameters)

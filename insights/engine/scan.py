"""Answering questions: one statement each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from insights.engine import database, tables
from insights.engine.measures import value_in
from insights.engine.rows import Rows, column_types, rows_of_answer
from insights.engine.statement import Statement, statement_of, statement_over_rows, stock_statement, windows_asked
from insights.metrics.measures import Measure, MeasureValue
from insights.metrics.query import Window
from insights.metrics.reading import CellKey, Reading, StockReading


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
    asked = windows_asked(question)
    if not asked:
        return {}
    with rows_of_answer() as rows:
        statement = statement_of(question, measures, rows.source, column_types(question.relation))
        found = _fetch(statement, rows)
    cells: dict[CellKey, Cell] = {}
    width = len(question.segments)
    for row in found:
        segment = tuple(row[f"segment_{position}"] for position in range(width))
        values = {measure: value_in(row, measure, position) for position, measure in enumerate(measures)}
        of_days = (row["first_day"], row["last_day"]) if question.by_person else None
        cell = Cell(values, row["facts"], row["matched_facts"], of_days)
        for window in asked[row["window_id"]][1]:
            cells[CellKey(row["unit_id"] or None, window, segment)] = cell
    return cells


def select(question: Reading, measures: Sequence[Measure], text: str) -> Sequence[dict[str, Any]]:
    """Rows of a SELECT over `counted`, the question's rows (`statement_over_rows`), by the names of its columns.

    Raises QuestionStoppedError as `scan`.
    """
    if not windows_asked(question):
        return []
    with rows_of_answer() as rows:
        return _fetch(statement_over_rows(question, measures, rows.source, text), rows)


def stock(question: StockReading) -> dict[tuple[int | None, Window], int]:
    """People of each span of the question, by unit and span.  Raises QuestionStoppedError as `scan`."""
    with rows_of_answer() as rows:
        found = _fetch(stock_statement(question, rows.source), rows)
    return {(row["unit_id"] or None, question.spans[row["window_id"]]): row["people"] for row in found}


def _fetch(statement: Statement, rows: Rows) -> Sequence[dict[str, Any]]:
    with database.cursor() as cursor:
        names = tables.load(cursor, statement.tables, rows)
        return database.fetch(cursor, statement.naming(names), statement.parameters)

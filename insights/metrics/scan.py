"""Reading measures from facts: one statement per relation, window, scope, facets and segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection

from insights.metrics.measures import Distribution, Facts, Measure, MeasureValue, People, PersonShare, Total
from insights.metrics.query import Statistic, Window
from insights.metrics.reading import Reading, StockReading
from insights.metrics.statement import PERCENTILES, cells_statement, parameters, stock_parameters, stock_statement


class CellKey(NamedTuple):
    """A unit (None: whatever one scope was asked for), a window and the segment's values."""

    unit_id: int | None
    window: Window
    segment: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """The measures of one cell, and how many of its facts were matched to a person."""

    values: Mapping[Measure, MeasureValue]
    facts: int
    matched_facts: int


def scan(reading: Reading, measures: Sequence[Measure]) -> dict[CellKey, Cell]:
    """Every cell in which a fact was found, of every window of every partition."""
    with connection.cursor() as cursor:
        cursor.execute(cells_statement(reading, measures), parameters(reading))
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    width = len(reading.segments)
    return {
        CellKey(
            row["unit_id"] or None,
            reading.window(row["partition"], row["bucket"]),
            tuple(row[f"segment_{i}"] for i in range(width)),
        ): Cell(
            {measure: _value(measure, position, row) for position, measure in enumerate(measures)},
            row["facts"],
            row["matched_facts"],
        )
        for row in rows
    }


def stock(reading: StockReading) -> dict[tuple[int | None, date], int]:
    """People at each end of the reading, by unit and end."""
    with connection.cursor() as cursor:
        cursor.execute(stock_statement(reading), stock_parameters(reading))
        return {(unit_id or None, end): people for unit_id, end, people in cursor.fetchall()}


def _value(measure: Measure, position: int, row: Mapping[str, Any]) -> MeasureValue:
    if isinstance(measure, Facts):
        return MeasureValue(float(row["facts"]), row["facts"], row["people"])
    if isinstance(measure, People):
        return MeasureValue(float(row["people"]), row["matched_facts"], row["people"])
    value = row[f"v_{position}"]
    if isinstance(measure, PersonShare):
        if value is None:
            return MeasureValue()
        return MeasureValue(float(value), row["matched_facts"], row["people"], base=float(row[f"b_{position}"]))
    facts, people = row[f"n_{position}"], row[f"p_{position}"]
    if isinstance(measure, Total):
        missing = bool(measure.missing_column) and bool(row[f"x_{position}"]) and not facts
        return MeasureValue(float(value) if facts else None, facts, people, missing=missing)
    if isinstance(measure, Distribution):
        return MeasureValue(float(value) if facts else None, facts, people, _statistics(row, position, value, facts))
    raise TypeError(f"{type(measure).__name__} is not read by a scan.")


def _statistics(row: Mapping[str, Any], position: int, total: Any, facts: int) -> Mapping[Statistic, float]:
    percentiles = row[f"q_{position}"]
    if not facts or percentiles is None:
        return {}
    return {
        Statistic.MEAN: float(total) / facts,
        **{statistic: float(value) for statistic, value in zip(PERCENTILES, percentiles, strict=True)},
    }

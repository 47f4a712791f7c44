"""Reading measures from facts: one statement per relation, window, scope, facets and segments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from psycopg import sql

from insights.metrics.concentration import concentration_of_units_statement, concentration_statement
from insights.metrics.measures import (
    AttributedLines,
    Distribution,
    Facts,
    Gini,
    Measure,
    MeasureValue,
    People,
    PeopleOnLine,
    PersonShare,
    StandingAtEnd,
    Total,
)
from insights.metrics.query import Statistic, Window
from insights.metrics.reading import CellKey, Placed, Reading, StockReading
from insights.metrics.source import PERCENTILES, parameters
from insights.metrics.standing import standing_of_units_statement, standing_statement
from insights.metrics.statement import ATTRIBUTION_METHODS, cells_statement
from insights.metrics.stock_statement import stock_of_units_statement, stock_parameters, stock_statement
from insights.metrics.stocks import windows_by_span
from insights.metrics.units_statement import cells_of_units_statement


@dataclass(frozen=True)
class Cell:
    """The measures of one cell, and how many of its facts were matched to a person."""

    values: Mapping[Measure, MeasureValue]
    facts: int
    matched_facts: int


Cells = Mapping[CellKey, Cell]


def scan(reading: Reading, measures: Sequence[Measure]) -> Cells:
    """Every cell in which a fact was found, of every window of every partition.

    Facts that stand may be of several people, and a Gini coefficient is one of people: where they are asked for, the
    relation is read for them alone.  Several units are read while `stints_of` them lasts (insights/metrics/stints.py).
    """
    with connection.cursor() as cursor:
        cursor.execute(scan_statement(reading, measures), parameters(reading))
        names = [column.name for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    width = len(reading.segments)
    windows_of_span = windows_by_span(reading)
    found: dict[CellKey, Cell] = {}
    for row in rows:
        segment = tuple(row[f"segment_{i}"] for i in range(width))
        values = {measure: value_in(row, measure, position) for position, measure in enumerate(measures)}
        cell = Cell(values, row["facts"], row["matched_facts"])
        for window in windows_of_span[row["span"]]:
            found[CellKey(row["unit_id"] or None, window, segment)] = cell
    return found


def scan_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per cell in which a fact was found; the columns are those of `cells_statement`."""
    in_units = reading.placement.placed is Placed.UNITS
    if any(isinstance(measure, StandingAtEnd) for measure in measures):
        return (standing_of_units_statement if in_units else standing_statement)(reading, measures)
    if any(isinstance(measure, Gini) for measure in measures):
        return (concentration_of_units_statement if in_units else concentration_statement)(reading, measures)
    return (cells_of_units_statement if in_units else cells_statement)(reading, measures)


def stock(reading: StockReading) -> dict[tuple[int | None, Window], int]:
    """People of each span of the reading, by unit and span."""
    with connection.cursor() as cursor:
        cursor.execute(people_in_stock_statement(reading), stock_parameters(reading))
        return {(unit_id or None, Window(start, end)): people for unit_id, start, end, people in cursor.fetchall()}


def people_in_stock_statement(reading: StockReading) -> sql.Composed:
    """One row per unit and span, with unit_id, starts_on, ends_on and people."""
    in_units = reading.placement.placed is Placed.UNITS
    return (stock_of_units_statement if in_units else stock_statement)(reading)


def value_in(row: Mapping[str, Any], measure: Measure, position: int) -> MeasureValue:
    """What the measure at that position comes to, of a row of its statement."""
    if isinstance(measure, Facts):
        return MeasureValue(float(row["facts"]), row["facts"], row["people"])
    if isinstance(measure, People):
        return MeasureValue(float(row["people"]), row["matched_facts"], row["people"])
    value = row[f"v_{position}"]
    if isinstance(measure, (PeopleOnLine, StandingAtEnd)):
        people = int(value) if isinstance(measure, PeopleOnLine) else row["people"]
        facts = people if isinstance(measure, PeopleOnLine) else row["facts"]
        return MeasureValue(float(value), facts, people, base=float(facts))
    if isinstance(measure, Gini):
        coefficient = None if value is None else float(value)
        return MeasureValue(coefficient, row["matched_facts"], row["people"])
    if isinstance(measure, PersonShare):
        base = row[f"b_{position}"]
        counted = row["matched_facts"], row["people"]
        return MeasureValue() if value is None else MeasureValue(float(value), *counted, base=float(base))
    if isinstance(measure, (Total, Distribution)):
        return _sum(measure, position, row)
    raise TypeError(f"{type(measure).__name__} is not read by a scan.")


def _sum(measure: Total | Distribution, position: int, row: Mapping[str, Any]) -> MeasureValue:
    facts, people = row[f"n_{position}"], row[f"p_{position}"]
    value = float(row[f"v_{position}"]) if facts else None
    if isinstance(measure, Distribution):
        left_out = int(row[f"x_{position}"] or 0)
        return MeasureValue(value, facts, people, _statistics(row, position, value, facts), left_out=left_out)
    if isinstance(measure, AttributedLines) and facts:
        by_method = zip(ATTRIBUTION_METHODS, row[f"k_{position}"], strict=True)
        told = {method: float(amount) for method, amount in by_method if amount}
        return MeasureValue(value, facts, people, low=float(row[f"l_{position}"]), by_method=told)
    missing = bool(measure.missing_column) and bool(row[f"x_{position}"]) and not facts
    return MeasureValue(value, facts, people, missing=missing)


def _statistics(row: Mapping[str, Any], position: int, total: Any, facts: int) -> Mapping[Statistic, float]:
    percentiles = row[f"q_{position}"]
    if not facts or percentiles is None:
        return {}
    return {
        Statistic.MEAN: float(total) / facts,
        **{statistic: float(value) for statistic, value in zip(PERCENTILES, percentiles, strict=True)},
    }

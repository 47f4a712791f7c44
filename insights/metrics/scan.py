"""Reading measures from facts: one statement per relation, window, scope, facets and segments."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from insights.metrics.concentration import concentration_of_units_statement, concentration_statement
from insights.metrics.measures import (
    Gini,
    Measure,
    StandingAtEnd,
)
from insights.metrics.reading import Placed, Reading, StockReading
from insights.metrics.standing import standing_of_units_statement, standing_statement
from insights.metrics.statement import cells_statement
from insights.metrics.stock_statement import stock_of_units_statement, stock_statement
from insights.metrics.units_statement import cells_of_units_statement


def scan_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """One row per cell in which a fact was found; the columns are those of `cells_statement`."""
    in_units = reading.placement.placed is Placed.UNITS
    if any(isinstance(measure, StandingAtEnd) for measure in measures):
        return (standing_of_units_statement if in_units else standing_statement)(reading, measures)
    if any(isinstance(measure, Gini) for measure in measures):
        return (concentration_of_units_statement if in_units else concentration_statement)(reading, measures)
    return (cells_of_units_statement if in_units else cells_statement)(reading, measures)


def people_in_stock_statement(reading: StockReading) -> sql.Composed:
    """One row per unit and span, with unit_id, starts_on, ends_on and people."""
    in_units = reading.placement.placed is Placed.UNITS
    return (stock_of_units_statement if in_units else stock_statement)(reading)

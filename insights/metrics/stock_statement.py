"""The SQL of stocks: people counted for spans of days."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from insights.metrics.reading import Placed, StockReading
from insights.metrics.source import of_source, only_of, unit_of


def stock_statement(reading: StockReading) -> sql.Composed:
    """One row per unit and span: how many people belong to it."""
    return sql.SQL(
        "SELECT unit_id, starts_on, ends_on, count(*) FROM ({}) AS people GROUP BY unit_id, starts_on, ends_on"
    ).format(stocked_people_statement(reading))


def stocked_people_statement(reading: StockReading) -> sql.Composed:
    """One row per unit, span and person: whose day lies before its end, and who was there on any day of it."""
    relation = reading.relation
    person = of_source(relation.person)
    return sql.SQL(
        """
        SELECT DISTINCT {unit} AS unit_id, spans.starts_on, spans.ends_on, {person} AS person_id
        FROM unnest(%(starts)s::date[], %(ends)s::date[]) AS spans (starts_on, ends_on)
        JOIN ({relation}) AS source
          ON {day} < spans.ends_on AND (source.left_on IS NULL OR source.left_on > spans.starts_on)
        {placed}
        WHERE true {only}
        """
    ).format(
        unit=unit_of(reading.placement),
        person=person,
        relation=sql.SQL(relation.sql),
        day=of_source(relation.day),
        placed=_PLACED.format(person) if reading.placement.placed in (Placed.UNIT, Placed.UNITS) else sql.SQL(""),
        only=only_of(reading.placement, person),
    )


_PLACED = sql.SQL(
    "JOIN orgtree_placement placement"
    " ON placement.person_id = {} AND placement.during && daterange(spans.starts_on, spans.ends_on)"
)


def stock_parameters(reading: StockReading) -> dict[str, Any]:
    return {
        "starts": [span.start for span in reading.spans],
        "ends": [span.end for span in reading.spans],
        "ids": list(reading.placement.ids),
    }

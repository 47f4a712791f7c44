"""The SQL of stocks: people counted at the ends of windows."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from insights.metrics.reading import StockReading
from insights.metrics.source import of_source, only_of, placed, unit_of


def stock_statement(reading: StockReading) -> sql.Composed:
    """One row per unit and end: people whose day lies before it and who had not left by then."""
    return sql.SQL("SELECT unit_id, ends_on, count(*) FROM ({}) AS people GROUP BY unit_id, ends_on").format(
        stocked_people_statement(reading)
    )


def stocked_people_statement(reading: StockReading) -> sql.Composed:
    """One row per unit, end and person.  A person is in a unit on the last day before the end."""
    relation = reading.relation
    person = of_source(relation.person)
    return sql.SQL(
        """
        SELECT {unit} AS unit_id, ends.day AS ends_on, {person} AS person_id
        FROM unnest(%(ends)s::date[]) AS ends (day)
        JOIN ({relation}) AS source
          ON {day} < ends.day AND (source.left_on IS NULL OR source.left_on >= ends.day)
        {placed}
        WHERE true {only}
        """
    ).format(
        unit=unit_of(reading.placement),
        person=person,
        relation=sql.SQL(relation.sql),
        day=of_source(relation.day),
        placed=placed(reading.placement, person, sql.SQL("(ends.day - 1)")),
        only=only_of(reading.placement, person),
    )


def stock_parameters(reading: StockReading) -> dict[str, Any]:
    return {"ends": list(reading.ends), "ids": list(reading.placement.ids)}

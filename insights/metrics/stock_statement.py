"""The SQL of stocks: people counted for spans of days."""

from __future__ import annotations

from typing import Any

from psycopg import sql

from insights.metrics.placing import (
    DAYS_ELSEWHERE,
    days_of,
    joins_in_span,
    only_of,
    placement_parameters,
    unit_of,
)
from insights.metrics.reading import Placed, Placement, StockReading
from insights.metrics.source import of_source


def stock_statement(reading: StockReading) -> sql.Composed:
    """One row per unit and span: how many people belong to it."""
    return sql.SQL(
        "SELECT unit_id, starts_on, ends_on, count(*) FROM ({}) AS people GROUP BY unit_id, starts_on, ends_on"
    ).format(stocked_people_statement(reading))


def stocked_people_statement(reading: StockReading) -> sql.Composed:
    """One row per unit, span and person: whose day lies before its end, and who was there on any day of it.

    In a unit, or with an attribute: on any day of it on which the person was there and all of that was so.
    """
    relation, placement = reading.relation, reading.placement
    person = of_source(relation.person)
    return sql.SQL(
        """
        SELECT DISTINCT {unit} AS unit_id, spans.starts_on, spans.ends_on, {person} AS person_id
        FROM unnest(%(starts)s::date[], %(ends)s::date[]) AS spans (starts_on, ends_on)
        JOIN ({relation}) AS source
          ON {day} < spans.ends_on
        {joins}
        WHERE {was_so} {only}
        """
    ).format(
        unit=unit_of(placement),
        person=person,
        relation=sql.SQL(relation.sql),
        day=of_source(relation.day),
        joins=_joins(placement, person),
        was_so=_was_so(placement),
        only=only_of(placement, person),
    )


_SPAN = sql.SQL("daterange(spans.starts_on, spans.ends_on)")


def _joins(placement: Placement, person: sql.Composable) -> sql.Composable:
    joins = joins_in_span(placement, person, _SPAN)
    if placement.placed is not Placed.UNASSIGNED:
        return joins
    return sql.SQL("{} LEFT JOIN ({}) AS elsewhere ON elsewhere.person_id = {}").format(joins, DAYS_ELSEWHERE, person)


def _was_so(placement: Placement) -> sql.Composable:
    days = sql.SQL("datemultirange({}) * coalesce(source.present, '{{(,)}}')").format(days_of(placement, _SPAN))
    if placement.placed is Placed.UNASSIGNED:
        return sql.SQL("{} - coalesce(elsewhere.days, '{{}}') <> '{{}}'").format(days)
    return sql.SQL("{} <> '{{}}'").format(days)


def stock_parameters(reading: StockReading) -> dict[str, Any]:
    return {
        "starts": [span.start for span in reading.spans],
        "ends": [span.end for span in reading.spans],
        **placement_parameters(reading.placement),
    }

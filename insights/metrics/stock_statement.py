"""The SQL of stocks: people counted for spans of days."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from psycopg import sql

from insights.metrics.placing import (
    DAYS_ELSEWHERE,
    attributes_in_span,
    days_of,
    joins_in_span,
    only_of,
    only_person,
    placement_parameters,
    unit_of,
)
from insights.metrics.reading import Placed, Placement, StockReading
from insights.metrics.source import of_source
from insights.metrics.units_people import MOVED, counted_people, movers


def stock_statement(reading: StockReading) -> sql.Composed:
    """One row per unit and span: how many people belong to it."""
    return sql.SQL(
        "SELECT unit_id, starts_on, ends_on, count(*) AS people FROM ({}) AS there GROUP BY unit_id, starts_on, ends_on"
    ).format(stocked_people_statement(reading))


def stock_of_units_statement(reading: StockReading) -> sql.Composed:
    """As `stock_statement`, for a placement of several units, while `stints_of` them lasts."""
    relation, placement = reading.relation, reading.placement
    span = sql.SQL("span")
    person = of_source(relation.person)
    return sql.SQL(
        """
        WITH source AS MATERIALIZED ({relation}),
        spans AS (
            SELECT *
            FROM unnest(%(starts)s::date[], %(ends)s::date[]) WITH ORDINALITY AS spans (starts_on, ends_on, span)
        ),
        stretches AS MATERIALIZED (
            SELECT stint.id AS stint_id, {person} AS person_id, {day} AS since,
                   {days} * datemultirange(daterange(stint.first_day, stint.end_day)) AS days
            FROM source
            JOIN metric_stint stint ON stint.person_id = {person}
            {joins}
            WHERE true {only}
        ),
        people AS MATERIALIZED (
            SELECT DISTINCT stint_id, person_id, span, 0 AS entered
            FROM spans
            JOIN stretches ON since < ends_on AND days && daterange(starts_on, ends_on)
        ),
        {moved},
        {movers}
        SELECT unit_id, starts_on, ends_on, people FROM ({counted}) AS counted JOIN spans USING (span)
        """
    ).format(
        relation=sql.SQL(relation.sql),
        person=person,
        day=of_source(relation.day),
        days=_days(replace(placement, placed=Placed.ANYBODY)),
        joins=attributes_in_span(placement, person, _ALL_SPANS),
        only=only_person(placement, person),
        moved=MOVED,
        movers=movers(span),
        counted=counted_people(span, ()),
    )


def stocked_people_statement(reading: StockReading) -> sql.Composed:
    """One row per unit, span and person: whose day lies before its end, and who was there on any day of it.

    In a unit, or with an attribute: on any day of it on which the person was there and all of that was so.
    """
    relation, placement = reading.relation, reading.placement
    person = of_source(relation.person)
    return sql.SQL(
        """
        WITH source AS MATERIALIZED ({relation}),
        stretches AS MATERIALIZED (
            SELECT {unit} AS unit_id, {person} AS person_id, {day} AS since, {days} AS days
            FROM source {joins}
            WHERE true {only}
        )
        SELECT DISTINCT stretches.unit_id, spans.starts_on, spans.ends_on, stretches.person_id
        FROM unnest(%(starts)s::date[], %(ends)s::date[]) AS spans (starts_on, ends_on)
        JOIN stretches ON stretches.since < spans.ends_on
         AND stretches.days && daterange(spans.starts_on, spans.ends_on)
        """
    ).format(
        relation=sql.SQL(relation.sql),
        unit=unit_of(placement),
        person=person,
        day=of_source(relation.day),
        days=_days(placement),
        joins=_joins(placement, person),
        only=only_of(placement, person),
    )


# From the first span to the last.  People are put together with their days first and with the spans last: the planner
# knows how many have the same person, and guesses how many ranges overlap.
_ALL_SPANS = sql.SQL("daterange(%(first_start)s, %(last_end)s)")


def _joins(placement: Placement, person: sql.Composable) -> sql.Composable:
    joins = joins_in_span(placement, person, _ALL_SPANS)
    if placement.placed is not Placed.UNASSIGNED:
        return joins
    return sql.SQL("{} LEFT JOIN ({}) AS elsewhere ON elsewhere.person_id = {}").format(joins, DAYS_ELSEWHERE, person)


def _days(placement: Placement) -> sql.Composable:
    """The days on which the person was there and all that was asked for was so, as a multirange."""
    days = sql.SQL("datemultirange({}) * coalesce(source.present, '{{(,)}}')").format(days_of(placement, _ALL_SPANS))
    if placement.placed is Placed.UNASSIGNED:
        return sql.SQL("{} - coalesce(elsewhere.days, '{{}}')").format(days)
    return days


def stock_parameters(reading: StockReading) -> dict[str, Any]:
    return {
        "starts": [span.start for span in reading.spans],
        "ends": [span.end for span in reading.spans],
        "first_start": min(span.start for span in reading.spans),
        "last_end": max(span.end for span in reading.spans),
        **placement_parameters(reading.placement),
    }

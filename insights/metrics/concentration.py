"""The SQL of how unevenly facts are spread over the people of a cell: the Gini coefficient.

Of n people, ranked by their numbers of facts x from the smallest, it is Σ (2 rank − n − 1) x ÷ (n Σ x): 0 where all
have as many, and the closer to 1 the fewer have nearly all.  Equal numbers may be ranked either way.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from insights.metrics.measures import Measure
from insights.metrics.reading import Reading
from insights.metrics.source import listed, named, rows_statement
from insights.metrics.units_people import keys_of


def concentration_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """As `cells_statement`: facts and people of the cell, and v_i, the coefficient, null without people.

    What falls to an owner is not among the matched facts, which are those of people.
    """
    people = sql.SQL(
        """
        SELECT unit_id, {keys}, person_id, count(*) AS facts FROM ({rows}) AS relation_rows
        GROUP BY unit_id, {keys}, person_id
        """
    )
    return _cells(reading, measures, people.format(keys=keys_of(reading), rows=rows_statement(reading, ())))


def concentration_of_units_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """As `concentration_statement`, for a placement of several units, while `stints_of` them lasts."""
    people = sql.SQL(
        """
        SELECT unit_id, {keys}, person_id, sum(facts) AS facts
        FROM (
            SELECT stint_id, {keys}, person_id, count(*) AS facts FROM ({rows}) AS relation_rows
            GROUP BY stint_id, {keys}, person_id
        ) AS of_stints
        JOIN metric_stint_path USING (stint_id)
        JOIN metric_path_unit USING (path_id)
        WHERE unit_id = ANY(%(ids)s)
        GROUP BY unit_id, {keys}, person_id
        """
    )
    return _cells(reading, measures, people.format(keys=keys_of(reading), rows=rows_statement(reading, ())))


def _cells(reading: Reading, measures: Sequence[Measure], people: sql.Composed) -> sql.Composed:
    coefficient = sql.SQL(
        "sum((2 * rank - people - 1) * facts) FILTER (WHERE person_id > 0)"
        " / nullif(max(people) FILTER (WHERE person_id > 0) * sum(facts) FILTER (WHERE person_id > 0), 0) AS {}"
    )
    return sql.SQL(
        """
        SELECT unit_id, {keys},
               sum(facts)::bigint AS facts,
               coalesce(sum(facts) FILTER (WHERE person_id > 0), 0)::bigint AS matched_facts,
               count(*) FILTER (WHERE person_id > 0) AS people {coefficients}
        FROM (
            SELECT *, row_number() OVER (known ORDER BY facts) AS rank, count(*) OVER known AS people
            FROM ({people}) AS people
            WINDOW known AS (PARTITION BY unit_id, {keys}, person_id > 0)
        ) AS ranked
        GROUP BY unit_id, {keys}
        """
    ).format(
        keys=keys_of(reading),
        people=people,
        coefficients=listed(coefficient.format(named("v", position)) for position in range(len(measures))),
    )

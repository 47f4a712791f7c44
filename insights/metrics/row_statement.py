"""The SQL behind *Show the rows*: the same rows and conditions as the figures, one level less aggregated."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from insights.metrics.measures import Distribution, Measure, Total
from insights.metrics.query import Dimension
from insights.metrics.reading import Reading
from insights.metrics.statement import conditions, dimension_expression, listed, of_source

# Columns that describe a fact, shown where its relation has them.
DESCRIBING = ("started_at", "ended_at")


def fact_rows_statement(reading: Reading, measures: Sequence[Measure], dimensions: Sequence[Dimension]) -> sql.Composed:
    """One row per fact, day and dimensions to which one of the measures adds something, the newest first.

    c_i is what it adds to the measure of position i; total_rows the number of rows of all pages.
    """
    relation = reading.relation
    describing = [name for name in DESCRIBING if name in relation.columns]
    keys = [
        sql.SQL("{} AS {}").format(of_source(name), sql.Identifier(alias))
        for name, alias in (
            (relation.fact, "fact_id"),
            (relation.person, "person_id"),
            (relation.day, "day"),
            *((name, name) for name in describing),
        )
    ]
    keys += [
        sql.SQL("{} AS {}").format(dimension_expression(dimension), sql.Identifier(dimension.value))
        for dimension in dimensions
    ]
    sums = [
        sql.SQL("{} AS {}").format(_contribution(measure), sql.Identifier(f"c_{position}"))
        for position, measure in enumerate(measures)
    ]
    entered = [sql.SQL("{} <> 0").format(_contribution(each)) for each in measures if isinstance(each, Total)]
    return sql.SQL(
        """
        SELECT {keys}, count(*) OVER () AS total_rows {sums}
        FROM ({relation}) AS source {conditions}
        GROUP BY {positions} {having}
        ORDER BY day DESC, fact_id DESC, {positions}
        LIMIT %(limit)s OFFSET %(offset)s
        """
    ).format(
        keys=sql.SQL(", ").join(keys),
        sums=listed(sums),
        relation=sql.SQL(relation.sql),
        conditions=conditions(reading),
        positions=sql.SQL(", ").join(sql.Literal(position) for position in range(1, len(keys) + 1)),
        having=sql.SQL("HAVING {}").format(sql.SQL(" OR ").join(entered)) if entered else sql.SQL(""),
    )


def _contribution(measure: Measure) -> sql.Composable:
    if isinstance(measure, Total):
        return sql.SQL("coalesce(sum({}), 0)").format(of_source(measure.column))
    if isinstance(measure, Distribution):
        return sql.SQL("max({})").format(of_source(measure.column))
    return sql.SQL("1")

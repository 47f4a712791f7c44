"""The SQL of facts that stand at the end of a window, whosever they are."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from insights.metrics.measures import Measure
from insights.metrics.reading import Reading
from insights.metrics.source import listed, named, rows_statement
from insights.metrics.statement import grouped
from insights.metrics.units_people import MOVED, counted_people, keys_of, movers

# The last day of a window that has come.
LAST_DAY = sql.SQL("least((%(ends)s::date[])[span + 1] - 1, %(today)s::date)")


def standing_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """As `cells_statement`: facts of the cell, and for the measure of position i v_i, how many of them stand.

    A fact counts once in a cell, whatever the number of people that it is of.
    """
    return sql.SQL("WITH relation_rows AS ({rows}) {cells}").format(
        rows=_rows(reading, measures),
        cells=grouped(
            reading,
            "",
            sql.SQL("count(DISTINCT fact_id) AS facts"),
            (
                sql.SQL("count(DISTINCT fact_id) FILTER (WHERE person_id <> 0) AS matched_facts"),
                sql.SQL("count(DISTINCT person_id) FILTER (WHERE person_id > 0) AS people"),
                *(_standing(position) for position in range(len(measures))),
            ),
        ),
    )


def standing_of_units_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """As `standing_statement`, for a placement of several units, while `stints_of` them lasts."""
    keys, stands = keys_of(reading), [_stands(position) for position in range(len(measures))]
    once = listed(sql.SQL("bool_or({0}) AS {0}").format(name) for name in stands)
    return sql.SQL(
        """
        WITH of_stints AS MATERIALIZED (
            SELECT stint_id, person_id, {keys}, fact_id {once}
            FROM ({rows}) AS relation_rows
            GROUP BY stint_id, person_id, {keys}, fact_id
        ),
        people AS MATERIALIZED (
            SELECT stint_id, person_id, {keys}, 0 AS entered
            FROM of_stints
            GROUP BY stint_id, person_id, {keys}
        ),
        {moved},
        {movers},
        of_paths AS (
            SELECT path_id, {keys}, fact_id {once}
            FROM of_stints JOIN metric_stint_path USING (stint_id)
            GROUP BY path_id, {keys}, fact_id
        ),
        of_units AS (
            SELECT unit_id, {keys}, fact_id {once}
            FROM of_paths JOIN metric_path_unit USING (path_id)
            WHERE unit_id = ANY(%(ids)s)
            GROUP BY unit_id, {keys}, fact_id
        )
        SELECT unit_id, {keys}, standing.facts, standing.facts AS matched_facts, counted.people {standing}
        FROM (SELECT unit_id, {keys}, count(*) AS facts {counts} FROM of_units GROUP BY unit_id, {keys}) AS standing
        FULL JOIN ({counted}) AS counted USING (unit_id, {keys})
        """
    ).format(
        keys=keys,
        once=once,
        rows=_rows(reading, measures),
        moved=MOVED,
        movers=movers(keys),
        standing=listed(named("v", position) for position in range(len(measures))),
        counts=listed(
            sql.SQL("count(*) FILTER (WHERE {}) AS {}").format(name, named("v", position))
            for position, name in enumerate(stands)
        ),
        counted=counted_people(keys, ()),
    )


def standing_facts_statement(reading: Reading, measure: Measure) -> sql.Composed:
    """One row per fact of the reading's only window: its name, and whether it stands (1 or 0)."""
    return sql.SQL(
        """
        SELECT fact_id, name, max((stands_0 IS TRUE)::int) AS contribution
        FROM ({rows}) AS relation_rows
        GROUP BY fact_id, name
        ORDER BY contribution, name
        """
    ).format(rows=_rows(reading, [measure], sql.SQL("source.repository AS name")))


def _rows(reading: Reading, measures: Sequence[Measure], *more: sql.Composable) -> sql.Composed:
    """The relation's rows, with stands_i: whether the measure i stands at the end of the row's window."""
    stands = [
        sql.SQL("{} @> {} AS {}").format(named("c", position), LAST_DAY, _stands(position))
        for position in range(len(measures))
    ]
    return sql.SQL("SELECT * {stands} FROM ({rows}) AS placed").format(
        stands=listed(stands), rows=rows_statement(reading, measures, more)
    )


def _standing(position: int) -> sql.Composed:
    return sql.SQL("count(DISTINCT fact_id) FILTER (WHERE {}) AS {}").format(_stands(position), named("v", position))


def _stands(position: int) -> sql.Identifier:
    return sql.Identifier(f"stands_{position}")

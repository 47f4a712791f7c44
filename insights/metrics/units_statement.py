"""The SQL of a reading of many units: rows → people's stints → paths → units (insights/metrics/stints.py).

The rows of a stint are added up once for all days that lie in the same windows.  What they come to is added up for the
paths, which many people have in common, for the windows, and then for the units of each path.  How people are counted:
units_people.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from psycopg import sql

from insights.engine.statement import segment_names
from insights.metrics.measures import Distribution, Measure, PersonShare
from insights.metrics.reading import Reading
from insights.metrics.source import in_windows, listed, named
from insights.metrics.statement import (
    added_up,
    by_method,
    countable,
    defined,
    people_of_stretches,
    relation_rows,
    rows_of_long_facts,
    sums_of_rows,
)
from insights.metrics.units_people import MOVED, counted_people, counted_with_facts, keys_of, movers

Named = tuple[sql.Composable, sql.Composable]  # a name and what it stands for


def cells_of_units_statement(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """As `cells_statement`, for a placement of several units, while `stints_of` them lasts."""
    keys = keys_of(reading)
    # Where each row is a fact, facts are counted with the sums of rows, unless somebody's share of facts is asked for.
    with_people = not reading.relation.fact_is_row or any(isinstance(measure, PersonShare) for measure in measures)
    added = [sql.SQL("facts"), *(named("n", position) for position, _ in countable(measures))] if with_people else []
    people = _people_by_row if reading.relation.fact_is_row else _people_by_fact
    percentiles = any(isinstance(measure, Distribution) for measure in measures)
    join = sql.SQL("FULL JOIN ({percentiles}) AS quantiles USING (unit_id, {keys})")
    return sql.SQL(
        """
        WITH {rows},
        {people},
        counted AS ({counted})
        SELECT *, facts AS matched_facts {by_method}
        FROM ({sums}) AS sums FULL JOIN counted USING (unit_id, {keys}) {quantiles}
        """
    ).format(
        rows=relation_rows(reading, measures),
        people=people(reading, measures, added),
        counted=(counted_with_facts if with_people else counted_people)(keys, measures),
        by_method=listed(by_method(measures)),
        sums=_sums(reading, sums_of_rows(measures), () if with_people else _counts_of_rows(measures)),
        keys=keys,
        quantiles=join.format(percentiles=_percentiles(reading, measures), keys=keys) if percentiles else sql.SQL(""),
    )


def _counts_of_rows(measures: Sequence[Measure]) -> Sequence[Named]:
    """Names of what is counted where each row is a fact: the facts, and n_i, those that entered."""
    entered = sql.SQL("count(*) FILTER (WHERE entered & {} <> 0)")
    return [
        (sql.SQL("facts"), sql.SQL("count(*)")),
        *((named("n", position), entered.format(sql.Literal(1 << position))) for position, _ in countable(measures)),
    ]


def _sums(reading: Reading, amounts: Sequence[Named], counts: Sequence[Named]) -> sql.Composed:
    """One row per cell with what is added up of its rows."""
    sums = [*amounts, *counts]
    told = [
        added_up(name for name, _ in amounts),
        *(sql.SQL(", sum({0})::bigint AS {0}").format(name) for name, _ in counts),
    ]
    of_paths = sql.SQL(
        """
        SELECT path_id, {stretches} {added}
        FROM (SELECT stint_id, {stretches} {sums} FROM relation_rows GROUP BY stint_id, {stretches}) AS of_stints
        JOIN metric_stint_path USING (stint_id)
        GROUP BY path_id, {stretches}
        """
    ).format(
        stretches=sql.SQL(", ").join(map(sql.Identifier, ("stretch", *segment_names(reading)))),
        sums=defined(sums),
        added=added_up(name for name, _ in sums),
    )
    return sql.SQL(
        """
        SELECT unit_id, {keys} {told}
        FROM (SELECT path_id, {keys} {added} FROM ({in_windows}) AS w GROUP BY path_id, {keys}) AS of_paths
        JOIN metric_path_unit USING (path_id)
        WHERE unit_id = ANY(%(ids)s)
        GROUP BY unit_id, {keys}
        """
    ).format(
        keys=keys_of(reading),
        told=sql.Composed(told),
        added=added_up(name for name, _ in sums),
        in_windows=in_windows(of_paths),
    )


def _people_by_row(reading: Reading, measures: Sequence[Measure], added: Sequence[sql.Composable]) -> sql.Composed:
    """people: one row per stint, window and segment, with the columns `added` of the facts.

    moved: who had several stints in a window; movers: see there.
    """
    return sql.SQL(
        """
        {of_stretches}
        people AS MATERIALIZED (
            SELECT stint_id, person_id, {keys}, bit_or(entered) AS entered {added}
            FROM ({people_of_stretches}) AS s
            GROUP BY stint_id, person_id, {keys}
        ),
        {moved},
        {movers}
        """
    ).format(
        of_stretches=people_of_stretches(reading, measures, "stint_id"),
        keys=keys_of(reading),
        added=added_up(added),
        people_of_stretches=in_windows(sql.SQL("SELECT * FROM people_of_stretches")),
        moved=MOVED,
        movers=movers(keys_of(reading), added),
    )


def _people_by_fact(reading: Reading, measures: Sequence[Measure], added: Sequence[sql.Composable]) -> sql.Composed:
    """As `_people_by_row`, of facts with several rows.

    A long fact with rows in two stints stands in none of people: its rows are read again, for each of their units, and
    whose it is counts in each tree as having moved.
    """
    keys = keys_of(reading)
    split_in_trees = sql.SQL(
        """
        UNION
        SELECT person_id, span, tree_id
        FROM facts CROSS JOIN (SELECT DISTINCT tree_id FROM metric_stint_path) AS trees
        WHERE stint_id <> last_stint_id
        """
    )
    entering = listed(
        sql.SQL("(entered & {} <> 0)::int AS {}").format(sql.Literal(1 << position), named("n", position))
        for position, _ in countable(measures)
    )
    split = sql.SQL(
        """
        UNION ALL
        SELECT unit_id, person_id, {keys}, entered, 1 {entering}
        FROM (
            SELECT unit_id, person_id, {keys}, fact_id, bit_or(entered) AS entered
            FROM ({rows}) AS r
            JOIN (SELECT person_id, fact_id, {keys} FROM facts WHERE stint_id <> last_stint_id) AS split
              USING (person_id, fact_id, {keys})
            JOIN metric_stint_path USING (stint_id)
            JOIN metric_path_unit USING (path_id)
            WHERE unit_id = ANY(%(ids)s)
            GROUP BY unit_id, person_id, {keys}, fact_id
        ) AS split
        """
    ).format(keys=keys, entering=entering, rows=rows_of_long_facts(reading, "stint_id"))
    return sql.SQL(
        """
        {of_stretches}
        facts AS MATERIALIZED (
            SELECT person_id, fact_id, {keys}, min(stint_id) AS stint_id, max(stint_id) AS last_stint_id,
                   bit_or(entered) AS entered
            FROM ({rows}) AS r
            GROUP BY person_id, fact_id, {keys}
        ),
        people AS MATERIALIZED (
            SELECT stint_id, person_id, {keys}, sum(facts) AS facts, bit_or(entered) AS entered {added}
            FROM (
                SELECT stint_id, person_id, {keys}, facts, entered {names} FROM ({people_of_stretches}) AS s
                UNION ALL
                SELECT stint_id, person_id, {keys}, 1, entered {entering} FROM facts WHERE stint_id = last_stint_id
            ) AS facts
            GROUP BY stint_id, person_id, {keys}
        ),
        moved AS MATERIALIZED (
            SELECT person_id, span
            FROM (
                SELECT person_id, span, stint_id, stint_id AS last_stint_id FROM people
                UNION ALL
                SELECT person_id, span, stint_id, last_stint_id FROM facts WHERE stint_id <> last_stint_id
            ) AS stints
            GROUP BY person_id, span
            HAVING min(stint_id) <> max(last_stint_id)
        ),
        {movers}
        """
    ).format(
        of_stretches=people_of_stretches(reading, measures, "stint_id"),
        keys=keys,
        rows=rows_of_long_facts(reading, "stint_id"),
        added=added_up(named("n", position) for position, _ in countable(measures)),
        names=listed(named("n", position) for position, _ in countable(measures)),
        people_of_stretches=in_windows(sql.SQL("SELECT * FROM people_of_stretches")),
        entering=entering,
        movers=movers(keys, added, split_in_trees, split),
    )


def _percentiles(reading: Reading, measures: Sequence[Measure]) -> sql.Composed:
    """Those of each unit: the values of its paths are sorted alone, not with those of all units."""
    positions = [position for position, measure in enumerate(measures) if isinstance(measure, Distribution)]
    values = sql.SQL("array_agg({0}::float8) FILTER (WHERE {0} IS NOT NULL) AS {1}")
    quantile = sql.SQL(
        """
        (SELECT percentile_cont(%(percentiles)s::float8[]) WITHIN GROUP (ORDER BY value)
         FROM unnest({}) AS list (of_path float8[]), unnest(of_path) AS value) AS {}
        """
    )
    return sql.SQL(
        """
        SELECT unit_id, {keys} {quantiles}
        FROM (
            SELECT unit_id, {keys} {lists}
            FROM (
                SELECT path_id, {keys} {values}
                FROM ({rows}) AS r JOIN metric_stint_path USING (stint_id)
                GROUP BY path_id, {keys}
            ) AS of_paths
            JOIN metric_path_unit USING (path_id)
            WHERE unit_id = ANY(%(ids)s)
            GROUP BY unit_id, {keys}
        ) AS of_units
        """
    ).format(
        keys=keys_of(reading),
        quantiles=listed(quantile.format(named("a", position), named("q", position)) for position in positions),
        lists=listed(sql.SQL("array_agg(ROW({0})) AS {0}").format(named("a", position)) for position in positions),
        values=listed(values.format(named("c", position), named("a", position)) for position in positions),
        rows=in_windows(sql.SQL("SELECT * FROM relation_rows")),
    )

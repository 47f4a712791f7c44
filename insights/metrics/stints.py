"""Who counts for which units when, as temporary tables: what statements that ask of many units join.

Joining placements themselves would multiply every fact by the units above its person, in every tree, before anything
is added up (docs/decisions/0011).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

from django.db import connection, transaction

from insights.metrics.query import Window


@contextmanager
def stints_of(units: Collection[int], days: Window, today: date) -> Iterator[None]:
    """While it lasts, statements can read who counts for these units on these days and today; it is one transaction.

    metric_stint has one row per person and stretch of days with the same units: id, person_id, first_day and end_day,
    which no longer belongs to it.  metric_stint_path has one row per stint and tree: the path is the units of the tree
    for which the person counts then, which many people have in common.  metric_path_unit lists the units of a path.
    """
    start, end = min(days.start, today), max(days.end, today + timedelta(days=1))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STINTS_AND_PATHS, {"units": list(units), "start": start, "end": end})
        for statement in _TABLES:
            cursor.execute(statement)
        yield
        cursor.execute("DROP TABLE metric_stint_tree, metric_stint, metric_stint_path, metric_path_unit")


_STINTS_AND_PATHS = """
    CREATE TEMPORARY TABLE metric_stint_tree AS
    WITH placed AS MATERIALIZED (
        SELECT person_id, tree_id, ancestor_id,
               greatest(lower(during), %(start)s::date) AS first_day,
               least(upper(during), %(end)s::date) AS end_day
        FROM orgtree_placement
        WHERE ancestor_id = ANY(%(units)s::bigint[]) AND during && daterange(%(start)s, %(end)s)
    ), borders AS (
        SELECT person_id, first_day AS day FROM placed UNION SELECT person_id, end_day FROM placed
    ), stretches AS (
        SELECT person_id, day AS first_day, lead(day) OVER (PARTITION BY person_id ORDER BY day) AS end_day
        FROM borders
    ), paths AS (
        SELECT stretches.person_id, stretches.first_day, stretches.end_day, placed.tree_id,
               array_agg(placed.ancestor_id ORDER BY placed.ancestor_id) AS units
        FROM stretches
        JOIN placed ON placed.person_id = stretches.person_id
         AND placed.first_day <= stretches.first_day AND stretches.first_day < placed.end_day
        GROUP BY stretches.person_id, stretches.first_day, stretches.end_day, placed.tree_id
    )
    SELECT dense_rank() OVER (ORDER BY person_id, first_day)::int AS stint_id,
           dense_rank() OVER (ORDER BY units)::int AS path_id,
           person_id, first_day, end_day, units
    FROM paths
"""

_TABLES = (
    """
    CREATE TEMPORARY TABLE metric_stint AS
    SELECT DISTINCT stint_id AS id, person_id, first_day, end_day FROM metric_stint_tree
    """,
    "CREATE TEMPORARY TABLE metric_stint_path AS SELECT stint_id, path_id FROM metric_stint_tree",
    """
    CREATE TEMPORARY TABLE metric_path_unit AS
    SELECT DISTINCT path_id, unnest(units) AS unit_id FROM metric_stint_tree
    """,
    "ANALYZE metric_stint, metric_stint_path, metric_path_unit",  # nobody else would: the planner knows nothing of them
)

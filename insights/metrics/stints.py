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
from integrations.facts.ownership import OWNER_PLACEMENTS


@contextmanager
def stints_of(units: Collection[int], days: Window, today: date) -> Iterator[None]:
    """While it lasts, statements can read who counts for these units on these days and today; it is one transaction.

    metric_stint has one row per person and stretch of days with the same units: id, person_id, first_day and end_day,
    which no longer belongs to it; and as many of what is owned, with owned_id instead, and repository_id where it is
    one.  metric_stint_path has one row per stint and tree: the path is the units of the tree for which the person
    counts then, which many people have in common; stints that differ in another tree have the same.  metric_path_unit
    lists the units of a path.
    """
    start, end = min(days.start, today), max(days.end, today + timedelta(days=1))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STINTS_AND_PATHS, {"units": list(units), "start": start, "end": end})
        cursor.execute(_TABLES)
        yield
        cursor.execute("DROP TABLE metric_stint_tree, metric_stint, metric_stint_path, metric_path_unit")


# What is owned stands among the people with the negative of its id.
_STINTS_AND_PATHS = f"""
    CREATE TEMPORARY TABLE metric_stint_tree AS
    WITH placed AS MATERIALIZED (
        SELECT placed_id, tree_id, ancestor_id,
               greatest(lower(during), %(start)s::date) AS first_day,
               least(upper(during), %(end)s::date) AS end_day
        FROM (
            SELECT person_id AS placed_id, tree_id, ancestor_id, during FROM orgtree_placement
            UNION ALL
            SELECT -owned_id, tree_id, ancestor_id, during FROM ({OWNER_PLACEMENTS}) AS owners
        ) AS placements
        WHERE ancestor_id = ANY(%(units)s::bigint[]) AND during && daterange(%(start)s, %(end)s)
    ), borders AS (
        SELECT placed_id, first_day AS day FROM placed UNION SELECT placed_id, end_day FROM placed
    ), stretches AS (
        SELECT placed_id, day AS first_day, lead(day) OVER (PARTITION BY placed_id ORDER BY day) AS end_day
        FROM borders
    ), paths AS (
        SELECT stretches.placed_id, stretches.first_day, stretches.end_day, placed.tree_id,
               array_agg(placed.ancestor_id ORDER BY placed.ancestor_id) AS units
        FROM stretches
        JOIN placed ON placed.placed_id = stretches.placed_id
         AND placed.first_day <= stretches.first_day AND stretches.first_day < placed.end_day
        GROUP BY stretches.placed_id, stretches.first_day, stretches.end_day, placed.tree_id
    )
    SELECT dense_rank() OVER (ORDER BY placed_id, first_day)::int AS stint_id,
           dense_rank() OVER (ORDER BY units)::int AS path_id,
           placed_id, first_day, end_day, tree_id, units
    FROM paths
"""  # noqa: S608  # a constant

# The planner takes who moved for one person, and looks for each of thousands in these tables: so they have indexes.
# Nobody else would analyse them.
_TABLES = """
    CREATE TEMPORARY TABLE metric_stint AS
    SELECT DISTINCT stint_id AS id, first_day, end_day,
           CASE WHEN placed_id > 0 THEN placed_id END AS person_id,
           CASE WHEN placed_id < 0 THEN -placed_id END AS owned_id, owned.repository_id
    FROM metric_stint_tree LEFT JOIN integrations_owned owned ON owned.id = -placed_id;
    CREATE TEMPORARY TABLE metric_stint_path AS SELECT stint_id, path_id, tree_id FROM metric_stint_tree;
    CREATE TEMPORARY TABLE metric_path_unit AS
    SELECT DISTINCT path_id, unnest(units) AS unit_id FROM metric_stint_tree;
    CREATE INDEX ON metric_stint_path (stint_id);
    CREATE INDEX ON metric_path_unit (path_id);
    ANALYZE metric_stint, metric_stint_path, metric_path_unit
"""

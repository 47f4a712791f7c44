"""Before and after adoption and the cohorts of use, each in one statement of PostgreSQL over the published relations.

A second opinion, which shares nothing with the engine: PostgreSQL places, counts days, takes means and sorts for the
median.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection
from psycopg import sql

from insights.query.query import Dimension, Query
from insights.query.windows import local_today
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.developers import DEVELOPERS_ON_LINES
from integrations.facts.pull_requests import MERGED_PULL_REQUESTS


def courses(query: Query) -> list[tuple[Any, ...]]:
    """Person, whether they took up an agent, border, pull requests before and after, mean seconds before and after."""
    return _fetch(_COURSES, query)


def cohorts(query: Query) -> dict[str, list[Any]]:
    """Developers, their weeks at work, pull requests and median cycle time, by cohort."""
    return {row[0]: list(row[1:]) for row in _fetch(_COHORTS, query)}


def _fetch(statement: sql.SQL, query: Query) -> list[tuple[Any, ...]]:
    """The rows of a statement, limited to pull requests of the query's work types."""
    composed = statement.format(
        pulls=_PLACED.format(
            columns=sql.SQL("source.person_id, source.day, source.cycle_seconds AS cycle"),
            relation=sql.SQL(MERGED_PULL_REQUESTS.sql),
            narrowed=sql.SQL("AND (%(work_types)s::text[] IS NULL OR source.work_type = ANY(%(work_types)s))"),
        ),
        activity=_PLACED.format(
            columns=sql.SQL("source.person_id, source.day, source.signs"),
            relation=sql.SQL(DEVELOPERS_ON_LINES.sql),
            narrowed=sql.SQL(""),
        ),
        sessions=sql.SQL(AGENT_SESSIONS.sql),
    )
    with connection.cursor() as cursor:
        cursor.execute(composed, _parameters(query))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def _parameters(query: Query) -> Mapping[str, Any]:
    end = min(query.window.end, local_today() + timedelta(days=1))
    work_types = query.facets.get(Dimension.WORK_TYPE)
    return {
        "unit": query.scope.unit,
        "start": query.window.start,
        "end": query.window.end,
        "work_types": None if work_types is None else list(work_types),
        "first_border": query.window.start + timedelta(days=14),
        "last_border": end - timedelta(days=14),
        "come_to": end,
    }


_PLACED = sql.SQL(
    """
    SELECT {columns} FROM ({relation}) AS source
    WHERE source.person_id IS NOT NULL AND source.day >= %(start)s AND source.day < %(end)s {narrowed}
      AND (%(unit)s::text IS NULL OR EXISTS (
          SELECT FROM orgtree_placement placement JOIN orgtree_unit unit ON unit.id = placement.ancestor_id
          WHERE placement.person_id = source.person_id AND unit.slug = %(unit)s AND placement.during @> source.day
      ))
    """
)

_COURSES = sql.SQL(
    """
    WITH pulls AS MATERIALIZED (
        SELECT * FROM ({pulls}) AS p WHERE cycle IS NOT NULL
    ), first AS (
        SELECT person_id, min(day) AS day FROM ({sessions}) AS s
        WHERE day < %(come_to)s::date AND person_id IN (SELECT person_id FROM pulls)
        GROUP BY person_id
    ), border AS (
        SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY day) AS day FROM first
        WHERE day BETWEEN %(first_border)s::date AND %(last_border)s::date
    ), authors AS (
        SELECT DISTINCT pulls.person_id, first.day IS NOT NULL AS took_up, coalesce(first.day, border.day) AS border
        FROM pulls LEFT JOIN first USING (person_id) CROSS JOIN border
    )
    SELECT person_id, took_up, border,
           count(*) FILTER (WHERE day < border) AS before,
           count(*) FILTER (WHERE day >= border) AS after,
           avg(cycle) FILTER (WHERE day < border) AS cycle_before,
           avg(cycle) FILTER (WHERE day >= border) AS cycle_after
    FROM pulls JOIN authors USING (person_id)
    WHERE border BETWEEN %(first_border)s::date AND %(last_border)s::date
    GROUP BY person_id, took_up, border
    HAVING count(*) FILTER (WHERE day < border) > 0 AND count(*) FILTER (WHERE day >= border) > 0
    ORDER BY person_id
    """
)

_COHORTS = sql.SQL(
    """
    WITH cohorts AS (
        SELECT person_id, weeks,
               CASE WHEN days = 0 THEN 'none' WHEN days < weeks THEN 'light'
                    WHEN days < 3 * weeks THEN 'moderate' ELSE 'heavy' END AS cohort
        FROM (
            SELECT person_id,
                   count(DISTINCT day) FILTER (WHERE signs & 4 <> 0) AS days,
                   count(DISTINCT date_trunc('week', day)) AS weeks
            FROM ({activity}) AS a GROUP BY person_id
        ) AS used
    ), merged AS (
        SELECT cohort, count(*) AS merged, percentile_cont(0.5) WITHIN GROUP (ORDER BY pulls.cycle) AS cycle
        FROM ({pulls}) AS pulls JOIN cohorts USING (person_id)
        GROUP BY cohort
    )
    SELECT cohort, count(*), sum(weeks)::int, coalesce(max(merged), 0), max(cycle)
    FROM cohorts LEFT JOIN merged USING (cohort)
    GROUP BY cohort
    """
)

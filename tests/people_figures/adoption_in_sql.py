"""Before and after adoption and the cohorts of use, each in one statement of its own: how they were read at first.

A second opinion, in which PostgreSQL counts days, takes means and sorts for the median.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection
from psycopg import sql

from insights.metrics.developer_facts import people_of, pulls_of
from insights.metrics.query import MetricQuery
from insights.metrics.source import parameters, placed_rows_statement
from insights.windows import local_today
from integrations.facts.ai import AGENT_SESSIONS

DAY = [sql.SQL("source.day AS day")]


def courses(query: MetricQuery) -> list[tuple[Any, ...]]:
    """Person, whether they took up an agent, border, pull requests before and after, mean seconds before and after."""
    need = pulls_of(query)
    reading = need.of_facts.of_whole()
    end = min(query.window.end, local_today() + timedelta(days=1))
    statement = _COURSES.format(
        pulls=placed_rows_statement(reading, [need.measure], DAY), sessions=sql.SQL(AGENT_SESSIONS.sql)
    )
    borders = {
        "first_border": query.window.start + timedelta(days=14),
        "last_border": end - timedelta(days=14),
        "come_to": end,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, {**parameters(reading), **borders})
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def cohorts(query: MetricQuery) -> dict[str, tuple[Any, ...]]:
    """By cohort: developers, their weeks at work, pull requests, and median cycle time."""
    pulls, people = pulls_of(query), people_of(query)
    of_pulls, of_people = pulls.of_facts.of_whole(), people.of_facts.of_whole()
    statement = _COHORTS.format(
        people=placed_rows_statement(of_people, [people.measure], DAY),
        pulls=placed_rows_statement(of_pulls, [pulls.measure]),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {**parameters(of_people), **parameters(of_pulls)})
        return {name: told for name, *told in cursor.fetchall()}


_COURSES = sql.SQL(
    """
    WITH pulls AS MATERIALIZED (
        SELECT person_id, day, c_0::float8 AS cycle FROM ({pulls}) AS p WHERE person_id > 0 AND c_0 IS NOT NULL
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
                   count(DISTINCT day) FILTER (WHERE c_0 & 4 <> 0) AS days,
                   count(DISTINCT date_trunc('week', day)) AS weeks
            FROM ({people}) AS p WHERE person_id > 0 GROUP BY person_id
        ) AS used
    ), merged AS (
        SELECT cohort, count(*) AS merged, percentile_cont(0.5) WITHIN GROUP (ORDER BY pulls.c_0::float8) AS cycle
        FROM ({pulls}) AS pulls JOIN cohorts USING (person_id)
        GROUP BY cohort
    )
    SELECT cohort, count(*), sum(weeks)::int, coalesce(max(merged), 0), max(cycle)
    FROM cohorts LEFT JOIN merged USING (cohort)
    GROUP BY cohort
    """
)

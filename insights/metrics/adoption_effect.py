"""The same people before and after they took up an agent, and developers by how much they use agents.

Nobody was told by lot whether to use an agent: both are associations.  Whoever has no merged pull request before or
after is in neither group of the first, and whoever did nothing at all in none of the second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.db import connection
from psycopg import sql

from insights.formulas.differences import Interval, Values, difference_of_means
from insights.metrics.comparison import LINE_DIMENSIONS, seed_of
from insights.metrics.line_counts import per_developer
from insights.metrics.plan import Clock, Plan, plan
from insights.metrics.query import MetricQuery
from insights.metrics.source import parameters, placed_rows_statement
from integrations.facts.ai import AGENT_SESSIONS
from integrations.facts.developers import IN_SESSION

CYCLE_TIME, MERGED = "pr.cycle_time", "pr.merged_per_developer"
LEAST_DAYS = 14  # before, and after: a rate of less is chance
# By days with a session in a week in which the developer did anything: none, less than 1, less than 3, and more.
COHORTS = ("none", "light", "moderate", "heavy")


@dataclass(frozen=True)
class Course:
    """Means over a group's developers, of pull requests a week and of seconds from open to merge."""

    developers: int
    merged_before: float | None
    merged_after: float | None
    cycle_before: float | None
    cycle_after: float | None


@dataclass(frozen=True)
class Effect:
    """Who took up an agent in the window beside who never did; the intervals are of the differences in differences."""

    took_up: Course
    did_not: Course
    merged: float | None
    merged_interval: Interval | None
    cycle: float | None
    cycle_interval: Interval | None

    @property
    def group_sizes(self) -> Sequence[int]:
        return self.took_up.developers, self.did_not.developers


@dataclass(frozen=True)
class Cohort:
    """Developers by their days with a session a week.

    Their pull requests ÷ the weeks in which they did anything, and the median cycle time of these pull requests.
    """

    name: str
    developers: int
    merged: int
    merged_per_week: float | None
    cycle_seconds: float | None


def read_effect(query: MetricQuery) -> Effect:
    """Difference in differences: how takers changed, less how the others changed at the same time.

    For a taker the border is the day of the first session ever; for the others the median of these days.
    `query` gives window, scope and facets; those of agents are not heeded.
    """
    each = _planned(query, CYCLE_TIME)
    pulls = each.needs[each.metric.sampled]
    reading = pulls.of_facts.of_whole()
    end = min(query.window.end, each.clock.tomorrow)
    rows = _fetch(
        _COURSES.format(
            pulls=placed_rows_statement(reading, [pulls.measure], [sql.SQL("source.day AS day")]),
            sessions=sql.SQL(AGENT_SESSIONS.sql),
        ),
        {
            **parameters(reading),
            "first_border": query.window.start + timedelta(days=LEAST_DAYS),
            "last_border": end - timedelta(days=LEAST_DAYS),
            "come_to": end,
        },
    )
    groups = {took_up: [row for row in rows if row["took_up"] is took_up] for took_up in (True, False)}
    changes = {
        name: [_changes(groups[took_up], name, query.window.start, end) for took_up in (True, False)]
        for name in ("merged", "cycle")
    }
    merged, merged_interval = _effect(changes["merged"], seed_of(query, "merged"))
    cycle, cycle_interval = _effect(changes["cycle"], seed_of(query, "cycle"))
    courses = [_course(groups[took_up], query.window.start, end) for took_up in (True, False)]
    return Effect(courses[0], courses[1], merged, merged_interval, cycle, cycle_interval)


def read_cohorts(query: MetricQuery) -> list[Cohort]:
    """Everybody who did anything in the window, by how often they use agents."""
    pulls_plan, people_plan = _planned(query, CYCLE_TIME), _planned(query, MERGED)
    pulls = pulls_plan.needs[pulls_plan.metric.sampled]
    people = people_plan.needs[per_developer(people_plan).denominator]
    pulls_reading, people_reading = pulls.of_facts.of_whole(), people.of_facts.of_whole()
    rows = _fetch(
        _COHORTS.format(
            people=placed_rows_statement(people_reading, [people.measure], [sql.SQL("source.day AS day")]),
            pulls=placed_rows_statement(pulls_reading, [pulls.measure]),
            in_session=sql.Literal(IN_SESSION),
        ),
        {**parameters(people_reading), **parameters(pulls_reading)},
    )
    found = {row["cohort"]: row for row in rows}
    return [_cohort(name, found.get(name)) for name in COHORTS]


def _planned(query: MetricQuery, key: str) -> Plan:
    facets = {name: values for name, values in query.facets.items() if name not in LINE_DIMENSIONS}
    return plan(replace(query, key=key, segments=(), facets=facets, statistic=None), Clock.read())


def _changes(rows: Sequence[Mapping[str, Any]], name: str, start: date, end: date) -> list[float]:
    """After less before, of each developer."""
    if name == "cycle":
        return [row["cycle_after"] - row["cycle_before"] for row in rows]
    return [after - before for before, after in (_rates(row, start, end) for row in rows)]


def _rates(row: Mapping[str, Any], start: date, end: date) -> tuple[float, float]:
    """Pull requests a week before and after."""
    border: date = row["border"]
    return row["before"] / ((border - start).days / 7), row["after"] / ((end - border).days / 7)


def _effect(changes: Sequence[Sequence[float]], seed: int) -> tuple[float | None, Interval | None]:
    import numpy as np

    if not all(changes):
        return None, None
    first, second = (np.array(each) for each in changes)
    takers, others = np.arange(len(first)), np.arange(len(second)) + len(first)
    interval = difference_of_means(Values(first, takers), Values(second, others), seed=seed)
    return float(first.mean() - second.mean()), interval


def _course(rows: Sequence[Mapping[str, Any]], start: date, end: date) -> Course:
    rates = [_rates(row, start, end) for row in rows]
    return Course(
        len(rows),
        _mean([before for before, _ in rates]),
        _mean([after for _, after in rates]),
        _mean([row["cycle_before"] for row in rows]),
        _mean([row["cycle_after"] for row in rows]),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _cohort(name: str, row: Mapping[str, Any] | None) -> Cohort:
    if row is None:
        return Cohort(name, 0, 0, None, None)
    return Cohort(name, row["developers"], row["merged"], row["merged"] / row["weeks"], row["cycle"])


def _fetch(statement: sql.Composed, values: Mapping[str, Any]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


_COURSES = sql.SQL(
    """
    WITH pulls AS MATERIALIZED (
        SELECT person_id, day, c_0::float8 AS cycle FROM ({pulls}) AS p WHERE person_id <> 0 AND c_0 IS NOT NULL
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
                   count(DISTINCT day) FILTER (WHERE c_0 & {in_session} <> 0) AS days,
                   count(DISTINCT date_trunc('week', day)) AS weeks
            FROM ({people}) AS p WHERE person_id <> 0 GROUP BY person_id
        ) AS used
    ), merged AS (
        SELECT cohort, count(*) AS merged, percentile_cont(0.5) WITHIN GROUP (ORDER BY pulls.c_0::float8) AS cycle
        FROM ({pulls}) AS pulls JOIN cohorts USING (person_id)
        GROUP BY cohort
    )
    SELECT cohort, count(*) AS developers, sum(weeks)::int AS weeks, coalesce(max(merged), 0) AS merged,
           max(cycle) AS cycle
    FROM cohorts LEFT JOIN merged USING (cohort)
    GROUP BY cohort
    """
)

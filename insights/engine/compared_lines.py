"""Work on two lines: that of an agent, or of any agent, and Non-AI work; what each developer did on each of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from insights.catalogue.shares import PerDeveloper
from insights.engine.fact_query import FactQuery
from insights.engine.measures import IS_ON_LINE
from insights.engine.plan import Clock, Plan, ScopeResolver, plan_query
from insights.engine.scan import select
from insights.query.measures import Measure, PeopleOnLine, Total
from insights.query.query import Dimension, Query

ANY_AGENT, WITHOUT = "AI", "Non-AI"  # as the relations call them
LINE_DIMENSIONS = (Dimension.AGENT, Dimension.ASSISTANCE)


def plan_of_lines(query: Query, line: str, clock: Clock, scopes: ScopeResolver) -> Plan:
    """The plan split and filtered by the two lines.  Raises QueryError where the query cannot be answered."""
    dimension = Dimension.ASSISTANCE if line == ANY_AGENT else Dimension.AGENT
    facets = {name: values for name, values in query.facets.items() if name not in LINE_DIMENSIONS}
    line_query = replace(query, segments=(dimension,), facets={**facets, dimension: (line, WITHOUT)})
    return plan_query(line_query, clock, scopes)


def seed_of(query: Query, line: str) -> int:
    """A seed for the bootstrap: equal queries draw the same developers."""
    facets = sorted(query.facets.items())
    parts = (query.key, query.window, query.granularity, query.scope, facets, query.statistic, line)
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8])


# Developer (None: unmatched, and autonomous agents) and line → count.
Amounts = Mapping[tuple[int | None, str], int]


def buckets_on_line(plan: Plan) -> Amounts:
    """The number of the plan's buckets in which each developer was on each line."""
    measure_query = plan.measure_queries[per_developer(plan).denominator]
    if not isinstance(measure_query.measure, PeopleOnLine):
        raise TypeError(f"{plan.metric.key} does not divide by the people on a line.")
    return _by_developer(plan.in_buckets(measure_query), measure_query.measure, _WINDOWS)


def amounts_of(plan: Plan, measure: Measure) -> Amounts:
    """The measure of each developer on each line, the plan's only segment: a number of facts, or a sum."""
    return _of_window(plan, measure, _SUMS if isinstance(plan.measure_queries[measure].measure, Total) else _FACTS)


def facts_behind(plan: Plan, measure: Measure) -> Amounts:
    """The number of facts that enter the measure, of each developer on each line."""
    return _of_window(plan, measure, _ENTERING if isinstance(plan.measure_queries[measure].measure, Total) else _FACTS)


def per_developer(plan: Plan) -> PerDeveloper:
    """The plan's metric.  Raises TypeError where it is of another kind."""
    if not isinstance(plan.metric, PerDeveloper):
        raise TypeError(f"{plan.metric.key} is not per developer.")
    return plan.metric


def _of_window(plan: Plan, measure: Measure, amounts: str) -> Amounts:
    measure_query = plan.measure_queries[measure]
    return _by_developer(measure_query.fact_query.over_whole_window(), measure_query.measure, amounts)


def _by_developer(fact_query: FactQuery, measure: Measure, amounts: str) -> Amounts:
    """One row with lists: tens of thousands of rows take longer than the statement."""
    rows = select(fact_query, [measure], _LISTS.format(amounts=amounts))
    counts: Counter[tuple[int | None, str]] = Counter()
    for row in rows:
        if row["developers"] is not None:
            counts.update(dict(zip(zip(row["developers"], row["lines"], strict=True), row["amounts"], strict=True)))
    return counts


_LISTS = """
    SELECT list(developer) AS developers, list(line) AS lines, list(amount) AS amounts
    FROM (
        SELECT CASE WHEN person_id > 0 THEN person_id END AS developer, segment_0 AS line,
               coalesce(sum(amount), 0) AS amount
        FROM ({amounts})
        GROUP BY ALL
    )
"""
_FACTS = "SELECT person_id, segment_0, count(DISTINCT fact_id) AS amount FROM counted GROUP BY ALL"
_ENTERING = "SELECT person_id, segment_0, count(DISTINCT fact_id) AS amount FROM counted WHERE c_0 <> 0 GROUP BY ALL"
_SUMS = "SELECT person_id, segment_0, sum(c_0)::DOUBLE AS amount FROM counted GROUP BY ALL"
_WINDOWS = f"""
    SELECT person_id, segment_0, count(*) AS amount
    FROM (
        SELECT person_id, segment_0, window_id, bit_or(c_0) AS signs FROM counted WHERE person_id <> 0 GROUP BY ALL
    )
    WHERE {IS_ON_LINE}
    GROUP BY ALL
"""  # a constant

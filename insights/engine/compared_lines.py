"""Work on two lines (an agent's or any agent's, and Non-AI), and each developer's part in each of them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

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
    """The plan, split and filtered by the two lines.  Raises QueryError if the query cannot be answered."""
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
    [buckets] = _by_developer(plan.in_buckets(measure_query), [measure_query.measure], _WINDOWS)
    return buckets


@dataclass(frozen=True)
class Amount:
    """A measure by developer and line: its sum or number of facts; with `facts`, how many facts enter it."""

    measure: Measure
    facts: bool = False

    def aggregate(self, i: int) -> str:
        """The aggregate in SQL over `counted`, for the measure at position `i`."""
        if not isinstance(self.measure, Total):
            return "count(DISTINCT fact_id)"
        return f"count(DISTINCT fact_id) FILTER (WHERE c_{i} <> 0)" if self.facts else f"sum(c_{i})::DOUBLE"


def amounts_of(plan: Plan, *amounts: Amount) -> list[Amounts]:
    """The amounts in order, over the whole window, one statement per fact query; lines are the plan's only segment."""
    measures: dict[FactQuery, dict[Amount, Measure]] = defaultdict(dict)
    for amount in amounts:
        measure_query = plan.measure_queries[amount.measure]
        measures[measure_query.fact_query.over_whole_window()][amount] = measure_query.measure
    found: dict[Amount, Amounts] = {}
    for fact_query, of_query in measures.items():
        aggregates = ", ".join(f"{amount.aggregate(i)} AS amount_{i}" for i, amount in enumerate(of_query))
        by_person = f"SELECT person_id, segment_0, {aggregates} FROM counted GROUP BY ALL"
        found |= zip(of_query, _by_developer(fact_query, [*of_query.values()], by_person), strict=True)
    return [found[amount] for amount in amounts]


def per_developer(plan: Plan) -> PerDeveloper:
    """The plan's metric.  Raises TypeError if it is not a metric per developer."""
    if not isinstance(plan.metric, PerDeveloper):
        raise TypeError(f"{plan.metric.key} is not per developer.")
    return plan.metric


def _by_developer(fact_query: FactQuery, measures: Sequence[Measure], by_person: str) -> list[Amounts]:
    """Runs `by_person`, which selects an amount of each measure by person and line.

    It returns one row with lists, because tens of thousands of rows take longer than the statement itself.
    """
    number = len(measures)
    lists = "".join(f", list(amount_{i}) AS amounts_{i}" for i in range(number))
    sums = "".join(f", coalesce(sum(amount_{i}), 0) AS amount_{i}" for i in range(number))
    by_developer: list[Amounts] = [{} for _ in range(number)]
    for row in select(fact_query, measures, _LISTS.format(lists=lists, sums=sums, by_person=by_person)):
        if row["developers"] is not None:
            keys = list(zip(row["developers"], row["lines"], strict=True))
            by_developer = [dict(zip(keys, row[f"amounts_{i}"], strict=True)) for i in range(number)]
    return by_developer


_LISTS = """
    SELECT list(developer) AS developers, list(line) AS lines{lists}
    FROM (
        SELECT CASE WHEN person_id > 0 THEN person_id END AS developer, segment_0 AS line{sums}
        FROM ({by_person})
        GROUP BY ALL
    )
"""
_WINDOWS = f"""
    SELECT person_id, segment_0, count(*) AS amount_0
    FROM (
        SELECT person_id, segment_0, window_id, bit_or(c_0) AS signs FROM counted WHERE person_id <> 0 GROUP BY ALL
    )
    WHERE {IS_ON_LINE}
    GROUP BY ALL
"""  # a constant

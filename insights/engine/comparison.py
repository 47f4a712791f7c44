"""Compares work on one line (an agent's, or any agent's) with Non-AI work: both groups and their difference.

Intervals of the difference are computed by insights/formulas/differences.py, the margins of error of each bucket of
both lines by insights/formulas/error_margins.py.  Unmatched facts belong to no developer: groups and margins leave them
out, and they are counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from insights.catalogue.declarations import Duration, Ratio
from insights.catalogue.shares import PerDeveloper
from insights.engine.fact_query import FactQuery, GroupKey
from insights.engine.live_rows import rows_of_answer
from insights.engine.measures import IS_ON_LINE, PERCENTILES
from insights.engine.plan import Clock, Plan, ScopeResolver, plan_query
from insights.engine.scan import derive, scan, select
from insights.formulas.bootstrap import Totals, Values, percentile_of
from insights.formulas.differences import (
    FEWEST_DEVELOPERS,
    ConfidenceInterval,
    difference_of_means,
    difference_of_percentiles,
    difference_of_quotients,
)
from insights.formulas.error_margins import Counted, ErrorMargin, margin_of_mean, margin_of_median, margin_of_rate
from insights.query.enums import UnitOfMeasure
from insights.query.measures import Measure, PeopleOnLine, Total
from insights.query.query import Dimension, Query, Statistic

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers

BYTES_OF_A_COMPARISON = 2000  # in the cache
ANY_AGENT, WITHOUT = "AI", "Non-AI"  # as the relations call them


@dataclass(frozen=True)
class Group:
    """One of the two lines: its value, and the facts and distinct developers behind it."""

    value: float | None
    facts: int
    developers: int
    contributors: int  # developers with any of the facts


@dataclass(frozen=True)
class Comparison:
    """`line` (an agent, or any) compared with Non-AI; `unmatched` facts belong to no known developer and neither group.

    `interval` is the confidence interval of the difference, the line's value minus Non-AI's; None for `reason`.
    """

    query: Query
    line: str
    first: Group
    second: Group
    interval: ConfidenceInterval | None
    reason: str
    unmatched: int = 0
    withheld: bool = False

    @property
    def group_sizes(self) -> tuple[int, ...]:
        """The sizes of all groups of people that it reveals."""
        return tuple(number for group in (self.first, self.second) for number in (group.developers, group.contributors))

    def hidden(self, reason: str) -> Comparison:
        """The comparison without any values."""
        empty = Group(None, 0, 0, 0)
        return replace(self, first=empty, second=empty, interval=None, reason=reason, unmatched=0, withheld=True)

    @property
    def difference(self) -> float | None:
        if self.first.value is None or self.second.value is None:
            return None
        return self.first.value - self.second.value


@rows_of_answer()
def read_comparisons(queries: Sequence[Query], line: str) -> list[Comparison]:
    """Compare durations, ratios or values per developer, in order, in one snapshot; facets by agent are ignored.

    Raises QueryError where one of the queries cannot be answered.
    """
    clock, scopes = Clock.read(), ScopeResolver()
    plans = [plan_of_lines(query, line, clock, scopes) for query in queries]
    return [
        derive(
            ("comparison", query, line, plan.measure_queries),
            partial(_compared, plan, query, line),
            lambda _: BYTES_OF_A_COMPARISON,
        )
        for plan, query in zip(plans, queries, strict=True)
    ]


def _compared(plan: Plan, query: Query, line: str) -> Comparison:
    if isinstance(plan.metric, PerDeveloper):
        done = amounts_of(plan, plan.metric.numerator)
        return _of_quotients(query, line, done, buckets_on_line(plan), done)
    if isinstance(plan.metric, Duration):
        return _of_durations(plan, plan.metric, query, line)
    if isinstance(plan.metric, Ratio):
        return _of_ratios(plan, plan.metric, query, line)
    raise TypeError(f"{query.key} is not compared.")


LINE_DIMENSIONS = (Dimension.AGENT, Dimension.ASSISTANCE)


def plan_of_lines(query: Query, line: str, clock: Clock, scopes: ScopeResolver) -> Plan:
    """The plan split and filtered by the two lines.  Raises QueryError where the query cannot be answered."""
    dimension = Dimension.ASSISTANCE if line == ANY_AGENT else Dimension.AGENT
    facets = {name: values for name, values in query.facets.items() if name not in LINE_DIMENSIONS}
    line_query = replace(query, segments=(dimension,), facets={**facets, dimension: (line, WITHOUT)})
    return plan_query(line_query, clock, scopes)


def _of_ratios(plan: Plan, metric: Ratio, query: Query, line: str) -> Comparison:
    """Each group's Σ numerator ÷ Σ denominator, in the metric's unit; its facts are those of the denominator."""
    factor = 100 if metric.unit is UnitOfMeasure.PERCENT else 1
    above = {key: amount * factor for key, amount in amounts_of(plan, metric.numerator).items()}
    below, facts = amounts_of(plan, metric.denominator), facts_behind(plan, metric.denominator)
    return _of_quotients(query, line, above, below, facts)


def _of_quotients(query: Query, line: str, above: Amounts, below: Amounts, facts: Amounts) -> Comparison:
    import numpy as np

    people = sorted({person for person, _ in (*above, *below) if person is not None})

    def on_line(amounts: Amounts, name: str) -> Floats:
        return np.array([amounts.get((person, name), 0) for person in people], dtype=np.float64)

    first, second = (Totals(on_line(above, name), on_line(below, name)) for name in (line, WITHOUT))
    interval = difference_of_quotients(first, second, seed=seed_of(query, line))
    groups = []
    for totals, name in ((first, line), (second, WITHOUT)):
        counts = [count for (person, of_line), count in facts.items() if person is not None and of_line == name]
        groups.append(Group(totals.value, round(sum(counts)), totals.developers, sum(count > 0 for count in counts)))
    unmatched = round(sum(count for (person, _), count in facts.items() if person is None))
    return _comparison(query, line, groups, interval, unmatched)


def _of_durations(plan: Plan, metric: Duration, query: Query, line: str) -> Comparison:
    import numpy as np

    measure_query = plan.measure_queries[metric.of]
    fact_query = measure_query.fact_query.over_whole_window()
    by_line: dict[str, tuple[Floats, Any]] = {}
    unmatched = 0
    for row in select(fact_query, [measure_query.measure], _VALUES):
        unmatched += row["of_nobody"]
        by_line[row["line"]] = (
            np.array(row["amounts"] or [], dtype=float),
            np.array(row["people"] or [], dtype=np.int64),
        )
    nothing = np.empty(0), np.empty(0, dtype=np.int64)
    sides = [by_line.get(name, nothing) for name in (line, WITHOUT)]
    _, numbers = np.unique(np.concatenate([people for _, people in sides]), return_inverse=True)
    borders = len(sides[0][0])
    first, second = Values(sides[0][0], numbers[:borders]), Values(sides[1][0], numbers[borders:])
    statistic, seed = query.statistic or metric.statistic or Statistic.MEDIAN, seed_of(query, line)
    if statistic is Statistic.MEAN:
        interval = difference_of_means(first, second, seed=seed)
    else:
        interval = difference_of_percentiles(first, second, PERCENTILES[statistic], seed=seed)
    groups = [_group_of_durations(values, statistic) for values in (first, second)]
    return _comparison(query, line, groups, interval, unmatched)


def _group_of_durations(group: Values, statistic: Statistic) -> Group:
    import numpy as np

    developers = len(np.unique(group.developers))
    if statistic is Statistic.MEAN:
        value = float(group.values.mean()) if len(group.values) else None
    else:
        value = percentile_of(group.values, PERCENTILES[statistic])
    return Group(value, len(group.values), developers, developers)


def _comparison(
    query: Query, line: str, groups: list[Group], interval: ConfidenceInterval | None, unmatched: int
) -> Comparison:
    first, second = groups
    reason = "" if interval else f"No interval: a group has fewer than {FEWEST_DEVELOPERS} developers."
    return Comparison(query, line, first, second, interval, reason, unmatched)


# Both lists of a line have the same order, whatever the order of the rows: the bootstrap draws by position.
_VALUES = """
    SELECT segment_0 AS line,
           list(c_0::DOUBLE ORDER BY person_id, fact_id) FILTER (WHERE person_id > 0) AS amounts,
           list(person_id ORDER BY person_id, fact_id) FILTER (WHERE person_id > 0) AS people,
           count(*) FILTER (WHERE person_id <= 0) AS of_nobody
    FROM counted
    WHERE c_0 IS NOT NULL
    GROUP BY segment_0
"""


def seed_of(query: Query, line: str) -> int:
    """A seed for the bootstrap: equal queries draw the same developers."""
    facets = sorted(query.facets.items())
    parts = (query.key, query.window, query.granularity, query.scope, facets, query.statistic, line)
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8])


STATISTICS_WITH_MARGINS = (None, Statistic.MEDIAN, Statistic.MEAN)  # None is the metric's own
BYTES_OF_A_MARGIN = 300
ErrorMargins = Mapping[str, Sequence[ErrorMargin | None]]  # by line, one for each bucket of the query


@rows_of_answer()
def read_error_margins(query: Query, line: str) -> ErrorMargins:
    """Margins of error of a duration or a value per developer; the query's own facets by agent are ignored.

    Raises QueryError where the query cannot be answered.
    """
    plan = plan_of_lines(query, line, Clock.read(), ScopeResolver())
    return derive(
        ("margins of error", query, line, plan.measure_queries),
        lambda: _error_margins(plan, query, line),
        lambda margins: BYTES_OF_A_MARGIN * sum(map(len, margins.values())),
    )


def _error_margins(plan: Plan, query: Query, line: str) -> ErrorMargins:
    if isinstance(plan.metric, PerDeveloper):
        return _margins_of_rates(plan, plan.metric, line)
    if isinstance(plan.metric, Duration):
        return _margins_of_durations(plan, plan.metric, line, seed_of(query, line))
    raise TypeError(f"{query.key} has no lines.")


def _margins_of_rates(plan: Plan, metric: PerDeveloper, line: str) -> ErrorMargins:
    work, on_line = plan.measure_queries[metric.numerator], plan.measure_queries[metric.denominator]
    done = plan.in_buckets(work)
    on_lines = scan(plan.in_buckets(on_line), [on_line.measure])
    powers = {(row["line"], row["window_id"]): row for row in select(done, [work.measure], _POWERS)}

    def margin(name: str, position: int) -> ErrorMargin | None:
        sums = powers.get((name, position))
        group = on_lines.get(on_line.key(GroupKey(None, done.windows[position], (name,))))
        active = int(group.values[on_line.measure].value or 0) if group else 0
        if sums is None or not active:
            return None
        amounts = (float(sums[power]) for power in ("facts", "squares", "cubes"))
        return margin_of_rate(Counted(active, sums["contributors"], *amounts))

    return {name: [margin(name, position) for position in range(len(done.windows))] for name in (line, WITHOUT)}


def _margins_of_durations(plan: Plan, metric: Duration, line: str, seed: int) -> ErrorMargins:
    import numpy as np

    measure_query = plan.measure_queries[metric.of]
    fact_query = plan.in_buckets(measure_query)
    statistic = plan.query.statistic or metric.statistic or Statistic.MEDIAN
    by_line_and_window: dict[tuple[str, int], tuple[Floats, Integers]] = {}
    for row in select(fact_query, [measure_query.measure], _VALUES_BY_WINDOW):
        values, people = np.array(row["amounts"], dtype=float), np.array(row["people"], dtype=np.int64)
        by_line_and_window[row["line"], row["window_id"]] = values, people

    def margin(name: str, position: int) -> ErrorMargin | None:
        group = by_line_and_window.get((name, position))
        if group is None or statistic not in STATISTICS_WITH_MARGINS:
            return None
        return margin_of_mean(*group) if statistic is Statistic.MEAN else margin_of_median(*group, seed=seed + position)

    return {name: [margin(name, position) for position in range(len(fact_query.windows))] for name in (line, WITHOUT)}


_POWERS = """
    SELECT segment_0 AS line, window_id, count(*) AS contributors, sum(facts) AS facts, sum(facts ** 2) AS squares,
           sum(facts ** 3) AS cubes
    FROM (
        SELECT window_id, segment_0, person_id, count(DISTINCT fact_id) AS facts
        FROM counted
        WHERE person_id > 0
        GROUP BY ALL
    )
    GROUP BY ALL
"""

# In the same order, as in _VALUES.
_VALUES_BY_WINDOW = """
    SELECT segment_0 AS line, window_id, list(c_0::DOUBLE ORDER BY person_id, fact_id) AS amounts,
           list(person_id ORDER BY person_id, fact_id) AS people
    FROM counted
    WHERE c_0 IS NOT NULL AND person_id > 0
    GROUP BY ALL
"""


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

"""Compares work on one line (an agent's, or any agent's) with Non-AI work: both groups and their difference.

Both values are those of every other page: unmatched facts count in their group.  Intervals of the difference are
computed by insights/formulas/differences.py, which resamples developers; all unmatched facts count as the work of one
developer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from insights.catalogue.declarations import Duration, Ratio
from insights.catalogue.shares import PerDeveloper
from insights.engine.compared_lines import (
    WITHOUT,
    Amount,
    Amounts,
    amounts_of,
    buckets_on_line,
    plan_of_lines,
    seed_of,
)
from insights.engine.live_rows import rows_of_answer
from insights.engine.measures import NO_INTERVAL_OF_TRIMMED_MEAN, PERCENTILES, trimmed_mean
from insights.engine.plan import Clock, Plan, ScopeResolver
from insights.engine.scan import derive, select
from insights.formulas.bootstrap import Totals, Values, percentile_of
from insights.formulas.differences import (
    FEWEST_DEVELOPERS,
    ConfidenceInterval,
    difference_of_means,
    difference_of_percentiles,
    difference_of_quotients,
)
from insights.query.enums import UnitOfMeasure
from insights.query.query import Query, Statistic

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

BYTES_OF_A_COMPARISON = 2000  # in the cache
NOBODY = 0  # the developer to whom all unmatched facts are counted


@dataclass(frozen=True)
class Group:
    """One of the two lines: its value, the facts behind it, and the number of known developers."""

    value: float | None
    facts: int
    developers: int
    contributors: int  # developers with any of the facts


@dataclass(frozen=True)
class Comparison:
    """`line` (an agent, or any) compared with Non-AI; `unmatched` facts of both groups belong to no known developer.

    `interval` is the confidence interval of the difference (the line's value minus Non-AI's); `reason` says why it is
    None.
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
        """The sizes of all groups of people about whom it reveals something."""
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

    Raises QueryError if one of the queries cannot be answered.
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
        [done] = amounts_of(plan, Amount(plan.metric.numerator))
        return _of_quotients(query, line, done, buckets_on_line(plan), done)
    if isinstance(plan.metric, Duration):
        return _of_durations(plan, plan.metric, query, line)
    if isinstance(plan.metric, Ratio):
        return _of_ratios(plan, plan.metric, query, line)
    raise TypeError(f"{query.key} is not compared.")


def _of_ratios(plan: Plan, metric: Ratio, query: Query, line: str) -> Comparison:
    """Each group's Σ numerator ÷ Σ denominator, in the metric's unit; its facts are those of the denominator."""
    factor = 100 if metric.unit is UnitOfMeasure.PERCENT else 1
    above, below, facts = amounts_of(
        plan, Amount(metric.numerator), Amount(metric.denominator), Amount(metric.denominator, facts=True)
    )
    return _of_quotients(query, line, {key: amount * factor for key, amount in above.items()}, below, facts)


def _of_quotients(query: Query, line: str, above: Amounts, below: Amounts, facts: Amounts) -> Comparison:
    import numpy as np

    people = sorted({person or NOBODY for person, _ in (*above, *below)})

    def on_line(amounts: Amounts, name: str) -> Floats:
        return np.array([amounts.get((person or None, name), 0) for person in people], dtype=np.float64)

    first, second = (Totals(on_line(above, name), on_line(below, name)) for name in (line, WITHOUT))
    interval = difference_of_quotients(first, second, seed=seed_of(query, line))
    groups = []
    for totals, name in ((first, line), (second, WITHOUT)):
        counts = {person: count for (person, of_line), count in facts.items() if of_line == name}
        developers = sum(1 for (person, of_line), count in below.items() if person and of_line == name and count > 0)
        contributors = sum(1 for person, count in counts.items() if person and count > 0)
        groups.append(Group(totals.value, round(sum(counts.values())), developers, contributors))
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
    known = [len(np.unique(people[people != NOBODY])) for _, people in sides]
    _, numbers = np.unique(np.concatenate([people for _, people in sides]), return_inverse=True)
    borders = len(sides[0][0])
    first, second = Values(sides[0][0], numbers[:borders]), Values(sides[1][0], numbers[borders:])
    statistic, seed = query.statistic or metric.statistic or Statistic.MEDIAN, seed_of(query, line)
    if statistic is Statistic.MEAN:
        interval = difference_of_means(first, second, seed=seed)
    elif statistic is Statistic.TRIMMED_MEAN:
        interval = None
    else:
        interval = difference_of_percentiles(first, second, PERCENTILES[statistic], seed=seed)
    groups = [
        _group_of_durations(values, developers, statistic)
        for values, developers in zip((first, second), known, strict=True)
    ]
    return _comparison(query, line, groups, interval, unmatched)


def _group_of_durations(group: Values, developers: int, statistic: Statistic) -> Group:
    if statistic is Statistic.MEAN:
        value = float(group.values.mean()) if len(group.values) else None
    elif statistic is Statistic.TRIMMED_MEAN:
        value = trimmed_mean(group.values.tolist())
    else:
        value = percentile_of(group.values, PERCENTILES[statistic])
    return Group(value, len(group.values), developers, developers)


def _comparison(
    query: Query, line: str, groups: list[Group], interval: ConfidenceInterval | None, unmatched: int
) -> Comparison:
    first, second = groups
    if min(first.developers, second.developers) < FEWEST_DEVELOPERS:
        interval = None
    reason = "" if interval else f"No interval: a group has fewer than {FEWEST_DEVELOPERS} developers."
    if query.statistic is Statistic.TRIMMED_MEAN:
        reason = NO_INTERVAL_OF_TRIMMED_MEAN
    return Comparison(query, line, first, second, interval, reason, unmatched)


# Both lists of a line are in the same order, regardless of the order of the rows, because the bootstrap draws by
# position.
_VALUES = """
    SELECT segment_0 AS line,
           list(c_0::DOUBLE ORDER BY greatest(person_id, 0), fact_id) AS amounts,
           list(greatest(person_id, 0) ORDER BY greatest(person_id, 0), fact_id) AS people,
           count(*) FILTER (WHERE person_id <= 0) AS of_nobody
    FROM counted
    WHERE c_0 IS NOT NULL
    GROUP BY segment_0
"""

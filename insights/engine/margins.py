"""Margins of error of each bucket of both lines, computed by insights/formulas/error_margins.py.

Unmatched facts belong to no developer, and margins leave them out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from insights.catalogue.declarations import Duration
from insights.catalogue.shares import PerDeveloper
from insights.engine.compared_lines import WITHOUT, plan_of_lines, seed_of
from insights.engine.fact_query import GroupKey
from insights.engine.live_rows import rows_of_answer
from insights.engine.plan import Clock, Plan, ScopeResolver
from insights.engine.scan import derive, scan, select
from insights.formulas.error_margins import Counted, ErrorMargin, margin_of_mean, margin_of_median, margin_of_rate
from insights.query.query import Query, Statistic

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers

STATISTICS_WITH_MARGINS = (None, Statistic.MEDIAN, Statistic.MEAN)  # None: the metric's own
BYTES_OF_A_MARGIN = 300
ErrorMargins = Mapping[str, Sequence[ErrorMargin | None]]  # by line, one for each bucket of the query


@rows_of_answer()
def read_error_margins(query: Query, line: str) -> ErrorMargins:
    """Margins of error of a duration or a value per developer; the query's own facets by agent are ignored.

    Raises QueryError if the query cannot be answered.
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

# The order is the same as in _VALUES.
_VALUES_BY_WINDOW = """
    SELECT segment_0 AS line, window_id, list(c_0::DOUBLE ORDER BY person_id, fact_id) AS amounts,
           list(person_id ORDER BY person_id, fact_id) AS people
    FROM counted
    WHERE c_0 IS NOT NULL AND person_id > 0
    GROUP BY ALL
"""

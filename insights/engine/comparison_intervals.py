"""How sure each bucket of two lines of a comparison is: an agent's (or any agent's) and Non-AI's.

One set-based read for all buckets; how far the truth may lie is that of insights/formulas/bands.py.  What nobody could
be matched to belongs to no developer and is left out: the line has it, and the reach around the line does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from insights.catalogue.declarations import Duration
from insights.catalogue.per_developer import PerDeveloper
from insights.engine.comparison import WITHOUT, plan_of_lines, seed_of
from insights.engine.fact_query import CellKey
from insights.engine.live_rows import rows_of_answer
from insights.engine.plan import Clock, Places, Plan
from insights.engine.scan import scan, select
from insights.formulas.bands import Counted, Reach, reach_of_mean, reach_of_median, reach_of_rate
from insights.query.query import MetricQuery, Statistic

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers

STATISTICS = (None, Statistic.MEDIAN, Statistic.MEAN)  # that have bands; None is the metric's own
Bands = Mapping[str, Sequence[Reach | None]]  # by line, one for each bucket of the query


@rows_of_answer()
def read_bands(query: MetricQuery, line: str) -> Bands:
    """Of a duration or a figure per developer; the query's own facets of agents are not heeded.

    Raises QueryError where the query cannot be answered.
    """
    each = plan_of_lines(query, line, Clock.read(), Places())
    if isinstance(each.metric, PerDeveloper):
        return _of_rates(each, each.metric, line)
    if isinstance(each.metric, Duration):
        return _of_durations(each, each.metric, line, seed_of(query, line))
    raise TypeError(f"{query.key} has no lines.")


def _of_rates(each: Plan, metric: PerDeveloper, line: str) -> Bands:
    work, on_line = each.needs[metric.numerator], each.needs[metric.denominator]
    done = each.in_buckets(work)
    on_lines = scan(each.in_buckets(on_line), [on_line.measure])
    powers = {(row["line"], row["window_id"]): row for row in select(done, [work.measure], _POWERS)}

    def reach(name: str, span: int) -> Reach | None:
        found = powers.get((name, span))
        cell = on_lines.get(on_line.key(CellKey(None, done.windows[span], (name,))))
        active = int(cell.values[on_line.measure].value or 0) if cell else 0
        if found is None or not active:
            return None
        amounts = (float(found[power]) for power in ("facts", "squares", "cubes"))
        return reach_of_rate(Counted(active, found["contributors"], *amounts))

    return {name: [reach(name, span) for span in range(len(done.windows))] for name in (line, WITHOUT)}


def _of_durations(each: Plan, metric: Duration, line: str, seed: int) -> Bands:
    import numpy as np

    need = each.needs[metric.of]
    reading = each.in_buckets(need)
    statistic = each.query.statistic or metric.statistic or Statistic.MEDIAN
    found: dict[tuple[str, int], tuple[Floats, Integers]] = {}
    for row in select(reading, [need.measure], _VALUES):
        values, people = np.array(row["amounts"], dtype=float), np.array(row["people"], dtype=np.int64)
        found[row["line"], row["window_id"]] = values, people

    def reach(name: str, span: int) -> Reach | None:
        group = found.get((name, span))
        if group is None or statistic not in STATISTICS:
            return None
        return reach_of_mean(*group) if statistic is Statistic.MEAN else reach_of_median(*group, seed=seed + span)

    return {name: [reach(name, span) for span in range(len(reading.windows))] for name in (line, WITHOUT)}


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

# In one order, whatever that of the rows is: see insights/engine/comparison.py.
_VALUES = """
    SELECT segment_0 AS line, window_id, list(c_0::DOUBLE ORDER BY person_id, fact_id) AS amounts,
           list(person_id ORDER BY person_id, fact_id) AS people
    FROM counted
    WHERE c_0 IS NOT NULL AND person_id > 0
    GROUP BY ALL
"""

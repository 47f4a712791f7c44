"""The distribution of a metric's facts: percentiles and a histogram of each fact's amount."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insights.catalogue.declarations import Metric
from insights.engine.connected import ConnectedSince, why_no_data
from insights.engine.fact_query import FactQuery
from insights.engine.plan import Clock, Plan, plan_query
from insights.engine.scan import select
from insights.query.errors import QueryError
from insights.query.measures import Distribution, Measure, Total
from insights.query.query import Query

PERCENTILES = (5, 25, 50, 75, 90, 95, 99)
BINS = 20


@dataclass(frozen=True)
class Bin:
    """Facts with a value in [start, end); the last bin is closed, so that it includes the maximum."""

    start: float
    end: float
    count: int


@dataclass(frozen=True)
class DistributionAnswer:
    """The distribution of one value per fact (session) over the query's whole window."""

    query: Query
    sample_size: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    percentiles: Mapping[str, float]  # "p50" → value
    histogram: Sequence[Bin]
    reason: str | None
    has_tail: bool = False  # the last bin holds everything above the 95th percentile

    @property
    def is_tail(self) -> Sequence[bool]:
        """Whether each bin holds the long tail."""
        return [self.has_tail and position == len(self.histogram) for position, _ in enumerate(self.histogram, 1)]


def read_distribution(query: Query) -> DistributionAnswer:
    """Percentiles and histogram of each fact's amount, e.g. active seconds or tokens per session.

    Bins of equal width span the minimum to the 95th percentile; one more holds the long tail. Raises QueryError if the
    query cannot be answered, or the metric has no amount per fact.
    """
    plan = plan_query(query, Clock.read())
    measure = _measure(plan.metric)
    if query.segments:
        raise QueryError("segment", "A distribution is not split. Use a facet to look at one part of it.")
    measure_query = plan.measure_queries[measure]
    fact_query = measure_query.fact_query.over_whole_window()
    summary = _summary(fact_query, measure_query.measure)
    if not summary["facts"]:
        return DistributionAnswer(query, 0, None, None, None, {}, (), _reason(plan))
    borders = _borders(summary)
    return DistributionAnswer(
        query,
        sample_size=summary["facts"],
        minimum=summary["least"],
        maximum=summary["greatest"],
        mean=summary["mean"],
        percentiles={f"p{p}": value for p, value in zip(PERCENTILES, summary["percentiles"], strict=True)},
        histogram=_histogram(fact_query, measure_query.measure, borders, summary["facts"]),
        reason=None,
        has_tail=len(borders) > BINS + 1,
    )


def has_distribution(metric: Metric) -> bool:
    """Whether the metric has one amount per fact."""
    return len(metric.measures) == 1 and isinstance(metric.measures[0], (Total, Distribution))


def _measure(metric: Metric) -> Measure:
    if not has_distribution(metric):
        raise QueryError("key", f"{metric.key} has no distribution: it is not made of one amount per session.")
    return metric.measures[0]


def _summary(fact_query: FactQuery, measure: Measure) -> Mapping[str, Any]:
    [summary] = select(
        fact_query,
        [measure],
        f"""
        SELECT count(*) AS facts, min(value) AS least, max(value) AS greatest, avg(value::DECIMAL(38, 16)) AS mean,
               quantile_cont(value, {[p / 100 for p in PERCENTILES]}) AS percentiles
        FROM ({_values(measure)})
        """,  # constants
    )
    return summary


def _values(measure: Measure) -> str:
    """One row per contributing fact, with its amount."""
    if isinstance(measure, Total):
        return "SELECT sum(c_0)::DOUBLE AS value FROM counted GROUP BY fact_id HAVING sum(c_0) <> 0"
    return "SELECT max(c_0)::DOUBLE AS value FROM counted GROUP BY fact_id HAVING max(c_0) IS NOT NULL"


def _borders(summary: Mapping[str, Any]) -> Sequence[float]:
    """The borders of the bins: equal widths from the minimum to the 95th percentile, and one bin up to the maximum.

    If nearly all facts have the minimum, the equal bins extend to the maximum; if all have it, there is one bin.
    """
    least, greatest = summary["least"], summary["greatest"]
    bulk_end = summary["percentiles"][PERCENTILES.index(95)]
    if least == greatest:
        return [least, greatest]
    if bulk_end <= least:
        bulk_end = greatest
    equal = [least + (bulk_end - least) * position / BINS for position in range(BINS + 1)]
    return [*equal, greatest] if bulk_end < greatest else equal


def _histogram(fact_query: FactQuery, measure: Measure, borders: Sequence[float], facts: int) -> Sequence[Bin]:
    if len(borders) == 2:
        return (Bin(borders[0], borders[1], facts),)
    bins = len(borders) - 1
    rows = select(
        fact_query,
        [measure],
        f"""
        SELECT least(len(list_filter({borders!r}::DOUBLE[], lambda border: border <= value)), {bins}) AS bin,
               count(*) AS facts
        FROM ({_values(measure)})
        GROUP BY bin
        """,  # numbers
    )
    counts = {row["bin"]: row["facts"] for row in rows}
    return [Bin(borders[i], borders[i + 1], counts.get(i + 1, 0)) for i in range(bins)]


def _reason(plan: Plan) -> str:
    return why_no_data(plan.query.window, ConnectedSince().of(plan.metric, plan.scope), plan.clock.today)

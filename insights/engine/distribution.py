"""How a metric's facts are spread: percentiles and a histogram of what each fact adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insights.catalogue.declarations import Metric
from insights.engine.connected import ConnectedSince, why_no_data
from insights.engine.fact_query import Reading
from insights.engine.plan import Clock, Plan, plan
from insights.engine.scan import select
from insights.query.errors import QueryError
from insights.query.measures import Distribution, Measure, Total
from insights.query.query import MetricQuery

PERCENTILES = (5, 25, 50, 75, 90, 95, 99)
BINS = 20


@dataclass(frozen=True)
class Bin:
    """Facts whose value lies in [start, end); the last bin is closed, so that the greatest value is in it."""

    start: float
    end: float
    count: int


@dataclass(frozen=True)
class Spread:
    """The distribution of one value per fact (session) over the query's whole window."""

    query: MetricQuery
    sample_size: int
    minimum: float | None
    maximum: float | None
    mean: float | None
    percentiles: Mapping[str, float]  # "p50" → value
    histogram: Sequence[Bin]
    reason: str | None
    has_tail: bool = False  # the last bin takes all that lies beyond the 95th percentile

    @property
    def is_tail(self) -> Sequence[bool]:
        """Of each bin, whether it takes the long tail."""
        return [self.has_tail and position == len(self.histogram) for position, _ in enumerate(self.histogram, 1)]


def read_distribution(query: MetricQuery) -> Spread:
    """Percentiles and histogram of what each fact adds, e.g. active seconds or tokens per session.

    Equal bins reach from the least value to the 95th percentile; a last one takes the long tail.
    Raises QueryError where the query cannot be answered, or the metric adds nothing up fact by fact.
    """
    each = plan(query, Clock.read())
    measure = _measure(each.metric)
    if query.segments:
        raise QueryError("segment", "A distribution is not split. Use a facet to look at one part of it.")
    need = each.needs[measure]
    reading = need.of_facts.of_whole()
    summary = _summary(reading, need.measure)
    if not summary["facts"]:
        return Spread(query, 0, None, None, None, {}, (), _reason(each))
    borders = _borders(summary)
    return Spread(
        query,
        sample_size=summary["facts"],
        minimum=summary["least"],
        maximum=summary["greatest"],
        mean=summary["mean"],
        percentiles={f"p{p}": value for p, value in zip(PERCENTILES, summary["percentiles"], strict=True)},
        histogram=_histogram(reading, need.measure, borders, summary["facts"]),
        reason=None,
        has_tail=len(borders) > BINS + 1,
    )


def has_distribution(metric: Metric) -> bool:
    """Whether it adds something up fact by fact, whose values are spread."""
    return len(metric.measures) == 1 and isinstance(metric.measures[0], (Total, Distribution))


def _measure(metric: Metric) -> Measure:
    found = next((measure for measure in metric.measures if isinstance(measure, (Total, Distribution))), None)
    if found is None or len(metric.measures) > 1:
        raise QueryError("key", f"{metric.key} has no distribution: it is not made of one amount per session.")
    return found


def _summary(reading: Reading, measure: Measure) -> Mapping[str, Any]:
    [summary] = select(
        reading,
        [measure],
        f"""
        SELECT count(*) AS facts, min(value) AS least, max(value) AS greatest, avg(value::DECIMAL(38, 16)) AS mean,
               quantile_cont(value, {[p / 100 for p in PERCENTILES]}) AS percentiles
        FROM ({_values(measure)})
        """,  # constants
    )
    return summary


def _values(measure: Measure) -> str:
    """A row per fact in which it adds anything, with what it adds."""
    if isinstance(measure, Total):
        return "SELECT sum(c_0)::DOUBLE AS value FROM counted GROUP BY fact_id HAVING sum(c_0) <> 0"
    return "SELECT max(c_0)::DOUBLE AS value FROM counted GROUP BY fact_id HAVING max(c_0) IS NOT NULL"


def _borders(summary: Mapping[str, Any]) -> Sequence[float]:
    """Of the bins: equal ones from the least value to the 95th percentile, and one from there to the greatest value.

    Where nearly all facts have the least value the equal ones reach to the greatest, and where all have it there are
    no two borders apart.
    """
    least, greatest = summary["least"], summary["greatest"]
    bulk_end = summary["percentiles"][PERCENTILES.index(95)]
    if least == greatest:
        return [least, greatest]
    if bulk_end <= least:
        bulk_end = greatest
    equal = [least + (bulk_end - least) * position / BINS for position in range(BINS + 1)]
    return [*equal, greatest] if bulk_end < greatest else equal


def _histogram(reading: Reading, measure: Measure, borders: Sequence[float], facts: int) -> Sequence[Bin]:
    if len(borders) == 2:
        return (Bin(borders[0], borders[1], facts),)
    bins = len(borders) - 1
    rows = select(
        reading,
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


def _reason(each: Plan) -> str:
    return why_no_data(each.query.window, ConnectedSince().of(each.metric, each.placement), each.clock.today)

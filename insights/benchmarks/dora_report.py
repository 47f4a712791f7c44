"""The DORA report: the five metrics of a scope and window, with benchmark bands, the previous window, and the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from insights.benchmarks.bands import Band, BenchmarkSet, benchmark_band
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import get
from insights.formulas.dora_score import SCORED, DoraScore, dora_score
from insights.privacy.visible import visible_totals
from insights.query import windows
from insights.query.query import MetricValue, Query
from orgtree.access.access import Access


@dataclass(frozen=True)
class DoraMetric:
    """One metric in the window and in the previous one."""

    metric: Metric
    figure: MetricValue
    before: MetricValue
    band: Band | None


@dataclass(frozen=True)
class DoraReport:
    """`score` and `score_before` are None where one of the metrics has no value."""

    query: Query  # of the first metric: the window and scope of all
    before: Query
    published: BenchmarkSet
    metrics: Sequence[DoraMetric]
    score: DoraScore | None
    score_before: DoraScore | None

    @property
    def missing(self) -> Sequence[str]:
        """Keys of the metrics without a value, for which there is no score."""
        return [metric.metric.key for metric in self.metrics if metric.figure.value is None]


def dora_report(query: Query, access: Access, published: BenchmarkSet) -> DoraReport:
    """The report for the query's window, scope and facets, as this viewer may see it.

    Raises QueryError where the query cannot be answered.
    """
    before = windows.previous(query.window)
    queries = [replace(query, key=key) for key in SCORED]
    answers = visible_totals([*queries, *(replace(query, window=before) for query in queries)], access)
    figures = [answer.total[0] for answer in answers]
    now, then = figures[: len(SCORED)], figures[len(SCORED) :]
    return DoraReport(
        query=queries[0],
        before=replace(queries[0], window=before),
        published=published,
        metrics=[
            DoraMetric(get(query.key), figure, earlier, _band(published, query, figure))
            for query, figure, earlier in zip(queries, now, then, strict=True)
        ],
        score=dora_score(_values(now)),
        score_before=dora_score(_values(then)),
    )


def _band(published: BenchmarkSet, query: Query, figure: MetricValue) -> Band | None:
    return None if figure.value is None else benchmark_band(published, get(query.key), figure.value, query.statistic)


def _values(figures: Sequence[MetricValue]) -> Mapping[str, float | None]:
    return {key: figure.value for key, figure in zip(SCORED, figures, strict=True)}

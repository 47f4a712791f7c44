"""Current values of units for comparison with benchmarks, as far as the viewer has access."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from insights.benchmarks.baselines import grows_with_time, mean_of, whole_buckets
from insights.catalogue.declarations import Metric
from insights.privacy.visible import Freshness, UnitQueries, visible_together
from insights.query import windows
from insights.query.query import Answer, MetricValue, Query, Scope, Window
from orgtree.access.access import Access
from orgtree.models import Unit
from programs.benchmarks.services.writing import granularity_of
from programs.models import Period

STANDS_OVER_WEEKS = windows.DEFAULT_WEEKS  # the default range of the metric pages
DEFAULT_PERIOD = Period.WEEK
# The number of latest whole buckets that count.  They are read over a window that is kept as a snapshot and contains
# them.
BUCKETS = {Period.WEEK: 12, Period.MONTH: 3, Period.QUARTER: 1}
WEEKS_READ = {Period.WEEK: 26, Period.MONTH: 26, Period.QUARTER: 52}


@dataclass(frozen=True)
class CurrentValue:
    """The latest value; for a metric that grows with time, the mean of the latest whole weeks, months or quarters."""

    window: Window
    value: float | None
    sample_size: int
    reason: str  # why there is no value
    is_hidden: bool = False


@dataclass(frozen=True)
class BenchmarkQuery:
    metric: Metric
    period: Period = Period.NONE

    def query(self, scope: Scope, today: date) -> Query:
        """Builds the query over the default range of pages; over a longer one if whole buckets are picked from it."""
        granularity = granularity_of(self.period)
        if granularity is None:
            return Query(self.metric.key, windows.trailing(STANDS_OVER_WEEKS, today=today), scope=scope)
        window = windows.trailing(WEEKS_READ[self.period], today=today)
        return Query(self.metric.key, window, granularity=granularity, scope=scope)

    def side_by_side(self, scope: Scope, today: date) -> list[Query]:
        """The same as totals: one window, or one per latest whole bucket."""
        query, granularity = self.query(scope, today), granularity_of(self.period)
        if granularity is None:
            return [query]
        latest = whole_buckets(today, granularity, BUCKETS[self.period])
        return [replace(query, window=bucket.whole) for bucket in windows.buckets(latest, granularity)]

    def figures(self, answer: Answer, today: date) -> Sequence[MetricValue]:
        """The values that count: that of the whole window, or those of its latest complete buckets."""
        if not self.period:
            return answer.total
        return whole_buckets_of(answer, today)[-BUCKETS[self.period] :]


def whole_buckets_of(answer: Answer, today: date) -> Sequence[MetricValue]:
    """The buckets that are complete and not clipped by the window."""
    granularity = answer.query.granularity
    return [
        figure
        for figure in answer.series
        if figure.window.end <= today and figure.window == windows.whole_bucket(figure.window.start, granularity)
    ]


def benchmark_query(metric: Metric, period: str) -> BenchmarkQuery:
    """The query whose value is comparable with a benchmark of that period (empty: no benchmark yet)."""
    if not grows_with_time(metric):
        return BenchmarkQuery(metric)
    return BenchmarkQuery(metric, Period(period) if period else DEFAULT_PERIOD)


def current_values(
    queries_of: Sequence[BenchmarkQuery], scope: Scope, access: Access, *, today: date
) -> list[CurrentValue]:
    """Current values in the order of the queries, in one call.  Raises QueryError for a scope without access."""
    queries = [request.query(scope, today) for request in queries_of]
    whole = [query for request, query in zip(queries_of, queries, strict=True) if not request.period]
    by_bucket = [query for request, query in zip(queries_of, queries, strict=True) if request.period]
    answers = visible_together(access, series=by_bucket, totals=whole, freshness=Freshness.OF_PAGES)
    totals, series = iter(answers.totals), iter(answers.series)
    return [
        current_value_of(request.figures(next(series if request.period else totals), today)) for request in queries_of
    ]


def current_values_with_units(
    request: BenchmarkQuery,
    scope: Scope | None,
    units: Sequence[tuple[BenchmarkQuery, Sequence[int]]],
    access: Access,
    *,
    today: date,
) -> tuple[CurrentValue | None, Mapping[int, CurrentValue]]:
    """The current values of a scope (None: skipped) and, by id, of units visible to the viewer, in one call."""
    own = [] if scope is None else request.side_by_side(scope, today)
    beside = [UnitQueries(of_units.side_by_side(Scope(), today), ids) for of_units, ids in units]
    answers = visible_together(access, totals=own, units=beside, freshness=Freshness.OF_PAGES)
    below = {pk: _together(answers) for of_some in answers.units for pk, answers in of_some.items()}
    return (_together(answers.totals) if own else None), below


def current_values_of_units(
    requests: Sequence[BenchmarkQuery], units: Sequence[Unit], access: Access, *, today: date
) -> list[Mapping[int, CurrentValue]]:
    """The current values for each query, by unit id, of the units that the viewer may see; one call."""
    ids = [unit.pk for unit in units]
    beside = [UnitQueries(request.side_by_side(Scope(), today), ids) for request in requests]
    answers = visible_together(access, units=beside, freshness=Freshness.OF_PAGES)
    return [{pk: _together(answers) for pk, answers in of_units.items()} for of_units in answers.units]


def _together(answers: Sequence[Answer]) -> CurrentValue:
    return current_value_of([answer.total[0] for answer in answers])


def current_value_of(figures: Sequence[MetricValue]) -> CurrentValue:
    """The mean of the buckets; hidden if any bucket is, because the others would reveal it."""
    window = Window(figures[0].window.start, figures[-1].window.end)
    hidden = next((figure for figure in figures if figure.withheld), None)
    if hidden is not None:
        return CurrentValue(window, None, 0, hidden.reason or "", is_hidden=True)
    reason = next((figure.reason for figure in figures if figure.reason), None) or ""
    value = mean_of(figures)
    return CurrentValue(window, value, sum(figure.sample_size for figure in figures), reason if value is None else "")

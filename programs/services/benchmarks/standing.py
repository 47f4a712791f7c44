"""Where units stand today on what was agreed, as a viewer may see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from insights import windows
from insights.metrics.baselines import grows_with_time, mean_of, whole_buckets
from insights.metrics.declarations import Metric
from insights.metrics.query import Figure, MetricQuery, Scope, SeriesAnswer, Window
from insights.metrics.visible import Freshness, SideBySide, visible_together
from orgtree.models import Unit
from orgtree.services.access import Access
from programs.models import Period
from programs.services.benchmarks.writing import granularity_of

STANDS_OVER_WEEKS = windows.DEFAULT_WEEKS  # the range with which the pages of figures begin
DEFAULT_PERIOD = Period.WEEK
BUCKETS = {Period.WEEK: 12, Period.MONTH: 3, Period.QUARTER: 1}


@dataclass(frozen=True)
class Stand:
    """The latest figure; of a metric that grows with time the mean of the latest whole weeks, months or quarters."""

    window: Window
    value: float | None
    sample_size: int
    reason: str  # why there is no value
    is_hidden: bool = False


@dataclass(frozen=True)
class Asked:
    metric: Metric
    period: Period = Period.NONE

    def query(self, scope: Scope, today: date) -> MetricQuery:
        """Of the weeks that the pages of figures begin with, or whole buckets."""
        granularity = granularity_of(self.period)
        if granularity is None:
            return MetricQuery(self.metric.key, windows.trailing(STANDS_OVER_WEEKS, today=today), scope=scope)
        window = whole_buckets(today, granularity, BUCKETS[self.period])
        return MetricQuery(self.metric.key, window, granularity=granularity, scope=scope)


def asked_about(metric: Metric, period: str) -> Asked:
    """How its figure has to be read, so that it can be held against a benchmark of that period (empty: of none yet)."""
    if not grows_with_time(metric):
        return Asked(metric)
    return Asked(metric, Period(period) if period else DEFAULT_PERIOD)


def stands(asked: Sequence[Asked], scope: Scope, access: Access, *, today: date) -> list[Stand]:
    """In order, all in one call.  Raises QueryError for a scope that the viewer may not look at."""
    queries = [each.query(scope, today) for each in asked]
    whole = [query for each, query in zip(asked, queries, strict=True) if not each.period]
    by_bucket = [query for each, query in zip(asked, queries, strict=True) if each.period]
    found = visible_together(access, series=by_bucket, totals=whole, freshness=Freshness.OF_PAGES)
    totals, series = iter(found.totals), iter(found.series)
    return [_of_buckets(next(series)) if each.period else _of_whole(next(totals)) for each in asked]


def stands_of_units(asked: Asked, units: Sequence[Unit], access: Access, *, today: date) -> Mapping[int, Stand]:
    """By the unit's id, of those that the viewer may look at; one call."""
    seen = [unit for unit in units if access.sight.covers(unit.pk)]
    query = asked.query(Scope(), today)
    if asked.period:
        queries = [replace(query, scope=Scope(unit.slug)) for unit in seen]
        answers = visible_together(access, series=queries, freshness=Freshness.OF_PAGES).series
        return {unit.pk: _of_buckets(answer) for unit, answer in zip(seen, answers, strict=True)}
    side_by_side = SideBySide([query], [unit.pk for unit in seen])
    [found] = visible_together(access, units=[side_by_side], freshness=Freshness.OF_PAGES).units
    return {pk: _of_whole(answers[0]) for pk, answers in found.items()}


def stand_of(figures: Sequence[Figure], window: Window) -> Stand:
    """The mean of the buckets; hidden where one of them is, for the others would tell of it."""
    hidden = next((figure for figure in figures if figure.withheld), None)
    if hidden is not None:
        return Stand(window, None, 0, hidden.reason or "", is_hidden=True)
    reason = next((figure.reason for figure in figures if figure.reason), None) or ""
    value = mean_of(figures)
    return Stand(window, value, sum(figure.sample_size for figure in figures), reason if value is None else "")


def _of_buckets(answer: SeriesAnswer) -> Stand:
    return stand_of(answer.series, answer.query.window)


def _of_whole(answer: SeriesAnswer) -> Stand:
    return stand_of(answer.total, answer.query.window)

"""Reads the metrics of key results: the quarter so far, whole weeks in and before it, and the baseline.

A key result's value is its metric over the quarter, for the objective's unit and all units below it: the value that the
metric's page shows for that quarter.  It is read in full, regardless of the viewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from insights.catalogue.registry import find
from insights.privacy.stored import read_with_known_people
from insights.query.errors import QueryError
from insights.query.query import Freshness, Granularity, MetricValue, Query, Scope, Statistic, Window
from insights.query.windows import whole_bucket
from orgtree.access.access import Access, public_access
from programs.key_results.services.forecasting import Point
from programs.key_results.services.items import DAYS_READ, counts_items
from programs.models import KeyResult

WEEKS_BEFORE = 13  # of context: as many as a quarter has
NO_SUCH_METRIC = "This metric no longer exists."


@dataclass(frozen=True)
class MeasuredMetric:
    """A metric of a unit over a quarter.  `people` is the lowest number behind the value or its numerator."""

    value: float | None
    reason: str
    sample_size: int
    people: int
    points: Sequence[Point]
    finished: Sequence[tuple[date, float]] = ()  # items by day, if the metric counts finished ones


@dataclass(frozen=True)
class KeyResultQuery:
    """A metric of a unit (slug; None: the whole organisation) in a quarter; several key results can share one query."""

    metric: str
    statistic: str
    unit: str | None
    quarter: Window

    def query(self, window: Window) -> Query:
        return metric_query(self.metric, self.statistic, self.unit, window)

    def by_day(self, today: date) -> Query:
        """The query by day before today; its weeks are replayed by the forecast."""
        window = Window(today - timedelta(days=DAYS_READ), today)
        return replace(self.query(window), granularity=Granularity.DAY)


def unit_of(key_result: KeyResult) -> str:
    """The metric's unit of measure; for a value entered by hand or a removed metric, the key result's own."""
    return unit_of_metric(key_result.metric) or key_result.unit_of_measure


def unit_of_metric(key: str) -> str:
    """The metric's unit of measure; empty for an unknown metric."""
    metric = find(key) if key else None
    return metric.unit.value if metric else ""


def metric_query(key: str, statistic: str, unit: str | None, window: Window) -> Query:
    picked = Statistic(statistic) if statistic else None
    return Query(key, window, Granularity.WEEK, Scope(unit), statistic=picked)


def query_of_key_result(key_result: KeyResult) -> KeyResultQuery:
    """The query of a key result that comes with its objective, unit and quarter."""
    objective = key_result.objective
    unit = objective.unit.slug if objective.unit else None
    return KeyResultQuery(key_result.metric, key_result.statistic, unit, objective.quarter.window)


def read_metrics(requests: Iterable[KeyResultQuery], *, today: date) -> Mapping[KeyResultQuery, MeasuredMetric]:
    """Reads each requested metric once, all together; one that cannot be read gives the reason."""
    public = public_access()
    return _read_or_explain([fromkey for fromkey in dict.fromkeys(requests) if find(fromkey.metric)], public, today)


def _read_or_explain(
    requests: Sequence[KeyResultQuery], public: Access, today: date
) -> dict[KeyResultQuery, MeasuredMetric]:
    """Reads the queries; if one fails, bisects to isolate it, so that only that one has no value."""
    try:
        return _read(requests, public, today)
    except QueryError as problem:
        if len(requests) == 1:
            return {requests[0]: MeasuredMetric(None, problem.message, 0, 0, ())}
        half = len(requests) // 2
        return {**_read_or_explain(requests[:half], public, today), **_read_or_explain(requests[half:], public, today)}


def _read(requests: Iterable[KeyResultQuery], public: Access, today: date) -> dict[KeyResultQuery, MeasuredMetric]:
    order = list(requests)
    queries = [
        request.query(window) for request in order for window in (request.quarter, *whole_weeks(request.quarter, today))
    ]
    if not queries:
        return {}
    of_items = [request for request in order if counts_items(find(request.metric))]
    daily = [request.by_day(today) for request in of_items]
    answers = read_with_known_people(public, series=daily, totals=queries, freshness=Freshness.OF_PAGES)
    figures = {_key(answer.query): answer.total[0] for answer in answers.totals}
    finished = {
        request: tuple((one.window.start, one.value or 0.0) for one in answer.series)
        for request, answer in zip(of_items, answers.series, strict=True)
    }
    return {request: _measured(request, figures, finished.get(request, ()), today) for request in order}


def _measured(
    request: KeyResultQuery,
    figures: Mapping[tuple[object, ...], MetricValue],
    finished: Sequence[tuple[date, float]],
    today: date,
) -> MeasuredMetric:
    def figure(window: Window) -> MetricValue:
        return figures[_key(request.query(window))]

    whole = figure(request.quarter)
    weeks = [figure(window) for window in whole_weeks(request.quarter, today)]
    return MeasuredMetric(
        whole.value,
        whole.reason or "",
        whole.sample_size,
        whole.people,
        tuple(Point(week.window.start, week.value, week.people, week.sample_size) for week in weeks),
        finished,
    )


def _key(query: Query) -> tuple[object, ...]:
    return query.key, query.statistic, query.scope.unit, query.window


def whole_weeks(quarter: Window, today: date) -> Sequence[Window]:
    """The complete weeks, Monday to Sunday: 13 before the quarter and those that begin in it."""
    first = whole_bucket(quarter.start, Granularity.WEEK).start - timedelta(weeks=WEEKS_BEFORE)
    points = []
    monday = first
    while monday < quarter.end and monday + timedelta(weeks=1) <= today:
        points.append(Window(monday, monday + timedelta(weeks=1)))
        monday += timedelta(weeks=1)
    return points


def baseline_window(quarter: Window, today: date) -> Window:
    """The days before the quarter, or before today if it has not begun; as many as the quarter has."""
    end = min(quarter.start, today)
    return Window(end - timedelta(days=quarter.days), end)


def version_of(key: str) -> int | None:
    metric = find(key)
    return metric.version if metric else None


def fewest(*groups: int) -> int:
    """The smallest non-empty group; 0 if nobody contributes at all."""
    return min((people for people in groups if people), default=0)

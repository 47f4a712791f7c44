"""A metric in the weeks before an action and the weeks after it, with a 95 % confidence interval of the change.

The interval is computed from all facts of both periods (insights/formulas/change_of_weeks.py).  As in baselines, a
metric that grows with the length of its window is compared by its weekly mean.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from insights.benchmarks.baselines import grows_with_time, mean_of, values_by_week
from insights.catalogue.declarations import Count, CountPerTime, Metric
from insights.catalogue.registry import get
from insights.engine.measures import PERCENTILES
from insights.engine.read import read_series, read_totals
from insights.formulas.change_of_weeks import (
    WeeklyFacts,
    WeeklySums,
    change_of_percentiles,
    change_of_quotients,
    change_of_rates,
    change_of_shares,
)
from insights.formulas.differences import ConfidenceInterval
from insights.query import windows
from insights.query.enums import UnitOfMeasure
from insights.query.query import Answer, Granularity, MetricValue, Query, Scope, Statistic, Window

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

MOST_WEEKS = 12  # further away in time, other causes outweigh the action
YEAR = timedelta(weeks=52)


@dataclass(frozen=True)
class WindowPair:
    """Whole weeks before and after an action."""

    before: Window
    after: Window


@dataclass(frozen=True)
class MeasuredSide:
    """The value on one side; `people` counts those of the whole window."""

    value: float | None
    sample_size: int
    people: int


@dataclass(frozen=True)
class ChangeAfter:
    """A change.  The interval is of after minus before; None if there are too few weeks or facts, or none for the
    metric.
    """

    before: MeasuredSide
    after: MeasuredSide
    interval: ConfidenceInterval | None


def weeks_around(start: date, end: date, weeks_after: int) -> WindowPair:
    """The twelve whole weeks before the week of `start`, and `weeks_after` whole weeks after the week of `end`."""
    before = windows.whole_bucket(start, Granularity.WEEK).start
    after = windows.whole_bucket(end, Granularity.WEEK).end
    return WindowPair(
        Window(before - timedelta(weeks=MOST_WEEKS), before), Window(after, after + timedelta(weeks=weeks_after))
    )


def read_change(key: str, scope: Scope, pair: WindowPair) -> ChangeAfter:
    """The metric's values before and after.  Raises QueryError; UnknownMetricError if the scope has no such metric."""
    queries = [Query(key, window, granularity=Granularity.WEEK, scope=scope) for window in (pair.before, pair.after)]
    metric, answers = get(key), read_series(queries)
    if grows_with_time(metric):
        return _of_weekly_values(metric, answers)
    before, after = (MeasuredSide(side.value, side.sample_size, side.people) for [side] in (a.total for a in answers))
    has_values = before.value is not None and after.value is not None
    return ChangeAfter(before, after, _interval(metric, answers) if has_values and not metric.is_stock else None)


def _interval(metric: Metric, answers: Sequence[Answer]) -> ConfidenceInterval | None:
    statistic = metric.statistic
    if statistic is not None and statistic in PERCENTILES:
        before, after = (WeeklyFacts(*values_by_week(answer.query)) for answer in answers)
        return change_of_percentiles(before, after, PERCENTILES[statistic])
    if statistic is Statistic.TRIMMED_MEAN:
        return None
    groups = [_sums([(bucket.numerator, bucket.denominator) for bucket in answer.series]) for answer in answers]
    if metric.unit is UnitOfMeasure.PERCENT:
        return _change_of_percents(*groups)
    return _change_of_sums(metric, *groups)


def _change_of_percents(before: WeeklySums, after: WeeklySums) -> ConfidenceInterval | None:
    is_part = all(bool((group.above >= 0).all() and (group.above <= group.below).all()) for group in (before, after))
    interval = (change_of_shares if is_part else change_of_quotients)(before, after)
    return interval and ConfidenceInterval(interval.low * 100, interval.high * 100)


def _change_of_sums(metric: Metric, before: WeeklySums, after: WeeklySums) -> ConfidenceInterval | None:
    counts_facts = isinstance(metric, (Count, CountPerTime)) and metric.unit in (
        UnitOfMeasure.COUNT,
        UnitOfMeasure.PER_DAY,
    )
    return (change_of_rates if counts_facts else change_of_quotients)(before, after)


def _of_weekly_values(metric: Metric, answers: Sequence[Answer]) -> ChangeAfter:
    weeks = [_measured_weeks(answers[0]), answers[1].series]
    groups = [_sums([(bucket.value, 1.0) for bucket in series]) for series in weeks]
    before, after = (
        MeasuredSide(mean_of(series), sum(bucket.sample_size for bucket in series), answer.total[0].people)
        for series, answer in zip(weeks, answers, strict=True)
    )
    return ChangeAfter(before, after, _change_of_sums(metric, *groups))


def _measured_weeks(before: Answer) -> Sequence[MetricValue]:
    """The weeks from the first fact on; nothing was measured earlier."""
    first = next((number for number, bucket in enumerate(before.series) if bucket.sample_size), 0)
    if first:
        window = before.query.window
        earlier = Query(before.query.key, Window(window.start - YEAR, window.start), scope=before.query.scope)
        if not read_totals([earlier])[0].total[0].sample_size:
            return before.series[first:]
    return before.series


def _sums(parts: Sequence[tuple[float | None, float | None]]) -> WeeklySums:
    """Weeks without a denominator are left out."""
    import numpy as np

    known = [(above or 0.0, below) for above, below in parts if above is not None and below]
    columns: Floats = np.array(known, dtype=np.float64).reshape(-1, 2)
    return WeeklySums(columns[:, 0], columns[:, 1])

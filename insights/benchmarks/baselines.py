"""Baselines: a metric's value over several whole weeks, months or quarters, with a 95 % confidence interval.

Most metrics (a median, a share, a rate per day) are comparable between a week and a year.  Others grow with the length
of the window: counts, and numbers of distinct people.  For those, a baseline is the mean of whole weeks (or months, or
quarters), like the points of a chart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from statistics import fmean
from typing import TYPE_CHECKING

from insights.catalogue.declarations import Count, Metric
from insights.catalogue.registry import get
from insights.catalogue.shares import Concentration, ShareOfBase
from insights.engine.measures import NO_INTERVAL_OF_TRIMMED_MEAN, PERCENTILES
from insights.engine.plan import Clock, plan_query
from insights.engine.read import read_series
from insights.engine.scan import select
from insights.formulas.differences import ConfidenceInterval
from insights.formulas.resampled_weeks import (
    FEWEST_WEEKS,
    interval_of_mean,
    interval_of_percentile,
    interval_of_quotient,
)
from insights.privacy.withhold import numerator_query
from insights.query import windows
from insights.query.enums import UnitOfMeasure
from insights.query.measures import People, PeopleOfWindow, PeopleOnLine
from insights.query.query import Answer, Granularity, MetricValue, Query, Scope, Statistic, Window
from orgtree.access.access import public_access

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers

OF_ONE_DAY = "It is the value on the last day, so it has no interval."
TOO_FEW = f"No interval: it takes {FEWEST_WEEKS} of them with data."
OF_PEOPLE = (People, PeopleOfWindow, PeopleOnLine)


@dataclass(frozen=True)
class Baseline:
    """A measured baseline.  `people` is the smallest number of people behind any part of it, for the minimum group
    size.
    """

    window: Window
    period: Granularity | None  # the value is the mean of these buckets; None: one value of the whole window
    value: float | None
    interval: ConfidenceInterval | None
    sample_size: int
    people: int
    reason: str  # why value or interval is missing


def grows_with_time(metric: Metric) -> bool:
    """Whether its value depends on the length of the window, so that a week cannot be compared with a quarter."""
    if metric.is_stock:
        return False
    if metric.per_period or metric.over_buckets or isinstance(metric, (ShareOfBase, Concentration)):
        return True
    if any(isinstance(measure, OF_PEOPLE) for measure in metric.measures):
        return True
    return isinstance(metric, Count) and not metric.per_days


def whole_buckets(today: date, granularity: Granularity, number: int) -> Window:
    """The latest `number` complete weeks, months or quarters."""
    end = start = windows.whole_bucket(today, granularity).start
    for _ in range(number):
        start = windows.whole_bucket(start - timedelta(days=1), granularity).start
    return Window(start, end)


def baseline_query(key: str, scope: Scope, window: Window, period: Granularity | None) -> Query:
    return Query(key, window, granularity=period or Granularity.WEEK, scope=scope)


def read_baseline(key: str, scope: Scope, window: Window, period: Granularity | None) -> Baseline:
    """The baseline over whole buckets of `period`, which is required for metrics that grow with time.

    Raises QueryError if there is no such unit or metric.
    """
    query = baseline_query(key, scope, window, period)
    above = numerator_query(query, public_access())
    answer, *others = read_series([query, above] if above else [query])
    people = _fewest_people([answer, *others], of_buckets=period is not None)
    if period is not None:
        return _mean_of_buckets(answer, period, people)
    return _of_whole(answer, people)


def mean_of(figures: Sequence[MetricValue]) -> float | None:
    """The mean of the buckets that have a value."""
    known = [figure.value for figure in figures if figure.value is not None]
    return fmean(known) if known else None


def _mean_of_buckets(answer: Answer, period: Granularity, people: int) -> Baseline:
    known = [figure.value for figure in answer.series if figure.value is not None]
    interval = interval_of_mean(known, seed=_seed(answer.query)) if known else None
    return Baseline(
        window=answer.query.window,
        period=period,
        value=mean_of(answer.series),
        interval=interval,
        sample_size=sum(figure.sample_size for figure in answer.series),
        people=people,
        reason="" if interval else TOO_FEW if known else _why(answer),
    )


def _of_whole(answer: Answer, people: int) -> Baseline:
    query, [figure] = answer.query, answer.total
    baseline = Baseline(query.window, None, figure.value, None, figure.sample_size, people, "")
    if figure.value is None:
        return replace(baseline, reason=_why(answer))
    if get(query.key).is_stock:
        return replace(baseline, reason=OF_ONE_DAY)
    interval = _interval(answer)
    return replace(baseline, interval=interval, reason="" if interval else _why_no_interval(query))


def _why_no_interval(query: Query) -> str:
    return NO_INTERVAL_OF_TRIMMED_MEAN if query.statistic is Statistic.TRIMMED_MEAN else TOO_FEW


def _interval(answer: Answer) -> ConfidenceInterval | None:
    query, metric = answer.query, get(answer.query.key)
    statistic = query.statistic or metric.statistic
    if statistic is not None and statistic in PERCENTILES:
        values, weeks = values_by_week(query)
        return interval_of_percentile(values, weeks, PERCENTILES[statistic], seed=_seed(query))
    if statistic is Statistic.TRIMMED_MEAN:  # neither a percentile nor a quotient
        return None
    parts = [
        (bucket.numerator, bucket.denominator)
        for bucket in answer.series
        if bucket.numerator is not None and bucket.denominator is not None
    ]
    interval = interval_of_quotient([above for above, _ in parts], [below for _, below in parts], seed=_seed(query))
    if interval is None:
        return None
    scale = 100 if metric.unit is UnitOfMeasure.PERCENT else 1
    return ConfidenceInterval(interval.low * scale, interval.high * scale)


def values_by_week(query: Query) -> tuple[Floats, Integers]:
    """The measured value of each fact, with the position of its week."""
    import numpy as np

    plan = plan_query(query, Clock.read())
    measure_query = plan.measure_queries[plan.metric.sampled]
    fact_query = plan.in_buckets(measure_query)
    rows = select(fact_query, [measure_query.measure], _VALUES)
    return np.array([row["value"] for row in rows], float), np.array([row["window_id"] for row in rows], np.int64)


# Sorted, so that the result does not depend on the order of the rows.  A shared fact counts once.
_VALUES = """
    SELECT window_id, max(c_0)::DOUBLE AS value FROM counted WHERE c_0 IS NOT NULL GROUP BY fact_id, window_id
    ORDER BY window_id, fact_id
"""


def _fewest_people(answers: Sequence[Answer], *, of_buckets: bool) -> int:
    """The smallest number of people behind any of the values or their numerators; 0 without people."""
    figures = [figure for answer in answers for figure in (answer.series if of_buckets else answer.total)]
    return min((figure.people for figure in figures if figure.people), default=0)


def _why(answer: Answer) -> str:
    return next((figure.reason for figure in answer.total if figure.reason), "")


def _seed(query: Query) -> int:
    """A seed for the bootstrap: equal queries draw the same weeks."""
    parts = (query.key, query.window, query.granularity, query.scope, query.statistic)
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8])

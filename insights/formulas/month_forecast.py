"""Forecast of a month's total spend, from the last complete weeks.

The weekdays' shares of those weeks say how many *weeks of work* are left in the month: a weekend counts for what
weekends cost.  Each of the weeks is one estimate of what a week costs, so the rest of the month costs their mean times
the weeks left.  The interval is Student's for one further observation (95 %): a month that continues like one of those
weeks, high or low throughout, lies within it.  It is wide at the month's beginning and closes at its end.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, stdev

from insights.formulas.differences import CONFIDENCE, ConfidenceInterval, students_t

WEEKS_READ = 8
FEWEST_WEEKS = 3  # with fewer, Student's interval is too wide to plan with
DAYS_A_WEEK = 7


@dataclass(frozen=True)
class MonthForecast:
    """The forecast of a month; `weeks` are those that it is based on, `weeks_left` the weeks of work to come."""

    value: float
    interval: ConfidenceInterval
    weeks: int
    weeks_left: float
    weekly: float  # mean of a week


def forecast_month(
    spent: float,
    weeks: Sequence[float],
    by_weekday: Sequence[float],
    *,
    today: date,
    day_left: float,
    month_end: date,
) -> MonthForecast | None:
    """The forecast; None with fewer than FEWEST_WEEKS weeks, or if they cost nothing.

    `weeks` are sums of complete weeks since the first spend, `by_weekday` the sums of their Mondays to Sundays;
    `day_left` is the part 0–1 of `today` that is to come, `month_end` the first day after the month.
    """
    total = sum(by_weekday)
    if len(weeks) < FEWEST_WEEKS or total <= 0:
        return None
    days_to_come = [today + timedelta(days=number) for number in range(1, (month_end - today).days)]
    left = day_left * by_weekday[today.weekday()] + sum(by_weekday[day.weekday()] for day in days_to_come)
    weeks_left = left / total if today < month_end else 0.0
    weekly = fmean(weeks)
    value = spent + weeks_left * weekly
    freedom = len(weeks) - 1
    margin = weeks_left * students_t((1 + CONFIDENCE) / 2, freedom) * stdev(weeks) * math.sqrt(1 + 1 / len(weeks))
    return MonthForecast(
        value, ConfidenceInterval(max(spent, value - margin), value + margin), len(weeks), weeks_left, weekly
    )

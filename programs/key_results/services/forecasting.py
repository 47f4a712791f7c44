"""Forecasts a key result's value at the end of its quarter from its weekly trend.

A line through the last whole weeks (insights/formulas/linear_trend.py) predicts the remaining days; the quarter so far
is known and has no interval.  The two are combined in the way that the metric accumulates; docs/objectives.md works
through each case.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from insights.catalogue.declarations import Count, CountPerTime, Metric, Ratio
from insights.catalogue.shares import PerDeveloper
from insights.formulas.linear_trend import FEWEST_POINTS, MOST_POINTS, Estimate, Line, line_through
from insights.query.enums import UnitOfMeasure
from insights.query.measures import (
    Facts,
    Gini,
    People,
    PeopleOfWindow,
    PeopleOnLine,
    PersonShare,
    StockAtEnd,
    Total,
)
from insights.query.query import Window

DAYS_A_WEEK = 7
MIDDLE_OF_WEEK = 3.5  # events of a week count at its middle; stocks are read at its end
OVER = "The quarter is over, so there is nothing to forecast."
NOT_STARTED = "The quarter has not started."
OF_PEOPLE = "Each person or repository counts once over the whole quarter, so its weeks do not add up."
FEW = f"A forecast takes {FEWEST_POINTS} weeks with data."
FEW_CHECK_INS = f"A forecast takes values of {FEWEST_POINTS} days."
COUNTED_ONCE = (People, PeopleOfWindow, PeopleOnLine, PersonShare, Gini, StockAtEnd)


@dataclass(frozen=True)
class Point:
    """A whole week by its Monday; if values are entered by hand, the day of a check-in.  `sample` is the number of
    facts, `people` that of the people behind them.
    """

    day: date
    value: float | None
    people: int = 0
    sample: float = 0.0


@dataclass(frozen=True)
class SoFar:
    """The quarter's value up to today; `weight` is the number of its facts, or of days for rates per day."""

    value: float | None
    weight: float


@dataclass(frozen=True)
class Ahead:
    """The quarter's value at a future time, with an 80 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Outlook:
    """The projection of the quarter's value from tomorrow; no future week is below the floor or above the ceiling."""

    accumulation: Accumulation
    so_far: SoFar
    line: Line
    weight_a_week: float
    floor: float
    ceiling: float

    def after(self, weeks: float) -> Ahead:
        """The quarter's value that many weeks from now."""
        if self.accumulation is Accumulation.STOCK:
            return self._put_together(self.line.ahead(weeks), known=0.0, times=1.0)
        rest = self.line.ahead(weeks / 2, weeks=weeks)
        known = self.so_far.value
        if self.accumulation is Accumulation.SUM:
            return self._put_together(rest, known=known or 0.0, times=weeks)
        coming = self.weight_a_week * weeks
        weight = self.so_far.weight if known is not None else 0.0
        share = coming / (weight + coming) if weight + coming else 1.0
        return self._put_together(rest, known=(known or 0.0) * (1 - share), times=share)

    def _put_together(self, rest: Estimate, *, known: float, times: float) -> Ahead:
        """Adds `times` the estimate of the rest to the known part."""
        value, low, high = (
            known + times * min(max(rest.value + side * rest.half_width, self.floor), self.ceiling)
            for side in (0, -1, 1)
        )
        return Ahead(value, low, high)


def outlook(
    accumulation: Accumulation,
    points: Sequence[Point],
    so_far: SoFar,
    quarter: Window,
    *,
    today: date,
    is_percent: bool = False,
    by_days: bool = False,
    by_hand: bool = False,
) -> tuple[Outlook | None, str]:
    """The outlook, or why there is none.  With `by_days`, weeks are weighted by days instead of facts."""
    tomorrow = today + timedelta(days=1)
    if tomorrow >= quarter.end:
        return None, OVER
    if today < quarter.start:
        return None, NOT_STARTED
    if accumulation is Accumulation.PEOPLE:
        return None, OF_PEOPLE
    stands_at = (
        1.0 if by_hand else DAYS_A_WEEK if accumulation is Accumulation.STOCK else MIDDLE_OF_WEEK
    )  # days after the week's first day
    recent = points[-MOST_POINTS:]
    known = [point for point in recent if point.value is not None]
    line = line_through(
        [(((point.day - tomorrow).days + stands_at) / DAYS_A_WEEK, point.value or 0.0) for point in known]
    )
    if line is None:
        return None, FEW_CHECK_INS if by_hand else FEW
    values = [point.value for point in known if point.value is not None]
    floor = 0.0 if min(values) >= 0 else float("-inf")
    ceiling = 100.0 if is_percent and max(values) <= 100 else float("inf")
    a_week = DAYS_A_WEEK if by_days else sum(point.sample for point in recent) / len(recent)
    return Outlook(accumulation, so_far, line, a_week, floor, ceiling), ""


def weeks_left(quarter: Window, today: date) -> float:
    """Weeks from tomorrow to the quarter's end."""
    return (quarter.end - today - timedelta(days=1)).days / DAYS_A_WEEK


class Accumulation(enum.Enum):
    """The way weekly values accumulate to the quarter's value, which decides how it is forecast."""

    LEVEL = "its weeks weigh as much as happens in them: shares, means, medians, rates per day"
    SUM = "its weeks add up: it grows until the quarter's end"
    STOCK = "it is what stands at the end"
    PEOPLE = "people, or repositories, count once over all its weeks: these neither add up nor weigh"


def accumulation_of(metric: Metric | None) -> Accumulation:
    """The way in which the metric's values accumulate; None (entered by hand): each check-in has its day's value."""
    if metric is None or metric.is_stock:
        return Accumulation.STOCK
    if isinstance(metric, CountPerTime | PerDeveloper):
        return Accumulation.LEVEL
    if any(isinstance(measure, COUNTED_ONCE) for measure in metric.measures):
        return Accumulation.PEOPLE
    if isinstance(metric, Count):
        return (
            Accumulation.SUM
            if isinstance(metric.of, Facts | Total) and not metric.parts_overlap
            else Accumulation.PEOPLE
        )
    return Accumulation.LEVEL


def grows(metric: Metric | None) -> bool:
    """Whether the value starts at zero each quarter and grows over its days: sums, and sums per developer."""
    if metric is None or metric.is_stock:
        return False
    if accumulation_of(metric) is Accumulation.SUM:
        return True
    per_person = isinstance(metric, Ratio) and isinstance(metric.denominator, People) and not metric.per_period
    return (
        isinstance(metric, Ratio)
        and per_person
        and not isinstance(metric, PerDeveloper)
        and isinstance(metric.numerator, Facts | Total)
        and metric.unit is not UnitOfMeasure.PERCENT
    )

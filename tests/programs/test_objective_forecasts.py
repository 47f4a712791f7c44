"""Forecasts of a key result at its quarter's end: by hand, and in simulated quarters of each course."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from random import Random

import pytest

from insights.catalogue.registry import get, metrics
from insights.query.query import Window
from programs.key_results.services.forecasting import (
    FEW,
    OF_PEOPLE,
    OVER,
    Accumulation,
    Point,
    SoFar,
    accumulation_of,
    grows,
    outlook,
    weeks_left,
)

MONDAY = date(2026, 1, 5)
QUARTER = Window(MONDAY, MONDAY + timedelta(weeks=13))


def points(*values: float | None, until: date, sample: float = 10) -> list[Point]:
    """Whole weeks, the last of them ending before `until`."""
    first = until - timedelta(weeks=len(values))
    return [
        Point(first + timedelta(weeks=number), value, 7, sample if value is not None else 0)
        for number, value in enumerate(values)
    ]


def test_a_sum_by_hand() -> None:
    """Four weeks of 10, 14, 12 and 16 have passed (52), nine are left; today is the Sunday of the fifth, with 6 so far.

    Tomorrow is week 5, the whole weeks stand at −4.5, −3.5, −2.5, −1.5, and eight weeks are left, centred at 4:
    13 + 1.6 · (4 + 3) = 24.2 a week, 193.6 in eight.  The interval is 8 · 1.886 · √(3.6 · (1/8 + 1/4 + 49/5)).
    """
    today = MONDAY + timedelta(days=34)
    weeks = points(10, 14, 12, 16, until=MONDAY + timedelta(weeks=4))
    ahead, _ = outlook(Accumulation.SUM, weeks, SoFar(58, 58), QUARTER, today=today)
    assert ahead is not None
    assert weeks_left(QUARTER, today) == 8
    end = ahead.after(8)
    assert end.value == pytest.approx(58 + 193.6)
    half = 8 * 1.886 * (3.6 * (1 / 8 + 1 / 4 + 49 / 5)) ** 0.5
    assert half == pytest.approx(91.317, abs=1e-3)
    assert (end.low, end.high) == pytest.approx((58 + 193.6 - half, 58 + 193.6 + half))


def test_what_is_counted_stays_counted() -> None:
    """The line falls below nothing: 40, 30, 20 and 10 a week, and eight weeks left."""
    today = MONDAY + timedelta(days=34)
    ahead, _ = outlook(
        Accumulation.SUM,
        points(40, 30, 20, 10, until=MONDAY + timedelta(weeks=4)),
        SoFar(100, 100),
        QUARTER,
        today=today,
    )
    assert ahead is not None
    assert (ahead.after(8).value, ahead.after(8).low) == (100, 100)


def test_a_level_by_hand() -> None:
    """A mean of 13 over 40 facts so far; 10 facts a week, eight weeks left: a third is known, two thirds are ahead."""
    today = MONDAY + timedelta(days=34)
    weeks = points(10, 14, 12, 16, until=MONDAY + timedelta(weeks=4))
    ahead, _ = outlook(Accumulation.LEVEL, weeks, SoFar(13, 40), QUARTER, today=today)
    assert ahead is not None
    end = ahead.after(8)
    assert end.value == pytest.approx(13 / 3 + 24.2 * 2 / 3)
    assert end.high - end.value == pytest.approx(2 / 3 * 1.886 * (3.6 * (1 / 8 + 1 / 4 + 49 / 5)) ** 0.5)
    assert end.value - end.low == pytest.approx(end.high - end.value)


def test_a_stock_is_where_the_line_ends() -> None:
    today = MONDAY + timedelta(days=34)
    weeks = points(10, 14, 12, 16, until=MONDAY + timedelta(weeks=4))
    ahead, _ = outlook(Accumulation.STOCK, weeks, SoFar(17, 17), QUARTER, today=today)
    assert ahead is not None
    assert ahead.after(8).value == pytest.approx(13 + 1.6 * 10.5), "weeks are read at their ends: −4 to −1"


def test_rates_per_day_weigh_by_days() -> None:
    """14 days have passed at 2 a day, 77 are left at 3 a day."""
    today = MONDAY + timedelta(days=13)
    weeks = points(3, 3, 3, 3, until=MONDAY)
    ahead, _ = outlook(Accumulation.LEVEL, weeks, SoFar(2, 14), QUARTER, today=today, by_days=True)
    assert ahead is not None
    assert ahead.after(11).value == pytest.approx((2 * 14 + 3 * 77) / 91)


def test_why_there_is_no_forecast() -> None:
    today = MONDAY + timedelta(days=40)
    weeks = points(1, None, 2, 3, until=MONDAY + timedelta(weeks=5))
    assert outlook(Accumulation.LEVEL, weeks, SoFar(2, 3), QUARTER, today=today) == (None, FEW)
    enough = points(1, 2, 3, 4, until=MONDAY + timedelta(weeks=5))
    assert outlook(Accumulation.PEOPLE, enough, SoFar(2, 3), QUARTER, today=today) == (None, OF_PEOPLE)
    last = QUARTER.end - timedelta(days=1)
    assert outlook(Accumulation.LEVEL, enough, SoFar(2, 3), QUARTER, today=last) == (None, OVER)


def test_percentages_stay_percentages() -> None:
    today = MONDAY + timedelta(days=40)
    weeks = points(70, 80, 90, 99, until=MONDAY + timedelta(weeks=5))
    ahead, _ = outlook(Accumulation.LEVEL, weeks, SoFar(85, 40), QUARTER, today=today, is_percent=True)
    assert ahead is not None
    end = ahead.after(weeks_left(QUARTER, today))
    coming = 10 * weeks_left(QUARTER, today)
    assert end.value == end.high == pytest.approx((85 * 40 + 100 * coming) / (40 + coming)), "no week is above 100 %"


def _sum(weeks: list[float]) -> float:
    return sum(weeks)


def _mean(weeks: list[float]) -> float:
    return sum(weeks) / len(weeks)


def _last(weeks: list[float]) -> float:
    return weeks[-1]


@pytest.mark.parametrize("passed", [2, 5, 9])
@pytest.mark.parametrize(
    ("accumulation", "of_weeks"),
    [(Accumulation.SUM, _sum), (Accumulation.LEVEL, _mean), (Accumulation.STOCK, _last)],
    ids=["sum", "level", "stock"],
)
def test_eighty_of_a_hundred_quarters_end_within_their_interval(
    accumulation: Accumulation, of_weeks: Callable[[list[float]], float], passed: int
) -> None:
    """Quarters whose weeks scatter around a line, looked at after `passed` weeks; 3,000 of each."""
    rng = Random(passed)
    held, runs = 0, 3000
    today = MONDAY + timedelta(weeks=passed) - timedelta(days=1)
    for _ in range(runs):
        before, weeks = ([60 + 1.5 * week + rng.gauss(0, 9) for week in range(first, first + 13)] for first in (-13, 0))
        known_points = points(*before, *weeks[:passed], until=MONDAY + timedelta(weeks=passed))
        so_far = SoFar(of_weeks(weeks[:passed]), 10 * passed)
        ahead, why_not = outlook(accumulation, known_points, so_far, QUARTER, today=today)
        assert ahead is not None, why_not
        end = ahead.after(weeks_left(QUARTER, today))
        held += end.low <= of_weeks(weeks) <= end.high
    assert held / runs == pytest.approx(0.8, abs=0.025)


def test_every_metric_has_a_course_and_what_adds_up_grows() -> None:
    courses = {metric.key: accumulation_of(metric) for metric in metrics()}
    assert courses["pr.throughput"] is courses["incident.count"] is Accumulation.SUM
    assert courses["dora.lead_time"] is courses["dora.deployment_frequency"] is Accumulation.LEVEL
    assert courses["pr.merged_per_developer"] is Accumulation.LEVEL
    assert courses["wip.count"] is courses["branch.stale_count"] is Accumulation.STOCK
    assert courses["ai.adoption_rate"] is courses["commit.frequency"] is Accumulation.PEOPLE
    assert grows(get("pr.throughput"))
    assert grows(get("ai.spend_per_developer")), "a quarter's spend on one developer is more than a week's"
    assert not any(grows(get(key)) for key in ("wip.count", "dora.lead_time", "ai.adoption_rate", "commit.frequency"))

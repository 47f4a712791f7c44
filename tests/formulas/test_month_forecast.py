"""The forecast of a month's spend: by hand, at its beginning and end, and with little to go by."""

from __future__ import annotations

from datetime import date

import pytest

from insights.formulas.month_forecast import MonthForecast, forecast_month

WORKING_DAYS = [80.0] * 5 + [0.0, 0.0]  # four weeks of $400 on Mondays to Fridays
DECEMBER = date(2026, 12, 1)


def forecast(today: str, *, spent: float = 210, weeks: tuple[float, ...] = (100, 120, 80, 100)) -> MonthForecast | None:
    return forecast_month(spent, weeks, WORKING_DAYS, today=date.fromisoformat(today), day_left=0.5, month_end=DECEMBER)


def test_by_hand() -> None:
    """Monday 16 November, noon: half a day, then 4 + 5 + 1 working days are 10.5 of a week's 5, or 2.1 weeks.

    A week is 100 on average, so the month comes to 210 + 2.1 × 100.  The weeks' standard deviation is √(800 ÷ 3) =
    16.33, Student's t of three degrees of freedom 3.182: 2.1 × 3.182 × 16.33 × √1.25 = 121.9.
    """
    found = forecast("2026-11-16")
    assert found is not None
    assert found.weeks_left == pytest.approx(2.1)
    assert found.value == pytest.approx(420)
    assert found.interval.low == pytest.approx(298.1, abs=0.1)
    assert found.interval.high == pytest.approx(541.9, abs=0.1)


def test_the_interval_is_wide_in_a_young_month_and_closes_at_its_end() -> None:
    young, old = forecast("2026-11-02", spent=0), forecast("2026-11-30", spent=420)
    assert young is not None
    assert old is not None
    width, width_then = (found.interval.high - found.interval.low for found in (young, old))
    assert width > 10 * width_then
    assert young.interval.low >= 0
    assert old.interval.low > 420
    over = forecast("2026-11-30", spent=420, weeks=(1000, 10, 10, 10))
    assert over is not None
    assert over.interval.low == 420  # what is spent is spent


def test_a_weekend_costs_what_weekends_cost() -> None:
    saturday = forecast_month(
        0, (70, 70, 70), [30.0] * 7, today=date(2026, 11, 28), day_left=1, month_end=date(2026, 11, 30)
    )
    assert saturday is not None
    assert saturday.value == pytest.approx(20)
    on_working_days = forecast("2026-11-28", spent=400)  # Monday 30 November is to come
    assert on_working_days is not None
    assert on_working_days.value == pytest.approx(420)


@pytest.mark.parametrize("weeks", [(), (100,), (100, 120)])
def test_fewer_than_three_weeks_are_no_forecast(weeks: tuple[float, ...]) -> None:
    assert forecast("2026-11-16", weeks=weeks) is None


def test_nothing_spent_is_no_forecast() -> None:
    assert forecast_month(0, (0, 0, 0), [0.0] * 7, today=date(2026, 11, 16), day_left=1, month_end=DECEMBER) is None

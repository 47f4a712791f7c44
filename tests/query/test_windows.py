"""Windows, what they are compared with, and their buckets."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
import time_machine
from pytest_django.fixtures import Settings

from insights.query import windows
from insights.query.query import Granularity, Window

TODAY = date(2026, 3, 18)  # a Wednesday


def test_a_trailing_window_ends_with_today() -> None:
    assert windows.trailing(4, today=TODAY) == Window(date(2026, 2, 19), date(2026, 3, 19))


def test_a_trailing_window_is_compared_with_the_days_before_it() -> None:
    assert windows.previous(windows.trailing(4, today=TODAY), today=TODAY) == Window(
        date(2026, 1, 22), date(2026, 2, 19)
    )


def test_an_unfinished_quarter_is_compared_with_the_same_part_of_the_one_before() -> None:
    quarter = windows.quarter_of(TODAY)
    assert quarter == Window(date(2026, 1, 1), date(2026, 4, 1))
    assert windows.previous(quarter, today=TODAY) == Window(date(2025, 10, 1), date(2025, 12, 17))


def test_a_finished_month_is_compared_with_the_whole_one_before() -> None:
    february = Window(date(2026, 2, 1), date(2026, 3, 1))
    assert windows.previous(february, today=TODAY) == Window(date(2026, 1, 1), date(2026, 2, 1))


@pytest.mark.parametrize(
    ("window", "before"),
    [
        (Window(date(2027, 1, 4), date(2027, 1, 18)), Window(date(2026, 12, 21), date(2027, 1, 4))),
        (Window(date(2027, 2, 1), date(2027, 3, 1)), Window(date(2027, 1, 1), date(2027, 2, 1))),
        (Window(date(2027, 1, 1), date(2027, 4, 1)), Window(date(2026, 10, 1), date(2027, 1, 1))),
    ],
)
def test_a_window_of_which_nothing_has_come_is_compared_with_the_whole_before(window: Window, before: Window) -> None:
    assert windows.previous(window, today=TODAY) == before


def test_buckets_are_clipped_to_the_window() -> None:
    weeks = windows.buckets(Window(date(2026, 3, 4), date(2026, 3, 19)), Granularity.WEEK)
    assert [bucket.clipped for bucket in weeks] == [
        Window(date(2026, 3, 4), date(2026, 3, 9)),
        Window(date(2026, 3, 9), date(2026, 3, 16)),
        Window(date(2026, 3, 16), date(2026, 3, 19)),
    ]
    assert weeks[0].whole == Window(date(2026, 3, 2), date(2026, 3, 9))


@pytest.mark.parametrize(
    ("first_month", "quarter"),
    [
        (1, Window(date(2026, 1, 1), date(2026, 4, 1))),
        (2, Window(date(2026, 2, 1), date(2026, 5, 1))),
        (4, Window(date(2026, 1, 1), date(2026, 4, 1))),
        (12, Window(date(2026, 3, 1), date(2026, 6, 1))),
    ],
)
def test_quarters_count_from_the_fiscal_year(first_month: int, quarter: Window, settings: Settings) -> None:
    settings.FISCAL_YEAR_START_MONTH = first_month
    assert windows.quarter_of(TODAY) == quarter


def test_periods_count_the_days_that_have_come() -> None:
    whole_week = Window(date(2026, 3, 9), date(2026, 3, 16))
    assert windows.periods(whole_week, Granularity.WEEK, today=TODAY) == 1
    running = Window(date(2026, 3, 16), date(2026, 3, 23))
    assert windows.periods(running, Granularity.WEEK, today=TODAY) == pytest.approx(3 / 7)
    assert windows.periods(windows.trailing(12, today=TODAY), Granularity.WEEK, today=TODAY) == pytest.approx(12)
    assert windows.periods(Window(date(2026, 2, 1), date(2026, 3, 1)), Granularity.MONTH, today=TODAY) == 1


def test_today_is_that_of_the_organisations_zone(settings: Settings) -> None:
    from zoneinfo import ZoneInfo

    settings.ORGANISATION_TIME_ZONE = ZoneInfo("Pacific/Auckland")
    with time_machine.travel(datetime(2026, 3, 18, 13, 0, tzinfo=UTC), tick=False):
        assert windows.local_today() == date(2026, 3, 19)

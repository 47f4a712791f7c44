"""The demo's monthly reviews are of months that it has days of."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from demo.load.reviews import reviewed_months
from demo.plan.stories import Flavour
from demo.plan.year import DemoYear


def months(flavour: Flavour, today: date) -> list[date]:
    year = DemoYear(seed=1, flavour=flavour, anchor=datetime(today.year, today.month, today.day, 9, tzinfo=UTC))
    return list(reviewed_months(year, today))


def test_a_year_has_twelve_reviews_and_a_small_demo_fewer() -> None:
    assert months(Flavour.SMALL_STORIES, date(2026, 11, 26)) == [date(2026, month, 1) for month in (10, 9, 8)]
    for day in range(366):
        today = date(2026, 1, 1) + timedelta(days=day)
        assert len(months(Flavour.STORIES, today)) == 12, today
        assert len(months(Flavour.SMALL_STORIES, today)) in (3, 4), today

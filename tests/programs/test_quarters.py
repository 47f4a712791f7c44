"""Fiscal quarters: made when they are asked for, without gaps, and kept when the calendar changes."""

from datetime import date
from itertools import pairwise

import pytest
from pytest_django.fixtures import Settings

from programs.models import Quarter
from programs.quarters.fiscal_quarters import following, preceding, quarter_at

pytestmark = pytest.mark.django_db


def test_a_day_has_one_quarter() -> None:
    first = quarter_at(date(2026, 8, 31))
    assert (first.start, first.end, str(first)) == (date(2026, 7, 1), date(2026, 10, 1), "2026-Q3")
    assert quarter_at(date(2026, 7, 1)) == quarter_at(date(2026, 9, 30)) == first
    assert following(first).start == date(2026, 10, 1)
    assert preceding(first).start == date(2026, 4, 1)


def test_quarters_keep_their_days_when_the_fiscal_calendar_changes(settings: Settings) -> None:
    first = quarter_at(date(2026, 8, 31))
    settings.FISCAL_YEAR_START_MONTH = 2
    assert quarter_at(date(2026, 9, 1)) == first
    after, before = following(first), preceding(first)
    assert (after.start, after.end) == (date(2026, 10, 1), date(2026, 11, 1))  # what is left of August to October
    assert (before.start, before.end) == (date(2026, 5, 1), date(2026, 7, 1))  # May to July, without what was there
    days = sorted(Quarter.objects.values_list("start", "end"))
    assert all(end == start for (_, end), (start, _) in pairwise(days))

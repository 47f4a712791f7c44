"""The demo's hand-kept metrics: a year of months, of templates that there are; its run stores them."""

from __future__ import annotations

from datetime import date

from demo.load.hand_kept import DRIFT, MONTHS, SERIES
from integrations.hand_kept.templates import TEMPLATES


def test_every_series_is_a_year_of_months_up_to_today() -> None:
    for today in (date(2026, 1, 1), date(2026, 3, 31), date(2026, 12, 15)):
        for series in SERIES:
            assert series.slug in TEMPLATES
            days = [day for day, _ in series.values(today)]
            assert len(days) == len(set(days)) == MONTHS == len(DRIFT)
            assert days[-1] == today.replace(day=1)
            assert all(day.day == 1 for day in days)
            values = [value for _, value in series.values(today)]
            assert (values[0], values[-1]) == (series.first, series.last)


def test_each_metric_is_entered_for_several_units_once_each() -> None:
    places = [(series.slug, series.team) for series in SERIES]
    assert len(places) == len(set(places))
    for slug in {slug for slug, _ in places}:
        assert sum(place[0] == slug for place in places) >= 2

"""The days of a series against a calendar on paper: each expected day was looked up there, and not computed here."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from insights.query.query import Window
from orgtree.organisation.fiscal_calendar import cache_fiscal_year
from programs.meetings.services.recurrence import Occurrence, moments, occurrences
from programs.models import MeetingKind, MeetingSeries, OnHoliday, Place, Rule, Weekday


def series(**fields: Any) -> MeetingSeries:
    usual = {
        "kind": MeetingKind.QBR,
        "rule": Rule.WEEKDAY,
        "begins": time(10),
        "minutes": 60,
        "time_zone": "Europe/Berlin",
        "starts_on": date(2026, 1, 1),
    }
    return MeetingSeries(**{**usual, **fields})


def days(until: date, **fields: Any) -> list[str]:
    return [str(met.day) for met in occurrences(series(**fields), until=until)]


def first(weekday: Weekday) -> dict[str, Any]:
    return {"rule": Rule.WEEKDAY, "place": Place.FIRST, "weekday": weekday}


def on_first_tuesdays(**fields: Any) -> MeetingSeries:
    return series(**first(Weekday.TUESDAY), **fields)


def test_first_tuesdays_of_half_a_year() -> None:
    """January 2026 begins on a Thursday, September on a Tuesday."""
    found = [str(met.day) for met in occurrences(on_first_tuesdays(), until=date(2026, 9, 30))]
    assert found == [
        *("2026-01-06", "2026-02-03", "2026-03-03", "2026-04-07", "2026-05-05"),
        *("2026-06-02", "2026-07-07", "2026-08-04", "2026-09-01"),
    ]


def test_last_fridays() -> None:
    assert days(date(2026, 5, 31), rule=Rule.WEEKDAY, place=Place.LAST, weekday=Weekday.FRIDAY) == [
        *("2026-01-30", "2026-02-27", "2026-03-27", "2026-04-24", "2026-05-29")
    ]


def test_the_31st_is_the_last_day_of_a_shorter_month_and_comes_back() -> None:
    assert days(date(2026, 7, 31), rule=Rule.DAY, day=31) == [
        *("2026-01-31", "2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30", "2026-07-31")
    ]


def test_a_leap_year_has_a_29th_of_february() -> None:
    in_2028: dict[str, Any] = {"rule": Rule.DAY, "starts_on": date(2028, 1, 1), "until": date(2028, 3, 31)}
    assert days(day=31, **in_2028) == ["2028-01-31", "2028-02-29", "2028-03-31"]
    assert days(day=29, **in_2028) == ["2028-01-29", "2028-02-29", "2028-03-29"]
    assert days(date(2026, 3, 31), rule=Rule.DAY, day=29) == ["2026-01-29", "2026-02-28", "2026-03-29"]


def test_every_n_months_counts_from_the_first_meeting_and_goes_past_the_year() -> None:
    """The 10th of July is after its first Tuesday: the first meeting is in August."""
    found = occurrences(on_first_tuesdays(every_months=5, starts_on=date(2026, 7, 10)), until=date(2027, 12, 31))
    assert [str(met.day) for met in found] == ["2026-08-04", "2027-01-05", "2027-06-01", "2027-11-02"]


def test_the_second_week_after_the_quarters_end() -> None:
    """The second seven days of October 2026 are the 8th to the 14th: their Tuesday is the 13th."""
    assert days(date(2026, 12, 31), rule=Rule.QUARTER_WEEK, week=2, weekday=Weekday.TUESDAY) == [
        *("2026-01-13", "2026-04-14", "2026-07-14", "2026-10-13")
    ]


def test_quarters_are_those_of_the_fiscal_year() -> None:
    """A fiscal year from February has quarters from February, May, August and November."""
    cache_fiscal_year(2)
    try:
        found = list(
            occurrences(series(rule=Rule.QUARTER_WEEK, week=1, weekday=Weekday.MONDAY), until=date(2026, 8, 31))
        )
    finally:
        cache_fiscal_year(None)
    assert [str(met.day) for met in found] == ["2026-02-02", "2026-05-04", "2026-08-03"]
    assert found[0].period == Window(date(2025, 11, 1), date(2026, 2, 1))


def test_a_series_ends_with_its_last_day() -> None:
    assert [
        str(met.day) for met in occurrences(on_first_tuesdays(ends_on=date(2026, 3, 3)), until=date(2027, 1, 1))
    ] == [*("2026-01-06", "2026-02-03", "2026-03-03")]


def test_local_time_stays_when_the_clock_is_put_forward_and_back() -> None:
    """Berlin: UTC+1 until 29 March 2026, UTC+2 until 25 October 2026."""
    weekly_clock = on_first_tuesdays()
    begins = {str(day): moments(weekly_clock, day)[0].hour for day in (date(2026, 3, 3), date(2026, 4, 7))}
    assert begins == {"2026-03-03": 9, "2026-04-07": 8}
    begins = {str(day): moments(weekly_clock, day)[0].hour for day in (date(2026, 10, 6), date(2026, 11, 3))}
    assert begins == {"2026-10-06": 8, "2026-11-03": 9}


def test_a_time_that_the_clock_skips_is_later_and_one_that_comes_twice_is_the_first() -> None:
    at_half_past_two = series(rule=Rule.DAY, day=29, begins=time(2, 30))
    assert moments(at_half_past_two, date(2026, 3, 29)) == (
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # 03:30 in Berlin
        datetime(2026, 3, 29, 2, 30, tzinfo=UTC),
    )
    assert moments(at_half_past_two, date(2026, 10, 25))[0] == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_clock_is_the_series_own() -> None:
    """New York puts its clock forward three weeks before Berlin: 8 March 2026."""
    of_new_york = on_first_tuesdays(time_zone="America/New_York")
    assert moments(of_new_york, date(2026, 3, 3))[0].hour == 15
    assert moments(of_new_york, date(2026, 4, 7))[0].hour == 14


def test_a_holiday_moves_a_meeting_to_the_next_working_day() -> None:
    """1 May 2026 is a Friday: the next working day is Monday, the 4th."""
    [april, may, _] = occurrences(
        series(rule=Rule.WEEKDAY, place=Place.FIRST, weekday=Weekday.FRIDAY, country="DE", starts_on=date(2026, 4, 1)),
        until=date(2026, 6, 30),
    )
    # 3 April 2026 is Good Friday, and Monday the 6th Easter Monday
    assert (april.rule_day, april.day, april.holiday) == (date(2026, 4, 3), date(2026, 4, 7), "Good Friday")
    assert (may.rule_day, may.day, may.holiday) == (date(2026, 5, 1), date(2026, 5, 4), "Labor Day")


def test_a_holiday_skips_a_meeting_where_the_series_says_so() -> None:
    skipping = series(
        rule=Rule.WEEKDAY, place=Place.FIRST, weekday=Weekday.FRIDAY, country="DE",
        on_holiday=OnHoliday.SKIP, starts_on=date(2026, 5, 1),
    )  # fmt: skip
    may, june = occurrences(skipping, until=date(2026, 6, 30))
    assert (may.day, may.holiday) == (None, "Labor Day")
    assert june.day == date(2026, 6, 5)


def test_a_subdivision_has_holidays_of_its_own() -> None:
    """Corpus Christi, Thursday 4 June 2026, is one in Bavaria and none in Berlin."""
    thursday = {**first(Weekday.THURSDAY), "country": "DE"}
    june: dict[str, Any] = {"starts_on": date(2026, 6, 1), "until": date(2026, 6, 30)}
    assert days(subdivision="BY", **thursday, **june) == ["2026-06-05"]
    assert days(subdivision="BE", **thursday, **june) == ["2026-06-04"]


def test_weekends_move_a_day_of_the_month_where_a_country_says_what_they_are() -> None:
    """31 January 2026 is a Saturday; in the Emirates Friday is none of the weekend, since 2022."""
    january: dict[str, Any] = {"rule": Rule.DAY, "day": 31, "until": date(2026, 1, 31)}
    assert days(country="DE", **january) == ["2026-02-02"]
    assert days(country="AE", **january) == ["2026-02-02"]
    assert days(**january) == ["2026-01-31"]
    assert days(country="DE", on_holiday=OnHoliday.SKIP, **january) == ["2026-02-02"]


def test_a_weekday_that_is_meant_stays_even_on_a_weekend() -> None:
    assert days(date(2026, 2, 28), starts_on=date(2026, 2, 1), country="DE", **first(Weekday.SATURDAY)) == [
        "2026-02-07"
    ]


def test_a_country_that_nobody_knows_any_more_has_no_holidays() -> None:
    assert days(date(2026, 1, 31), rule=Rule.DAY, day=1, country="XX") == ["2026-01-01"]


@pytest.mark.parametrize(
    ("fields", "rule_day", "period"),
    [
        ({"kind": "review", "place": 1}, "2026-07-07", ("2026-06-01", "2026-07-01")),
        ({"kind": "review", "place": 3}, "2026-07-21", ("2026-07-01", "2026-08-01")),
        ({"kind": "review", "place": -1}, "2026-07-28", ("2026-07-01", "2026-08-01")),
        ({"kind": "review", "rule": "day", "day": 31}, "2026-07-31", ("2026-07-01", "2026-08-01")),
        ({"kind": "review", "rule": "day", "day": 15}, "2026-07-15", ("2026-06-01", "2026-07-01")),
        ({"kind": "qbr", "place": 1}, "2026-07-07", ("2026-06-01", "2026-07-01")),
        ({"kind": "qbr", "place": 1, "every_months": 3}, "2026-07-07", ("2026-04-01", "2026-07-01")),
        ({"kind": "qbr", "place": 3, "every_months": 3}, "2026-07-21", ("2026-04-01", "2026-07-01")),
        ({"kind": "qbr", "rule": "quarter_week", "week": 2}, "2026-07-14", ("2026-04-01", "2026-07-01")),
    ],
)
def test_what_a_meeting_is_about(fields: dict[str, Any], rule_day: str, period: tuple[str, str]) -> None:
    earliest = next(
        occurrences(
            series(**{"weekday": Weekday.TUESDAY, **fields}, starts_on=date(2026, 7, 1)), until=date(2026, 12, 31)
        )
    )
    start, end = map(date.fromisoformat, period)
    assert earliest == Occurrence(Window(start, end), date.fromisoformat(rule_day), date.fromisoformat(rule_day))


@pytest.mark.parametrize("every_months", range(1, 13))
@pytest.mark.parametrize("place", Place.values)
@pytest.mark.parametrize("kind", MeetingKind.values)
def test_no_two_meetings_of_a_series_are_about_the_same_period(kind: str, place: int, every_months: int) -> None:
    of_ten_years = occurrences(
        series(kind=kind, place=place, weekday=Weekday.MONDAY, every_months=every_months), until=date(2036, 1, 1)
    )
    periods = [met.period for met in of_ten_years]
    assert len(periods) == len(set(periods))
    assert periods == sorted(periods, key=lambda period: period.start)

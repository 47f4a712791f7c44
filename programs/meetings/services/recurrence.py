"""Computes the days of a series from its rule and the public holidays of its country.  Nothing here is stored.

Holidays and weekends come from the `holidays` library, which is loaded when it is first needed.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import count, takewhile
from typing import TYPE_CHECKING

from insights.query import windows
from insights.query.query import Window
from programs.models import MeetingSeries, OnHoliday, Rule
from programs.models.meetings import LAST_DAY, Place

if TYPE_CHECKING:
    from holidays import HolidayBase

MONTHS_A_YEAR = 12
DAYS_A_WEEK = 7
LAST_EARLY_DAY = 15  # of a month: meetings up to this day are about the month before
EARLY_PLACES = (Place.FIRST, Place.SECOND)
LANGUAGE = "en_US"  # of the names of holidays, if the library has them
NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class Occurrence:
    """A meeting by the rule: about `period`, on `day`; None if the holiday on `rule_day` skips it."""

    period: Window
    rule_day: date
    day: date | None
    holiday: str = ""  # its name, if `rule_day` is one


def occurrences(series: MeetingSeries, *, until: date) -> Iterator[Occurrence]:
    """The occurrences from the series' first day, in order, up to the last whose `rule_day` is not after `until`."""
    last = min(until, series.ends_on or until)
    off = days_off(series.country, series.subdivision)
    for rule_day in takewhile(lambda day: day <= last, _rule_days(series)):
        yield _respecting_holidays(series, rule_day, off)


def moments(series: MeetingSeries, day: date) -> tuple[datetime, datetime]:
    """Start and end in UTC of a meeting on that day.

    Its local time stays the same when the clocks change.  A time that is skipped moves forward by the same amount as
    the clock; of a time that occurs twice, the first counts.
    """
    starts_at = datetime.combine(day, series.begins, series.zone).astimezone(UTC)
    return starts_at, starts_at + timedelta(minutes=series.minutes)


def _rule_days(series: MeetingSeries) -> Iterator[date]:
    """The rule's day in every `every_months`-th month (or each quarter), from the first on or after `starts_on`."""
    if series.rule == Rule.QUARTER_WEEK:
        yield from (day for day in _days_in_quarters(series) if day >= series.starts_on)
        return
    first = next(number for number in count(_month(series.starts_on)) if _in_month(series, number) >= series.starts_on)
    yield from (_in_month(series, number) for number in range(first, _month(LAST_DAY), series.every_months))


def _in_month(series: MeetingSeries, month: int) -> date:
    year, number = divmod(month, MONTHS_A_YEAR)
    first_weekday, length = calendar.monthrange(year, number + 1)
    if series.rule == Rule.DAY:
        return date(year, number + 1, min(series.day or 1, length))
    of_weekday = range(1 + ((series.weekday or 0) - first_weekday) % DAYS_A_WEEK, length + 1, DAYS_A_WEEK)
    place = series.place or Place.FIRST
    return date(year, number + 1, of_weekday[place if place == Place.LAST else place - 1])


def _days_in_quarters(series: MeetingSeries) -> Iterator[date]:
    start = windows.quarter_of(series.starts_on).start
    while start < LAST_DAY:
        week = start + timedelta(days=DAYS_A_WEEK * ((series.week or 1) - 1))
        yield week + timedelta(days=((series.weekday or 0) - week.weekday()) % DAYS_A_WEEK)
        start = windows.quarter_of(start).end


def _month(day: date) -> int:
    """Months counted from the year 0."""
    return day.year * MONTHS_A_YEAR + day.month - 1


def _first_of(month: int) -> date:
    return date(month // MONTHS_A_YEAR, month % MONTHS_A_YEAR + 1, 1)


def _period(series: MeetingSeries, rule_day: date) -> Window:
    """The last complete month or quarter; in the second half of a month, the month itself.

    Computed from the rule, not from the actual day, so that no two meetings of a series are about the same period.
    """
    if series.rule == Rule.QUARTER_WEEK:
        return windows.quarter_of(windows.quarter_of(rule_day).start - timedelta(days=1))
    is_early = (series.day or 0) <= LAST_EARLY_DAY if series.rule == Rule.DAY else series.place in EARLY_PLACES
    month = _month(rule_day) - is_early
    if not series.is_quarterly:
        return Window(_first_of(month), _first_of(month + 1))
    quarter = windows.quarter_of(_first_of(month))
    if quarter.end == _first_of(month + 1):
        return quarter
    return windows.quarter_of(quarter.start - timedelta(days=1))


def _respecting_holidays(series: MeetingSeries, rule_day: date, off: HolidayBase | None) -> Occurrence:
    """Moves or skips the meeting on a holiday; on a weekend, moves it only if the rule is a day of the month.

    A rule that names a weekday means that weekday.
    """
    period = _period(series, rule_day)
    if off is None:
        return Occurrence(period, rule_day, rule_day)
    holiday = off.get(rule_day) or ""
    if holiday and series.on_holiday == OnHoliday.SKIP:
        return Occurrence(period, rule_day, None, holiday)
    if holiday or (series.rule == Rule.DAY and not off.is_working_day(rule_day)):
        return Occurrence(period, rule_day, _next_working_day(off, rule_day), holiday)
    return Occurrence(period, rule_day, rule_day)


def _next_working_day(off: HolidayBase, day: date) -> date:
    while not off.is_working_day(day):
        day += timedelta(days=1)
    return day


def days_off(country: str, subdivision: str) -> HolidayBase | None:
    """The country's public holidays; None without a country, or if the library no longer has it."""
    if country not in countries():
        return None
    return _days_off(country, subdivision if subdivision in subdivisions(country) else "")


@lru_cache(maxsize=64)
def _days_off(country: str, subdivision: str) -> HolidayBase:
    from holidays import country_holidays

    return country_holidays(country, subdiv=subdivision or None, language=LANGUAGE)


@lru_cache(maxsize=1)
def countries() -> Mapping[str, str]:
    """Country names by code (ISO 3166-1), in alphabetical order."""
    from holidays.registry import COUNTRIES

    names = {code: NEW_WORD.sub(" ", name) for name, code, *_ in COUNTRIES.values()}
    return dict(sorted(names.items(), key=lambda country: country[1]))


def subdivisions(country: str) -> tuple[str, ...]:
    """Codes of the country's subdivisions that have holidays of their own."""
    import holidays

    return tuple(getattr(holidays, country).subdivisions) if country in countries() else ()

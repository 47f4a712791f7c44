"""Windows of local days: presets, the previous window, and the buckets of a granularity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from django.conf import settings
from django.utils import timezone

from insights.query.query import Granularity, Window
from orgtree.organisation.fiscal_calendar import first_month

TRAILING_WEEKS = (4, 8, 12, 26, 52)  # the presets of every page
DEFAULT_WEEKS = 12
MOST_KEPT = 256
MONTHS_A_YEAR = 12
MONTHS_A_QUARTER = 3


@dataclass(frozen=True)
class Bucket:
    """A day, ISO week, month or fiscal quarter: whole, and clipped to the window."""

    whole: Window
    clipped: Window


def local_today() -> date:
    """Today in the organisation's time zone."""
    return timezone.localdate(timezone=settings.ORGANISATION_TIME_ZONE)


def trailing(weeks: int, *, today: date | None = None) -> Window:
    """The last `weeks` weeks, today included."""
    end = (today or local_today()) + timedelta(days=1)
    return Window(end - timedelta(weeks=weeks), end)


def quarter_of(day: date) -> Window:
    """The fiscal quarter that contains `day`."""
    return whole_bucket(day, Granularity.QUARTER)


def quarter_name(start: date) -> str:
    """The name of a fiscal quarter by its first day, such as 2026-Q3; a fiscal year is named after the year in which it
    ends.
    """
    begins = first_month()
    year = start.year + (1 if begins > 1 and start.month >= begins else 0)
    return f"{year}-Q{(start.month - begins) % MONTHS_A_YEAR // MONTHS_A_QUARTER + 1}"


def passed(window: Window, *, today: date | None = None) -> Window:
    """The elapsed part of the window: up to today, today included."""
    tomorrow = (today or local_today()) + timedelta(days=1)
    return Window(window.start, max(window.start, min(window.end, tomorrow)))


def previous(window: Window, *, today: date | None = None) -> Window:
    """The window to compare with: the preceding one of the same length.

    A whole month or quarter is compared with the preceding one; an unfinished one with the same part of the preceding
    one; one that has not started with all of it.
    """
    for granularity in (Granularity.MONTH, Granularity.QUARTER):
        whole = whole_bucket(window.start, granularity)
        if window == whole:
            before = whole_bucket(window.start - timedelta(days=1), granularity)
            elapsed = passed(window, today=today)
            if elapsed == window or not elapsed.days:
                return before
            return Window(before.start, min(before.end, before.start + timedelta(days=elapsed.days)))
    elapsed = passed(window, today=today)
    end = elapsed.end if elapsed.days else window.end
    return Window(window.start - timedelta(days=window.days), end - timedelta(days=window.days))


def buckets(window: Window, granularity: Granularity) -> Sequence[Bucket]:
    """Every bucket that overlaps the window, in chronological order, the first and last clipped to it."""
    return _buckets_of_week(window) if granularity is Granularity.WEEK else _buckets(window, granularity)


@lru_cache(maxsize=MOST_KEPT)
def _buckets_of_week(window: Window) -> Sequence[Bucket]:
    """The weeks of a window; cached because the queries of a page share a few windows, and weeks, unlike quarters, do
    not depend on settings.
    """
    return _buckets(window, Granularity.WEEK)


def _buckets(window: Window, granularity: Granularity) -> Sequence[Bucket]:
    buckets_found = []
    start = window.start
    while start < window.end:
        whole = whole_bucket(start, granularity)
        buckets_found.append(Bucket(whole, Window(start, min(whole.end, window.end))))
        start = whole.end
    return tuple(buckets_found)


def periods(window: Window, granularity: Granularity, *, today: date) -> float:
    """The length of the elapsed part of `window` in granularity units; clipped units count as fractions."""
    elapsed = passed(window, today=today)
    return sum(bucket.clipped.days / bucket.whole.days for bucket in buckets(elapsed, granularity))


def whole_bucket(day: date, granularity: Granularity) -> Window:
    """The whole day, ISO week (from Monday), month or fiscal quarter that contains `day`."""
    if granularity is Granularity.DAY:
        return Window(day, day + timedelta(days=1))
    if granularity is Granularity.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Window(monday, monday + timedelta(weeks=1))
    length = 1 if granularity is Granularity.MONTH else MONTHS_A_QUARTER
    months = day.year * MONTHS_A_YEAR + day.month - 1
    first = months - (months - (first_month() - 1)) % length
    return Window(_month(first), _month(first + length))


def _month(months: int) -> date:
    return date(months // MONTHS_A_YEAR, months % MONTHS_A_YEAR + 1, 1)

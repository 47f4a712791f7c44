"""Windows of local days: presets, the window before, and the buckets of a granularity."""

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
    """A day, ISO week, month or fiscal quarter: whole, and as far as it lies in the window."""

    whole: Window
    clipped: Window


def local_today() -> date:
    """Today in the organisation's zone."""
    return timezone.localdate(timezone=settings.ORGANISATION_TIME_ZONE)


def trailing(weeks: int, *, today: date | None = None) -> Window:
    """The last `weeks` weeks, today included."""
    end = (today or local_today()) + timedelta(days=1)
    return Window(end - timedelta(weeks=weeks), end)


def quarter_of(day: date) -> Window:
    """The fiscal quarter that contains `day`."""
    return whole_bucket(day, Granularity.QUARTER)


def quarter_name(start: date) -> str:
    """2026-Q3 for a fiscal quarter by its first day; a fiscal year has the name of the year in which it ends."""
    begins = first_month()
    year = start.year + (1 if begins > 1 and start.month >= begins else 0)
    return f"{year}-Q{(start.month - begins) % MONTHS_A_YEAR // MONTHS_A_QUARTER + 1}"


def passed(window: Window, *, today: date | None = None) -> Window:
    """The part of the window that has come: up to today, today included."""
    tomorrow = (today or local_today()) + timedelta(days=1)
    return Window(window.start, max(window.start, min(window.end, tomorrow)))


def previous(window: Window, *, today: date | None = None) -> Window:
    """What a window is compared with: the time before it, of the same length.

    A whole month or quarter is compared with the one before; an unfinished one with the same part of the one
    before; one of which nothing has come with the whole.
    """
    for granularity in (Granularity.MONTH, Granularity.QUARTER):
        whole = whole_bucket(window.start, granularity)
        if window == whole:
            before = whole_bucket(window.start - timedelta(days=1), granularity)
            come = passed(window, today=today)
            if come == window or not come.days:
                return before
            return Window(before.start, min(before.end, before.start + timedelta(days=come.days)))
    come = passed(window, today=today)
    end = come.end if come.days else window.end
    return Window(window.start - timedelta(days=window.days), end - timedelta(days=window.days))


def buckets(window: Window, granularity: Granularity) -> Sequence[Bucket]:
    """Every bucket that the window touches, in order of time, the first and last clipped to it."""
    return _buckets_of_week(window) if granularity is Granularity.WEEK else _buckets(window, granularity)


@lru_cache(maxsize=MOST_KEPT)
def _buckets_of_week(window: Window) -> Sequence[Bucket]:
    """Kept, because the figures of a page ask for the same few; weeks, unlike quarters, begin on no set month."""
    return _buckets(window, Granularity.WEEK)


def _buckets(window: Window, granularity: Granularity) -> Sequence[Bucket]:
    found = []
    start = window.start
    while start < window.end:
        whole = whole_bucket(start, granularity)
        found.append(Bucket(whole, Window(start, min(whole.end, window.end))))
        start = whole.end
    return tuple(found)


def periods(window: Window, granularity: Granularity, *, today: date) -> float:
    """The length of the part of `window` that has come, in granularity units; clipped units count as fractions."""
    come = passed(window, today=today)
    return sum(bucket.clipped.days / bucket.whole.days for bucket in buckets(come, granularity))


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

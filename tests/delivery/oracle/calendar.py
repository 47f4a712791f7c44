"""The local calendar of the organisation: Berlin, where two Sundays a year have 23 and 25 hours."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from insights.query.query import Window

ZONE_NAME = "Europe/Berlin"
ZONE = ZoneInfo(ZONE_NAME)
WEEK = timedelta(weeks=1)


def day_of(at: datetime) -> date:
    """The local day on which a moment lies."""
    return at.astimezone(ZONE).date()


def beginning_of(day: date) -> datetime:
    """The moment at which a local day begins."""
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def weeks_of(window: Window) -> Iterator[Window]:
    """The weeks, from Monday, of a window that begins on a Monday."""
    start = window.start
    while start < window.end:
        yield Window(start, min(start + WEEK, window.end))
        start += WEEK


@dataclass(frozen=True)
class DateRange:
    """The days of a history: it is read on a Wednesday at noon, some weeks after a change of the clock."""

    first: date  # a Monday
    now: datetime

    @property
    def today(self) -> date:
        return day_of(self.now)

    @property
    def window(self) -> Window:
        """To the end of a week that is in the future."""
        return Window(self.first, self.first + 9 * WEEK)

    def days(self) -> list[date]:
        return [self.first + timedelta(days=number) for number in range((self.today - self.first).days + 1)]


SPRING = DateRange(date(2026, 3, 2), datetime(2026, 4, 22, 10, tzinfo=UTC))  # summer time begins on 29 March
AUTUMN = DateRange(date(2025, 9, 29), datetime(2025, 11, 19, 11, tzinfo=UTC))  # it ends on 26 October


class Moments:
    """Moments between two others, many of them close to where local days and weeks end.  None is given twice."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._given: set[datetime] = set()

    def between(self, start: datetime, end: datetime) -> datetime:
        """To the minute where there is one left, later by seconds where not."""
        minutes = max(1, int((end - start).total_seconds() // 60))
        at = start + timedelta(minutes=self._chance.randrange(minutes))
        if self._chance.random() < 0.25:
            border = beginning_of(day_of(at)) + timedelta(minutes=self._chance.randrange(-40, 40))
            at = border if start <= border < end else at
        while at in self._given:
            at += timedelta(seconds=1)
        self._given.add(at)
        return at

    def after(self, start: datetime, most: timedelta, end: datetime) -> datetime:
        """At most so much later, and before the end."""
        return self.between(start, max(start + timedelta(minutes=1), min(start + most, end)))

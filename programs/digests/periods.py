"""The due times of digests, and the periods that they cover."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from insights.query.query import Window
from programs.models import DigestSubscription, Rhythm
from programs.quarters.fiscal_quarters import quarter_of

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Due:
    """The moment when a digest is due, and its period."""

    at: datetime
    period: Window


def last_due(subscription: DigestSubscription, now: datetime, zone: ZoneInfo) -> Due | None:
    """The latest digest that is due; None before the first one after the account subscribed."""
    local = now.astimezone(zone)
    for monday in (_monday(local.date()) - WEEK * weeks for weeks in range(15)):
        day = monday + timedelta(days=subscription.weekday)
        at = datetime.combine(day, time(subscription.hour), zone).astimezone(UTC)
        if at > now:
            continue
        if at < subscription.since:
            return None
        if period := _period_before(Rhythm(subscription.rhythm), monday, day):
            return Due(at, period)
    return None


def current_period(rhythm: Rhythm, today: date) -> Window:
    """The last complete period."""
    if rhythm is Rhythm.QUARTERLY:
        running = quarter_of(today)
        last = quarter_of(running.start - timedelta(days=1))
        return Window(last.start, last.end)
    weeks = WEEK if rhythm is Rhythm.WEEKLY else 2 * WEEK
    return Window(_monday(today) - weeks, _monday(today))


def _period_before(rhythm: Rhythm, monday: date, day: date) -> Window | None:
    """The period that ended before the week of that Monday; None if none did.

    Two-week periods end in every other week, the same for everybody.  A quarter's digest is due on the first such day
    of the next quarter.
    """
    match rhythm:
        case Rhythm.WEEKLY:
            return Window(monday - WEEK, monday)
        case Rhythm.FORTNIGHTLY:
            is_even = monday.toordinal() // 7 % 2 == 0
            return Window(monday - 2 * WEEK, monday) if is_even else None
        case Rhythm.QUARTERLY:
            is_first = quarter_of(day - WEEK).start != quarter_of(day).start
            return current_period(rhythm, day) if is_first else None


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())

"""Working hours: a wait for somebody spans nights and weekends."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_BEGIN, _END = time(9), time(18)


def after_working_hours(at: datetime, hours: float, zone: str, *, weekends: bool = False) -> datetime:
    """The instant at which somebody in the zone has worked that many hours since `at`, in the zone of `at`.

    `weekends`: they also work on Saturdays and Sundays.
    """
    local = at.astimezone(ZoneInfo(zone))
    left = timedelta(hours=hours)
    while True:
        begin, end = _working_day(local)
        moment = max(local, begin)
        if moment < end and (weekends or moment.weekday() < 5):
            if moment + left < end:
                return (moment + left).astimezone(at.tzinfo).replace(microsecond=0)
            left -= end - moment
        local = datetime.combine(local.date() + timedelta(days=1), _BEGIN, local.tzinfo)


def _working_day(local: datetime) -> tuple[datetime, datetime]:
    day, zone = local.date(), local.tzinfo
    return datetime.combine(day, _BEGIN, zone), datetime.combine(day, _END, zone)

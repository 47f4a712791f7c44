"""Which fiscal quarter a day is in."""

from __future__ import annotations

from datetime import date, timedelta

from insights.query import windows
from programs.models import Quarter


def quarter_of(day: date) -> Quarter:
    """The quarter of that day, without storing a new one.

    One that exists keeps its days: where the fiscal calendar was changed since, a new one fills the gap beside it.
    """
    known = Quarter.objects.filter(start__lte=day, end__gt=day).first()
    if known is not None:
        return known
    whole = windows.quarter_of(day)
    before = Quarter.objects.filter(end__lte=day, end__gt=whole.start).order_by("-end").first()
    after = Quarter.objects.filter(start__gt=day, start__lt=whole.end).order_by("start").first()
    return Quarter(start=before.end if before else whole.start, end=after.start if after else whole.end)


def quarter_at(day: date) -> Quarter:
    """As `quarter_of`, and stored."""
    quarter = quarter_of(day)
    if not quarter._state.adding:
        return quarter
    return Quarter.objects.get_or_create(start=quarter.start, defaults={"end": quarter.end})[0]


def current_quarter() -> Quarter:
    return quarter_at(windows.local_today())


def following(quarter: Quarter) -> Quarter:
    return quarter_at(quarter.end)


def preceding(quarter: Quarter) -> Quarter:
    return quarter_at(quarter.start - timedelta(days=1))

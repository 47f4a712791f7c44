"""Fiscal quarters and the days in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from insights.query import windows
from programs.models import Quarter

QUARTERS_AHEAD = 4  # for which objectives are written, besides the one that runs


def quarter_of(day: date) -> Quarter:
    """The quarter of that day, without storing a new one.

    One that exists keeps its days: where the fiscal calendar was changed since, a new one fills the gap beside it.
    """
    return quarter_among(Quarter.objects.all(), day)


def quarter_among(known: Iterable[Quarter], day: date) -> Quarter:
    """As `quarter_of`, of quarters that were read already."""
    whole = windows.quarter_of(day)
    start, end = whole.start, whole.end
    for quarter in known:
        if quarter.start <= day < quarter.end:
            return quarter
        if start < quarter.end <= day:
            start = quarter.end
        if day < quarter.start < end:
            end = quarter.start
    return Quarter(start=start, end=end)


def quarters_from(known: Iterable[Quarter], day: date, number: int) -> list[Quarter]:
    """So many in a row, beginning with that of the day; those that are not `known` are not stored."""
    read = list(known)
    quarters = [quarter_among(read, day)]
    while len(quarters) < number:
        quarters.append(quarter_among(read, quarters[-1].end))
    return quarters


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

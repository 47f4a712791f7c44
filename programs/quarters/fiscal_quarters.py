"""Fiscal quarters and the days in them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from core.write_errors import FieldError
from insights.query import windows
from programs.models import Quarter
from programs.requests.fields import day
from programs.requests.model_fields import NamedField

QUARTERS_AHEAD = 4  # for which objectives are written, in addition to the current one


def quarter_of(day: date) -> Quarter:
    """The quarter of that day, without storing a new one.

    A stored one keeps its days: if the fiscal calendar has changed since, a new one fills the gap next to it.
    """
    return quarter_among(Quarter.objects.all(), day)


def quarter_among(known: Iterable[Quarter], day: date) -> Quarter:
    """`quarter_of` among quarters already read."""
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
    """`number` consecutive quarters from the one of that day; those not among `known` are unsaved."""
    read = list(known)
    quarters = [quarter_among(read, day)]
    while len(quarters) < number:
        quarters.append(quarter_among(read, quarters[-1].end))
    return quarters


def quarter_at(day: date) -> Quarter:
    """`quarter_of`, stored."""
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


class QuarterField(NamedField):
    """A quarter, given by a date in it; defaults to the current one, or to that of the record being changed."""

    def find(self, name: str) -> Quarter:
        stored: Quarter | None = getattr(self.parent.instance, "quarter", None)
        return stored if stored and not name else quarter_at(self.day_of(name))

    def name_of(self, value: Quarter) -> str:
        return value.start.isoformat()

    def day_of(self, name: str) -> date:
        """The first day of the given quarter.  Raises FieldError for a quarter that cannot be chosen."""
        return day_to_write_for(name)


def day_to_write_for(word: str) -> date:
    """A day in the given quarter, or today.  Raises FieldError for one far from today."""
    today = windows.local_today()
    day_shown = day("quarter", word) or today
    if abs(day_shown.year - today.year) > 1:
        raise FieldError("quarter", "Objectives are written for quarters of last year, this one and the next.")
    return day_shown

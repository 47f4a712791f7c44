"""Months as pages, API and files write them (2026-11), and as requests name them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from core.write_errors import FieldError
from insights.query import windows
from insights.query.query import Granularity, Window

WRITTEN = re.compile(r"(\d{4})-(\d{2})")
FIRST_YEAR, LAST_YEAR = 2000, 2099
MOST_MONTHS = 24


def read_month(field: str, text: str) -> date:
    """The first day of the month named by the text.  Raises FieldError."""
    found = WRITTEN.fullmatch(text.strip()) if text.isascii() else None
    if found is not None:
        year, month = int(found[1]), int(found[2])
        if FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= windows.MONTHS_A_YEAR:
            return date(year, month, 1)
    raise FieldError(field, f"“{text[:20]}” is not a month: write it as 2026-11.")


def this_month() -> date:
    return windows.local_today().replace(day=1)


def month_of(first: date) -> Window:
    return windows.whole_bucket(first, Granularity.MONTH)


def written(first: date) -> str:
    return f"{first:%Y-%m}"


def month_name(first: date) -> str:
    return f"{first:%B %Y}"


def requested_month(params: Mapping[str, str]) -> date:
    """The `month` parameter, by default the current month.  Raises FieldError."""
    written = params.get("month", "")
    return read_month("month", written) if written else this_month()


def requested_months(params: Mapping[str, str]) -> Sequence[date]:
    """The months from `from` to `to`, inclusive; by default the last month and the current one.  Raises FieldError."""
    first, last = default_months()
    start, end = params.get("from", ""), params.get("to", "")
    last = read_month("to", end) if end else last
    first = read_month("from", start) if start else min(first, last)
    return months_between(first, last)


def months_between(first: date, last: date) -> list[date]:
    """The first days of all months from `first` to `last`.  Raises FieldError."""
    if last < first:
        raise FieldError("to", "It ends before it begins.")
    months = [first]
    while months[-1] < last:
        months.append(month_of(months[-1]).end)
    if len(months) > MOST_MONTHS:
        raise FieldError("to", f"At most {MOST_MONTHS} months at once.")
    return months


def default_months() -> tuple[date, date]:
    """The last month and the current one."""
    this = windows.local_today().replace(day=1)
    return windows.whole_bucket(this - timedelta(days=1), Granularity.MONTH).start, this

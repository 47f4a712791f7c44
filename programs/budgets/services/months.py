"""Months as pages, API and files write them: 2026-11."""

from __future__ import annotations

import re
from datetime import date

from core.write_errors import FieldError
from insights.query import windows
from insights.query.query import Granularity, Window

WRITTEN = re.compile(r"(\d{4})-(\d{2})")
FIRST_YEAR, LAST_YEAR = 2000, 2099


def read_month(field: str, text: str) -> date:
    """Its first day.  Raises FieldError."""
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

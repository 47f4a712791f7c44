"""The first month of the fiscal year: set by an admin, else by the environment.

Cached in memory (orgtree/organisation/cached_settings.py), because every quarter needs it.
"""

from __future__ import annotations

from django.conf import settings


class _Cached:
    month: int | None = None


def first_month() -> int:
    """The first month of the fiscal year, 1 to 12."""
    return _Cached.month or int(settings.FISCAL_YEAR_START_MONTH)


def cache_fiscal_year(month: int | None) -> None:
    """Cache the organisation's first month; None: the environment's."""
    _Cached.month = month

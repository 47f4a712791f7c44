"""The first month of the fiscal year: set by an admin, else by the environment.

Cached in memory, because every quarter needs it.  Each process refreshes it when it connects to the database, before
each task, and with each response, which reads the organisation anyway.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orgtree.models import Organisation


class _Cached:
    month: int | None = None


def first_month() -> int:
    """1 to 12."""
    return _Cached.month or int(settings.FISCAL_YEAR_START_MONTH)


def cache_fiscal_year(organisation: Organisation) -> None:
    """Cache the organisation's fiscal year."""
    _Cached.month = organisation.fiscal_year_start_month


def load_fiscal_year(connection: BaseDatabaseWrapper | None = None, **_signal: Any) -> None:
    """Signal receiver; ignores databases that are not Headway's or not migrated yet."""
    try:
        with (connection or connections["default"]).cursor() as cursor:
            cursor.execute("SELECT fiscal_year_start_month FROM orgtree_organisation WHERE id = 1")
            row = cursor.fetchone()
    except DatabaseError:
        return
    _Cached.month = row[0] if row else None

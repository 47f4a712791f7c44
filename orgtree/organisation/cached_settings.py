"""Settings of the organisation that code needs without a query: the fiscal year, and the version of the catalogue.

Each process refreshes them when it connects to the database, before each task, and with each response, which reads the
organisation anyway.
"""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from orgtree.models import Organisation
from orgtree.organisation.catalogue_version import NEVER_CHANGED, cache_catalogue_version
from orgtree.organisation.fiscal_calendar import cache_fiscal_year


def cache_settings(organisation: Organisation) -> None:
    """Cache the settings of an organisation that was just read."""
    cache_fiscal_year(organisation.fiscal_year_start_month)
    cache_catalogue_version(organisation.catalogue_version)


def load_settings(connection: BaseDatabaseWrapper | None = None, **_signal: Any) -> None:
    """Signal receiver; ignores databases that are not Headway's or not migrated yet."""
    try:
        with (connection or connections["default"]).cursor() as cursor:
            cursor.execute("SELECT fiscal_year_start_month, catalogue_version FROM orgtree_organisation WHERE id = 1")
            row = cursor.fetchone()
    except DatabaseError:
        return
    month, version = row or (None, NEVER_CHANGED)
    cache_fiscal_year(month)
    cache_catalogue_version(version)

"""Settings of the organisation that code needs without a query: the fiscal year, and the version of the catalogue.

Each process refreshes them when it connects to the database, before each task, and with each response, which reads the
organisation anyway.
"""

from __future__ import annotations

from typing import Any

from django.db import DatabaseError, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func

from orgtree.models import Organisation
from orgtree.organisation.fiscal_calendar import cache_fiscal_year

NEVER_CHANGED = 0


class _Microseconds(Func):
    """The current time as a version number that no other change has."""

    template = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    output_field = models.BigIntegerField()


class _Cached:
    version = NEVER_CHANGED


def catalogue_version() -> int:
    """The version that this process last read."""
    return _Cached.version


def cache_catalogue_version(version: int) -> None:
    _Cached.version = version


def stored_catalogue_version() -> int:
    """Read the version from the database, and cache it."""
    version = Organisation.objects.filter(pk=1).values_list("catalogue_version", flat=True).first()
    cache_catalogue_version(version or NEVER_CHANGED)
    return catalogue_version()


def raise_catalogue_version() -> None:
    """Raise the version after a change of a hand-kept metric, last in a transaction: it locks the single row."""
    Organisation.current()  # create the row if missing
    Organisation.objects.filter(pk=1).update(catalogue_version=_Microseconds())
    stored_catalogue_version()


def cache_settings(organisation: Organisation) -> None:
    """Cache the settings of an organisation that was just read."""
    cache_fiscal_year(organisation.fiscal_year_start_month)
    cache_catalogue_version(organisation.catalogue_version)


def load_settings(connection: BaseDatabaseWrapper | None = None, **_signal: Any) -> None:
    """Refresh the cached settings on a signal; ignores databases that are not Headway's or not migrated yet."""
    try:
        with (connection or connections["default"]).cursor() as cursor:
            cursor.execute("SELECT fiscal_year_start_month, catalogue_version FROM orgtree_organisation WHERE id = 1")
            row = cursor.fetchone()
    except DatabaseError:
        return
    month, version = row or (None, NEVER_CHANGED)
    cache_fiscal_year(month)
    cache_catalogue_version(version)

"""The version of the metric catalogue, in the organisation's row: a new one whenever a hand-kept metric is changed.

Every response reads that row; other work refreshes it as described in orgtree/organisation/cached_settings.py.  A
version is a time in microseconds, so that none comes twice.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Func

from orgtree.models import Organisation

NEVER_CHANGED = 0


class _Microseconds(Func):
    template = "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    output_field = models.BigIntegerField()


class _Cached:
    version = NEVER_CHANGED


def catalogue_version() -> int:
    """As this process last read it."""
    return _Cached.version


def cache_catalogue_version(version: int) -> None:
    _Cached.version = version


def stored_catalogue_version() -> int:
    """Read from the database, and cached."""
    version = Organisation.objects.filter(pk=1).values_list("catalogue_version", flat=True).first()
    cache_catalogue_version(version or NEVER_CHANGED)
    return catalogue_version()


def raise_catalogue_version() -> None:
    """Call it last in a transaction: it locks the single row, and others wait for it."""
    Organisation.current()  # create the row if missing
    Organisation.objects.filter(pk=1).update(catalogue_version=_Microseconds())
    stored_catalogue_version()

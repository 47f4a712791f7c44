"""A number that changes when figures may have changed: cheap to ask, so that an open page can poll."""

from __future__ import annotations

from django.db import connection

from insights import windows


def pulse() -> str:
    """Changes with every refresh of the cells and with the local day; one query on one row."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT changes FROM insights_snapshotstate")
        row = cursor.fetchone()
    return f"{row[0] if row else 0}-{windows.local_today():%Y%m%d}"

"""How long the columns take to build from PostgreSQL, all of them and a stale week, and how large they are."""

from __future__ import annotations

import math
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from bench.figures import Limit, Measured
from bench.timing import seconds_of
from insights.catalogue.registry import metrics
from insights.columns.health import columns_health
from insights.columns.recompute import mark_for_recompute
from insights.columns.refresh import refresh
from insights.query.query import Window

BUILD_MINUTES = 5
WEEK_SECONDS = 0.3  # of one relation
SHARE_OF_DATABASE = 0.1
MEGABYTE = 1_000_000


def columns(conditions: str) -> list[Measured]:
    """Rebuild everything, rebuild the last whole week, and the bytes of both copies."""
    refresh(math.inf)  # changes of facts that wait would be counted, too
    mark_for_recompute(metrics(), None)
    minutes = seconds_of(lambda: refresh(math.inf)) / 60
    health = columns_health()
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday() + 7)
    stale = mark_for_recompute(metrics(), Window(monday, monday + timedelta(days=7)))
    week = seconds_of(lambda: refresh(math.inf)) / max(stale, 1)
    database = _database_bytes()
    return [
        Measured(
            name="columns built from PostgreSQL",
            value=minutes,
            unit="min",
            goal=f"≤ {BUILD_MINUTES} min",
            met=minutes <= BUILD_MINUTES,
            conditions=f"{health.rows:,} rows in {health.partitions:,} partitions; {conditions}",
        ),
        Measured(
            name="a stale week of a relation",
            value=week,
            unit="s, mean",
            goal=f"≤ {WEEK_SECONDS:g} s",
            met=week <= WEEK_SECONDS,
            conditions=f"the partitions with the last whole week, of {stale} relations, built one after the other",
        ),
        Measured(
            name="size of the columns",
            value=health.bytes / MEGABYTE,
            unit="MB",
            goal=f"≤ {SHARE_OF_DATABASE:.0%} of the database",
            met=health.bytes <= SHARE_OF_DATABASE * database,
            limit=Limit("MB: the database", database / MEGABYTE),
            conditions=conditions,
        ),
    ]


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])

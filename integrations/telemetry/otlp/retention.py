"""Raw telemetry is deleted after HEADWAY_RAW_EVENT_DAYS; the sessions folded from it are kept.

A day's partitions are dropped when both the day and the last arrival for it are older than that: old telemetry that
arrives today is kept as long as today's.  The day is then closed.  Later events for it still merge into their requests
and calls; metric points are rejected because the points of their sums are gone.  The last value of each cumulative
series is kept, so that the next value yields a difference instead of a fresh start.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from cachetools import TTLCache, cached
from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from psycopg import errors, sql

from integrations.models import RawDay, ReceivedBatch, SeriesBase
from integrations.telemetry.otlp.store_partitions import forget_partitions, partition_name
from integrations.telemetry.otlp.store_rows import EVENT_TABLE, POINT_TABLE

logger = logging.getLogger(__name__)

# Waiting for the lock to drop a partition blocks intake: give up and retry the next night.
LOCK_TIMEOUT_MS = 2_000
SERIES_END_AFTER = timedelta(days=365)  # a counter without values for a year has ended
_PARTITION = re.compile(rf"(?:{EVENT_TABLE}|{POINT_TABLE})_(\d{{8}})")


@cached(TTLCache(1, ttl=60), lock=threading.Lock())
def closed_days() -> frozenset[date]:
    """The UTC days whose raw rows were dropped; cached for a minute."""
    return frozenset(RawDay.objects.exclude(closed_at=None).values_list("day", flat=True))


def drop_expired_days(now: datetime | None = None) -> list[date]:
    """Drop the partitions of expired days and close them; returns the days."""
    kept_since = (now or timezone.now()) - timedelta(days=settings.RAW_EVENT_DAYS)
    dropped = [day for day in _expired_days(kept_since) if _drop(day, kept_since)]
    SeriesBase.objects.filter(at__lt=kept_since - SERIES_END_AFTER).delete()
    if dropped:
        forget_partitions()
        closed_days.cache_clear()
        logger.info("Dropped raw telemetry of %d days, %s to %s.", len(dropped), dropped[0], dropped[-1])
    return dropped


def _expired_days(kept_since: datetime) -> list[date]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT child.relname
            FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid
            WHERE inhparent = ANY (ARRAY[to_regclass(%s), to_regclass(%s)])
            """,
            [EVENT_TABLE, POINT_TABLE],
        )
        days = set(_days_of(name for (name,) in cursor.fetchall()))
    in_use = set(RawDay.objects.filter(last_received_at__gte=kept_since).values_list("day", flat=True))
    return sorted(day for day in days - in_use if day < kept_since.astimezone(UTC).date())


def _days_of(partitions: Iterator[str]) -> Iterator[date]:
    for name in partitions:
        match = _PARTITION.fullmatch(name)
        if match:
            yield datetime.strptime(match[1], "%Y%m%d").replace(tzinfo=UTC).date()


def _drop(day: date, kept_since: datetime) -> bool:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {LOCK_TIMEOUT_MS}")
            tables = [table for table in (EVENT_TABLE, POINT_TABLE) if _exists(partition_name(table, day))]
            for table in tables:
                # Lock the parents first, as DROP does, to avoid deadlocks with intake.
                cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(table)))
            if _still_needed(day, kept_since):
                return False
            if POINT_TABLE in tables:
                cursor.execute(KEEP_LAST_READINGS.format(sql.Identifier(partition_name(POINT_TABLE, day))))
            for table in tables:
                cursor.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(partition_name(table, day))))
            cursor.execute(
                """
                INSERT INTO integrations_rawday (day, last_received_at, closed_at) VALUES (%(day)s, now(), now())
                ON CONFLICT (day) DO UPDATE SET closed_at = now()
                """,
                {"day": day},
            )
    except OperationalError as problem:
        if not isinstance(problem.__cause__, errors.LockNotAvailable):
            raise
        logger.warning("Raw telemetry of %s is in use; it will be dropped another night.", day)
        return False
    return True


def _exists(table: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])


def _still_needed(day: date, kept_since: datetime) -> bool:
    """Whether rows for the day arrived in the meantime, or are not folded yet."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    unfolded = ReceivedBatch.objects.filter(at_from__lt=start + timedelta(days=1), at_to__gte=start)
    return unfolded.exists() or RawDay.objects.filter(day=day, last_received_at__gte=kept_since).exists()


KEEP_LAST_READINGS = sql.SQL(
    """
    INSERT INTO integrations_seriesbase AS base (series, start, at, value)
    SELECT DISTINCT ON (series, start) series, start, at, value
    FROM {}
    WHERE cumulative
    ORDER BY series, start, at DESC
    ON CONFLICT (series, start) DO UPDATE SET at = excluded.at, value = excluded.value WHERE excluded.at > base.at
    """
)

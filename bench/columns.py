"""The columns: their build time from PostgreSQL, the cost of pages meanwhile, and their size."""

from __future__ import annotations

import math
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench.figures import Limit, Measured, percentile
from bench.ingest import RECORDS_PER_SMALL_REQUEST, THREADS
from bench.load import logs_body, post_at_rate
from bench.page_work import work_of
from bench.processor_time import ProcessorTime
from bench.responses import again_ms, browser, with_parts
from bench.timing import seconds_of
from insights.catalogue.registry import metrics
from insights.columns.refresh import columns_health, refresh
from insights.columns.stale import mark_for_recompute
from insights.query.query import Window

BUILD_MINUTES = 5
WEEK_SECONDS = 0.3  # per relation
SHARE_OF_DATABASE = 0.1
SLOWER = 1.5  # p95 of pages during a refresh, as a multiple of p95 without
REFRESHED_WEEKS = 26
STREAMED_REQUESTS_PER_SECOND = 30  # with ten records each: some 300 records a second are the load of 10,000 people
MEGABYTE = 1_000_000


def columns(conditions: str) -> list[Measured]:
    """Rebuild everything, rebuild the last whole week, and the bytes of both copies."""
    mark_for_recompute(metrics(), None)
    minutes = seconds_of(lambda: refresh(math.inf)) / 60
    health = columns_health()
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
        _stale_week(),
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


def _stale_week() -> Measured:
    today = timezone.localdate()
    monday = today - timedelta(days=today.weekday() + 7)
    stale = mark_for_recompute(metrics(), Window(monday, monday + timedelta(days=7)))
    week = seconds_of(lambda: refresh(math.inf)) / max(stale, 1)
    return Measured(
        name="a stale week of a relation",
        value=week,
        unit="s, mean",
        goal=f"≤ {WEEK_SECONDS:g} s",
        met=week <= WEEK_SECONDS,
        conditions=f"the partitions with the last whole week, of {stale} relations, built one after the other",
    )


def pages_during_refresh(session_cookie: str, pages: list[str], *, rounds: int) -> Measured:
    """Repeated responses, without a refresh and while another process rebuilds half a year."""
    first_day = timezone.localdate() - timedelta(weeks=REFRESHED_WEEKS)
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "recompute", "--wait", "--from", str(first_day)]
    with browser(session_cookie) as client:
        addresses = with_parts(client, pages)
        alone = percentile(again_ms(client, addresses, rounds), 95)
        times: list[float] = []
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as rebuilding:
            while rebuilding.poll() is None or not times:
                times += again_ms(client, addresses, 1)
    beside = percentile(times, 95)
    return Measured(
        name="pages during a refresh",
        value=beside,
        unit="ms, p95",
        goal=f"≤ {SLOWER:g} × without",
        met=beside <= SLOWER * alone,
        limit=Limit("ms: p95 without a refresh", alone),
        conditions=f"{len(addresses)} addresses × {len(times) // len(addresses)} while all partitions of "
        f"{REFRESHED_WEEKS} weeks were stale and rebuilt on the same cores",
    )


def pages_while_stale(session_cookie: str, token: str, pages: list[str], *, rounds: int, seconds: int) -> Measured:
    """Repeated responses, without telemetry and while as much arrives as ten thousand people at work send: today's rows
    are stale all the time.
    """
    with browser(session_cookie) as client:
        addresses = with_parts(client, pages)
        alone = percentile(again_ms(client, addresses, rounds), 95)
        before, while_stale = work_of(addresses, session_cookie), None
        times: list[float] = []
        bodies = [logs_body(RECORDS_PER_SMALL_REQUEST) for _ in range(seconds * STREAMED_REQUESTS_PER_SECOND)]
        spent, half_way = ProcessorTime(), time.monotonic() + seconds / 2
        with spent.counted(), ThreadPoolExecutor(1) as sender:
            streamed = sender.submit(
                post_at_rate, settings.BASE_URL, token, bodies, rate=STREAMED_REQUESTS_PER_SECOND, connections=THREADS
            )
            while not streamed.done() or while_stale is None:
                times += again_ms(client, addresses, 1)
                if while_stale is None and time.monotonic() > half_way:
                    while_stale = work_of(addresses, session_cookie)
    answered = percentile(streamed.result().latencies, 99) * 1000
    beside = percentile(times, 95)
    return Measured(
        name="pages while telemetry streams",
        value=beside,
        unit="ms, p95",
        goal=f"≤ {SLOWER:g} × without",
        met=beside <= SLOWER * alone,
        limit=Limit("ms: p95 without telemetry", alone),
        conditions=f"{len(addresses)} addresses × {len(times) / len(addresses):.1f} beside {len(bodies)} requests of "
        f"{RECORDS_PER_SMALL_REQUEST} records, {STREAMED_REQUESTS_PER_SECOND} a second, p99 {answered:.0f} ms; "
        f"slowest response {max(times):,.0f} ms; pages included, {spent.per(len(bodies))} of telemetry; first looks "
        f"in another process: {while_stale.read}; without telemetry {before.read}",
    )


def _database_bytes() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])

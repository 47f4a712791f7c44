"""The checks of `manage.py doctor`, one function per component."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import islice

import django
from django.conf import settings
from django.db import connection
from django.db.models import Min
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from config import environment, health
from config.client_address import NO_PROXIES
from config.data_folder import exposed_paths
from config.health import seconds_since_last_task
from config.stored_clocks import schedules_ahead
from insights.columns.check import check_columns
from insights.columns.refresh import columns_health
from integrations.connectors.errors import Cause
from integrations.models import Connection, IngestToken, QuarantinedRecord, ReceivedBatch, Stream
from integrations.telemetry.otlp.aging_tokens import aging_tokens
from orgtree.trees.placements import stray_placements

SMALLEST_FREE_BYTES = 1_000_000_000  # rebuilt columns and PostgreSQL's log of changes need room
MOST_NAMED = 3
LONGEST_BACKLOG = timedelta(minutes=1)  # sweeps come every 5 seconds
LONGEST_SILENCE_SECONDS = 60
LONGEST_STALE = timedelta(minutes=10)  # a first build of two years takes half of that
COLUMNS_SECONDS = 5.0
LONGEST_QUEUE = timedelta(hours=1)  # a first sync of much takes turns with everything else


class State(StrEnum):
    RIGHT = "right"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True)
class Finding:
    part: str
    state: State
    sentence: str


def diagnose() -> Iterator[Finding]:
    """One finding per component; only those without database access if it is down."""
    yield from (versions(), disk(), data_folder(), address())
    database = health.database_state()
    if database != "ok":
        yield Finding("database", State.WRONG, f"The database is {database}.")
        return
    for look in DATABASE_CHECKS:
        yield look()


def versions() -> Finding:
    sentence = f"Python {platform.python_version()}, Django {django.get_version()}, {platform.system()}."
    return Finding("versions", State.RIGHT, sentence)


def disk() -> Finding:
    free = shutil.disk_usage(settings.DATA_DIR).free
    sentence = f"{free / 1e9:.1f} GB free for {settings.DATA_DIR}."
    if free < SMALLEST_FREE_BYTES:
        return Finding("disk", State.WRONG, f"Only {sentence} Free some space: at 0 nothing can be received.")
    return Finding("disk", State.RIGHT, sentence)


def data_folder() -> Finding:
    paths = list(islice(exposed_paths(settings.DATA_DIR), MOST_NAMED))
    if paths:
        names = ", ".join(map(str, paths))
        sentence = f"Other accounts of this machine can read {names}. Restart `manage.py up`, which closes them."
        return Finding("data folder", State.WRONG, sentence)
    return Finding("data folder", State.RIGHT, "Other accounts of this machine can read nothing in it.")


def address() -> Finding:
    sentence = f"People and agents use {settings.BASE_URL}."
    if settings.HTTPS and not settings.TRUSTED_PROXIES:  # Headway speaks no https itself
        return Finding("address", State.NOTE, f"{sentence} {NO_PROXIES}")
    return Finding("address", State.RIGHT, sentence)


def database() -> Finding:
    where = "embedded" if environment.uses_embedded_database() else "of DATABASE_URL"
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version'), pg_size_pretty(pg_database_size(current_database()))")
        version, size = cursor.fetchone()
    return Finding("database", State.RIGHT, f"PostgreSQL {version} ({where}), {size}.")


def migrations() -> Finding:
    if health.migrations_state() == "ok":
        return Finding("migrations", State.RIGHT, "The database has this version's schema.")
    return Finding(
        "migrations", State.WRONG, "The database lacks migrations: restart `manage.py up`, which applies them."
    )


def broker() -> Finding:
    state = health.broker_state()
    where = "Files under the data directory" if environment.uses_file_broker() else "The broker of CELERY_BROKER_URL"
    if state == "ok":
        return Finding("broker", State.RIGHT, f"{where}: usable.")
    return Finding("broker", State.WRONG, f"{where}: {state}.")


def worker() -> Finding:
    """The finding on worker and beat: beat sends a sweep every few seconds, so a recently finished task shows that both
    run.
    """
    seconds = seconds_since_last_task()
    if seconds is None:
        return Finding("worker", State.NOTE, "No task was ever finished here: `manage.py up` has not run yet.")
    if seconds > LONGEST_SILENCE_SECONDS:
        sentence = (
            f"No task was finished for {timedelta(seconds=int(seconds))}: worker or beat does not run on this machine."
        )
        return Finding("worker", State.WRONG, sentence)
    return Finding("worker", State.RIGHT, f"Worker and beat are running: a task was finished {seconds:.0f} s ago.")


def schedule() -> Finding:
    ahead = schedules_ahead(timezone.now())
    if ahead:
        latest = ahead[0]
        return Finding(
            "schedule",
            State.WRONG,
            f"The last run of {len(ahead)} tasks lies in the future, such as {latest.name!r} at "
            f"{latest.last_run_at:%Y-%m-%d %H:%M} UTC: this machine's clock was put back. They rest until then, unless "
            "beat runs, which puts them right within a minute.",
        )
    disabled = list(PeriodicTask.objects.filter(enabled=False).values_list("name", flat=True))
    if disabled:
        return Finding("schedule", State.NOTE, f"Switched off in admin: {', '.join(disabled)}.")
    return Finding("schedule", State.RIGHT, f"{PeriodicTask.objects.count()} tasks, all switched on.")


def intake() -> Finding:
    oldest = ReceivedBatch.objects.aggregate(oldest=Min("received_at"))["oldest"]
    if oldest is not None and timezone.now() - oldest > LONGEST_BACKLOG:
        count = ReceivedBatch.objects.count()
        return Finding(
            "intake", State.WRONG, f"{count} requests wait to be counted, the oldest since {oldest:%Y-%m-%d %H:%M} UTC."
        )
    if not IngestToken.objects.filter(revoked_at=None).exists():
        return Finding("intake", State.NOTE, "There is no ingest token: manage.py create_ingest_token NAME makes one.")
    return Finding("intake", State.RIGHT, "All that was received is counted.")


def tokens() -> Finding:
    aging = aging_tokens(timezone.now())
    if aging:
        sentence = f"{len(aging)} ingest tokens should be replaced: {'; '.join(map(str, aging))}."
        return Finding("tokens", State.NOTE, sentence)
    return Finding("tokens", State.RIGHT, "Every ingest token has a scope and an expiry, and is used.")


def placements() -> Finding:
    """The finding on placements, a derived table without foreign keys."""
    stray = stray_placements()
    if stray:
        return Finding(
            "org trees",
            State.WRONG,
            f"{stray} placements name somebody or something deleted; the task “Update Org Trees” repairs them.",
        )
    return Finding("org trees", State.RIGHT, "Memberships of units agree with people and trees.")


def connections() -> Finding:
    streams = Stream.objects.filter(
        resource__picked=True,
        resource__gone_at=None,
        resource__connection__paused_at=None,
        resource__connection__removed_at=None,
    )
    troubled = Connection.objects.filter(removed_at=None, paused_at=None).exclude(problem="").order_by("name")
    if troubled:
        named = "; ".join(f"{one.name}: {_trouble(one)}" for one in troubled[:MOST_NAMED])
        return Finding(
            "connections",
            State.WRONG,
            f"{len(troubled)} of {Connection.objects.filter(removed_at=None).count()} do not work. {named}",
        )
    failing = streams.filter(failures__gt=0).order_by("-failures", "pk").first()
    if failing is not None:
        count = streams.filter(failures__gt=0).count()
        words = f"{count} of {streams.count()} streams of connections fail, such as {failing}: {_trouble(failing)}"
        return Finding("connections", State.WRONG, words)
    late = streams.filter(due_at__lt=timezone.now() - LONGEST_QUEUE).count()
    if late:
        return Finding("connections", State.NOTE, f"{late} streams of connections have waited for an hour to be read.")
    return Finding("connections", State.RIGHT, f"{streams.count()} streams of connections are read as they come due.")


def _trouble(failing: Connection | Stream) -> str:
    """Cause, problem and remedy, in the wording of the pages."""
    cause = f"{Cause(failing.cause).label}. " if failing.cause else ""
    return f"{cause}{failing.problem} {failing.remedy}".strip()


def columns() -> Finding:
    """Checks as many partitions as a few seconds allow; beat checks all of them each night."""
    checked, health = check_columns(COLUMNS_SECONDS), columns_health()
    sentence = f"{health.partitions:,} partitions, {health.bytes / 1e6:,.1f} MB"
    if checked.differences:
        named = " ".join(checked.differences[:MOST_NAMED])
        return Finding(
            "columns",
            State.WRONG,
            f"{len(checked.differences)} of {sentence} differed from PostgreSQL, are read from there now, and will be "
            f"built again: {named}",
        )
    if health.stale_since is not None:
        sentence = f"{sentence}; {health.stale:,} are stale, the oldest since {health.stale_since:%Y-%m-%d %H:%M} UTC"
        if timezone.now() - health.stale_since > LONGEST_STALE:
            return Finding(
                "columns", State.NOTE, f"{sentence}. Pages read their days from PostgreSQL until the worker built them."
            )
    return Finding("columns", State.RIGHT, f"{sentence}. {checked.compared:,} were compared with PostgreSQL.")


def quarantine() -> Finding:
    count = QuarantinedRecord.objects.filter(replayed_at=None).count()
    if count:
        return Finding(
            "quarantine", State.NOTE, f"{count} records could not be read; admin shows why, and can replay them."
        )
    return Finding("quarantine", State.RIGHT, "Empty.")


DATABASE_CHECKS: tuple[Callable[[], Finding], ...] = (
    database,
    migrations,
    broker,
    worker,
    schedule,
    intake,
    tokens,
    connections,
    placements,
    columns,
    quarantine,
)

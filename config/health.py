"""Health of a running installation: checks, and the endpoints for supervisors, load balancers and monitoring.

`/healthz` and `/readyz` need no sign-in and reveal nothing useful to outsiders.
"""

from __future__ import annotations

import contextlib
import os
import time
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from config import database_watch, environment
from config.broker import CONNECTION_ERRORS
from config.celery import app

SECONDS_FOR_BROKER = 2.0


def readiness() -> dict[str, str]:
    """State of every component that a request needs, by name."""
    database = database_state()
    return {
        "database": database,
        "migrations": migrations_state() if database == "ok" else "unknown",
        "broker": broker_state(),
    }


def database_state() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("show transaction_read_only")
            takes_changes = cursor.fetchone() == ("off",)
    except DatabaseError:
        connection.close()
        watch = database_watch.watch
        return "does not answer" if watch is not None and watch.is_hanging() else "unreachable"
    return "ok" if takes_changes else "read-only"


def migrations_state() -> str:
    """Whether every migration of this code is applied."""
    try:
        applied = MigrationRecorder(connection).applied_migrations()
    except DatabaseError:
        return "unknown"
    return "ok" if _own_migrations() <= set(applied) else "missing"


@cache
def _own_migrations() -> frozenset[tuple[str, str]]:
    """(app, name) of every migration on disk; files do not change under a running process."""
    return frozenset(MigrationLoader(None).graph.nodes)


def broker_state() -> str:
    if environment.uses_file_broker():
        folder = settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"]
        return "ok" if os.access(folder, os.W_OK | os.X_OK) else "not writable"
    try:
        with app.connection_for_write(connect_timeout=SECONDS_FOR_BROKER) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=SECONDS_FOR_BROKER)
    except CONNECTION_ERRORS:
        return "unreachable"
    return "ok"


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 while this process answers; does not query the database."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when a request can be served in full, else 503; `{"ready": false, "database": "unreachable", …}`."""
    parts = readiness()
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"ready": ready, **parts}, status=200 if ready else 503)


def _mark() -> Path:
    return Path(settings.DATA_DIR) / "run" / "last-task"


def note_finished_task(**_: object) -> None:
    """Receiver of Celery's task_postrun signal."""
    with contextlib.suppress(OSError):  # a full disk must not fail the task
        _mark().touch()


def seconds_since_last_task() -> float | None:
    """Seconds since a worker last finished a task here; None if none has."""
    try:
        return abs(time.time() - _mark().stat().st_mtime)  # in the future: the clock was put back
    except FileNotFoundError:
        return None

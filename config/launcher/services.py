"""Waits for the configured database and broker."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from django.db import connection
from django.db.utils import OperationalError

from config import environment
from config.broker import CONNECTION_ERRORS
from config.celery import app
from config.launcher.errors import LaunchError

SECONDS_BETWEEN_TRIES = 0.5
SECONDS_FOR_A_CONNECTION = 3.0
# Errors that waiting cannot fix.
PERMANENT_ERRORS = (
    *("authentication failed", "does not exist", "no password supplied", "no pg_hba.conf entry"),
    *("invalid username-password", "Authentication required", "DB index is out of range"),  # Redis
    "ACCESS_REFUSED",  # RabbitMQ
)
OLDEST_POSTGRES = 150000


def wait_for_database() -> None:
    """Return once the database answers; raises LaunchError."""
    _wait_for("The database of DATABASE_URL", connection.ensure_connection, OperationalError)
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version_num')::int, current_setting('server_encoding')")
        version, encoding = cursor.fetchone()
    if version < OLDEST_POSTGRES:
        raise LaunchError(f"Headway needs PostgreSQL 15 or newer, and this server is {version // 10000}.")
    if encoding != "UTF8":
        raise LaunchError(
            f"Headway needs a database in UTF8, and the one of DATABASE_URL is in {encoding}. Make one with "
            "createdb --encoding=UTF8 --template=template0 --locale=C.UTF-8 NAME."
        )


def wait_for_broker() -> None:
    """Return once the broker of CELERY_BROKER_URL answers; raises LaunchError."""
    if not environment.uses_file_broker():
        _wait_for("The broker of CELERY_BROKER_URL", _connect_to_broker, CONNECTION_ERRORS)


def _connect_to_broker() -> None:
    try:
        with app.connection_for_write(connect_timeout=SECONDS_FOR_A_CONNECTION) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=SECONDS_FOR_A_CONNECTION)
    except (KeyError, ImportError) as problem:
        reason = str(problem.args[0] if problem.args else problem)
        raise LaunchError(f"CELERY_BROKER_URL names a broker that is not known: {reason}.") from None
    except ValueError:  # its message may contain part of the password
        raise LaunchError(
            "CELERY_BROKER_URL must be an address such as redis://:password@127.0.0.1:6379/0, with numbers as the port "
            "and, for Redis, the database. Characters such as / and # in a password are written %2F and %23."
        ) from None


def _wait_for(what: str, connect: Callable[[], object], failure: type[Exception] | tuple[type[Exception], ...]) -> None:
    """Retry until it works; the server in another container may still be starting."""
    deadline = time.monotonic() + environment.patience_seconds()
    announced = False
    while True:
        try:
            connect()
        except failure as problem:
            reason = str(problem).strip() or type(problem).__name__
            if any(sign in reason for sign in PERMANENT_ERRORS) or time.monotonic() > deadline:
                raise LaunchError(f"{what} cannot be used: {reason}") from None
            if not announced:
                announced = True
                print(f"Waiting. {what} does not answer yet: {reason.splitlines()[0]}", file=sys.stderr, flush=True)
            time.sleep(SECONDS_BETWEEN_TRIES)
        else:
            return

"""Databases for servers in other processes: empty, or copied from a migrated template in a tenth of a second."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString
from urllib.parse import quote, urlencode

import psycopg
from django.db import connection
from psycopg import sql

TEMPLATE = "test_headway_template"  # migrated; made once for a run
SERVER_TEMPLATE = f"{TEMPLATE}_of_servers"  # with the schedule and the personas' accounts
NO_OPTIONS = sql.SQL("")


def copy_database(template: str, name: str) -> None:
    """Create database `name` with everything in `template`, to which nobody may be connected."""
    create_database(name, sql.SQL("TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template)))


def create_database(name: str, options: sql.Composable = NO_OPTIONS) -> None:
    """Create database `name`, in the place of what had that name."""
    drop_database(name)
    with _administration() as postgres:
        postgres.execute(sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), options))


@contextmanager
def empty_database(name: str, options: LiteralString = "") -> Iterator[str]:
    """A database without any table on the server that this test run uses; dropped afterwards."""
    create_database(name, sql.SQL(options))
    try:
        yield name
    finally:
        drop_database(name)


def drop_database(name: str) -> None:
    with _administration() as postgres:
        postgres.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def database_bytes() -> int:
    """The size of the database that Django's models of this process read and write."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def database_url(name: str) -> str:
    """DATABASE_URL of a database on the server that this test run uses."""
    settings = connection.settings_dict
    account = quote(settings["USER"]) + (f":{quote(settings['PASSWORD'])}" if settings["PASSWORD"] else "")
    address = {"host": settings["HOST"], "port": settings["PORT"], **settings["OPTIONS"]}
    parameters = urlencode({key: value for key, value in address.items() if value}, quote_via=quote)
    return f"postgresql://{account}@/{name}?{parameters}"


@contextmanager
def pointed_at(name: str) -> Iterator[None]:
    """Let Django's models of this process read and write database `name`.  Not inside a transaction."""
    connection.close()
    before = connection.settings_dict["NAME"]
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@contextmanager
def out_of_reach(name: str) -> Iterator[None]:
    """Nobody can use database `name`, and who was using it is thrown out."""
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with _administration() as postgres:
        postgres.execute(allow.format(sql.Identifier(name), sql.Literal(False)))
        postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            postgres.execute(allow.format(sql.Identifier(name), sql.Literal(True)))


def _administration() -> psycopg.Connection[Any]:
    settings = connection.settings_dict
    return psycopg.connect(
        dbname="postgres",
        user=settings["USER"],
        password=settings["PASSWORD"],
        host=settings["HOST"],
        port=settings["PORT"],
        autocommit=True,
        **settings["OPTIONS"],
    )

"""`manage.py up` on a PostgreSQL, and where the test run has one, on a Redis that somebody else looks after."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded_postgres.server import SERVER_SETTINGS
from tests.brokers import broker_of_its_own
from tests.databases import database_url, empty_database, out_of_reach
from tests.launcher.installation import Installation, gone
from tests.patience import wait_until

DATABASE = f"headway_test_given_{os.getpid()}"


@pytest.fixture(scope="module")
def installation(roomy_tmp_path: Path) -> Iterator[Installation]:
    """An installation that was started once on an empty database of the run's server."""
    with empty_database(DATABASE) as database, broker_of_its_own() as broker:
        services = {"DATABASE_URL": database_url(database), **broker}
        installation = Installation(roomy_tmp_path / "given services", variables=services)
        try:
            installation.start()
            yield installation
        finally:
            installation.end_everything()


@pytest.fixture
def running(installation: Installation) -> Installation:
    if not installation.is_up():
        installation.start()
    return installation


def test_no_server_of_its_own_is_started(running: Installation) -> None:
    assert running.is_ready()
    assert not (running.data_dir / "postgres").exists()
    database = finding(running, "database")
    assert "of DATABASE_URL" in database["sentence"]


def test_statements_get_the_settings_of_the_embedded_server(running: Installation) -> None:
    """PostgreSQL's own make the computing of many windows three times as slow."""
    show = "from django.db import connection as c; print(c.cursor().execute('show work_mem').fetchone()[0])"
    assert running.manage("shell", "--verbosity", "0", "-c", show).stdout.strip() == SERVER_SETTINGS["work_mem"]


def test_work_reaches_the_worker(running: Installation) -> None:
    wait_until(
        lambda: "Worker and beat are at work" in finding(running, "worker")["sentence"],
        what="a task was finished",
    )
    assert finding(running, "broker")["state"] == "right"


def test_messages_go_through_the_given_broker(running: Installation) -> None:
    address = running.environment.get("CELERY_BROKER_URL")
    if address is None:
        pytest.skip("CELERY_BROKER_URL is not set: the messages of this run are files")
    assert list((running.data_dir / "broker").rglob("*")) == []
    with closing(redis.Redis.from_url(address)) as client:
        wait_until(lambda: client.exists("_kombu.binding.headway"), what="the queue")
        assert not client.exists("_kombu.binding.celery")  # the name that another application would use


def test_sessions_that_the_server_ended_come_back(running: Installation) -> None:
    with out_of_reach(DATABASE):
        assert not running.is_ready()
    wait_until(running.is_ready, what="pages are served again")


def test_a_stop_leaves_the_services_alone_and_a_start_finds_everything(running: Installation) -> None:
    shown = re.findall(r"(?:Sign in as|Ingest token) .*", running.output)
    processes = running.children()

    running.stop()

    assert gone(processes)
    with psycopg.connect(running.environment["DATABASE_URL"]) as session:
        assert session.execute("select count(*) from auth_user").fetchone() == (1,)
    running.start()
    assert shown
    assert shown == re.findall(r"(?:Sign in as|Ingest token) .*", running.output)


def test_a_database_that_cannot_hold_every_name_is_refused(roomy_tmp_path: Path) -> None:
    in_ascii = "TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE_PROVIDER libc LOCALE 'C'"
    with empty_database(f"{DATABASE}_ascii", in_ascii) as database:
        refused = Installation(
            roomy_tmp_path / "in ascii", variables={"DATABASE_URL": database_url(database)}
        ).refused()
    assert "needs a database in UTF8, and the one of DATABASE_URL is in SQL_ASCII" in refused


def finding(installation: Installation, part: str) -> dict[str, str]:
    """What `manage.py doctor` says of that part."""
    findings: list[dict[str, str]] = json.loads(installation.manage("doctor", "--json").stdout)
    return next(found for found in findings if found["part"] == part)

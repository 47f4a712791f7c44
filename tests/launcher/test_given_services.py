"""`manage.py up` with an external PostgreSQL and, if the test run has one, an external Redis."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
from django.db.migrations.loader import MigrationLoader
from django.db.utils import ConnectionHandler
from pytest_django.plugin import DjangoDbBlocker

from config import environment
from config.embedded_postgres.server import SERVER_SETTINGS
from config.launcher.schema import OWN_APPS
from tests.brokers import broker_of_its_own
from tests.databases import copy_database, database_url, drop_database, empty_database, out_of_reach
from tests.launcher.installation import Installation, gone
from tests.patience import wait_until

DATABASE = f"headway_test_given_{os.getpid()}"


@pytest.fixture(scope="module")
def installation(
    roomy_tmp_path: Path, database_template: str, django_db_blocker: DjangoDbBlocker
) -> Iterator[Installation]:
    """An installation on a database of the run's server, which has its tables, and only lacks what says so."""
    with django_db_blocker.unblock(), migrated_database(database_template) as database, broker_of_its_own() as broker:
        services = {"DATABASE_URL": database_url(database), **broker}
        installation = Installation(roomy_tmp_path / "given services", variables=services)
        try:
            yield installation
        finally:
            installation.end_everything()


def of_one_per_app() -> str:
    """The condition of migrations that replaced others, which are recorded beside them."""
    migrations = MigrationLoader(None).disk_migrations.values()
    names = [repr(one.name) for one in migrations if one.app_label in OWN_APPS and one.replaces]
    return f"name IN ({', '.join(names)})"


@contextmanager
def migrated_database(template: str) -> Iterator[str]:
    copy_database(template, DATABASE)
    with psycopg.connect(database_url(DATABASE)) as session:
        session.execute(f"DELETE FROM django_migrations WHERE {of_one_per_app()}")
    try:
        yield DATABASE
    finally:
        drop_database(DATABASE)


@pytest.fixture
def running(installation: Installation) -> Installation:
    if not installation.is_up():
        installation.start()
    return installation


def test_no_server_of_its_own_is_started_and_work_reaches_the_worker(running: Installation) -> None:
    assert running.is_ready()
    with psycopg.connect(running.environment["DATABASE_URL"]) as session:
        noted = session.execute(f"SELECT count(*) FROM django_migrations WHERE {of_one_per_app()}").fetchone()
    assert noted == (len(OWN_APPS),), "it was migrated"
    assert not (running.data_dir / "postgres").exists()
    running.wait_for_a_task()
    findings = {finding["part"]: finding for finding in json.loads(running.manage("doctor", "--json").stdout)}
    assert "of DATABASE_URL" in findings["database"]["sentence"]
    assert "Worker and beat are running" in findings["worker"]["sentence"]
    assert findings["broker"]["state"] == "right"


def test_statements_get_the_settings_of_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> None:
    """PostgreSQL's own make the computing of many windows three times as slow."""
    with django_db_blocker.unblock(), empty_database(f"{DATABASE}_settings") as database:
        monkeypatch.setenv("DATABASE_URL", database_url(database))
        connections = ConnectionHandler({"default": environment.database_parameters()})
        with closing(connections["default"]) as session, session.cursor() as cursor:
            cursor.execute("select current_setting('work_mem'), source from pg_settings where name = 'work_mem'")
            assert cursor.fetchone() == (SERVER_SETTINGS["work_mem"], "client")


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


def test_a_stop_leaves_the_services_alone(running: Installation) -> None:
    shown = re.search(r"Sign in as +(\S+)", running.output)
    processes = running.children()

    running.stop()

    assert gone(processes)
    assert shown is not None
    with psycopg.connect(running.environment["DATABASE_URL"]) as session:
        assert session.execute("select email from auth_user").fetchall() == [(shown[1],)]
        assert session.execute("select count(*) from integrations_ingesttoken").fetchone() == (1,)

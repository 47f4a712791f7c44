"""Databases that are migrated to this version's schema, and those that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from pytest_django.plugin import DjangoDbBlocker

from config.health import migrations_state
from config.launcher import schema
from config.launcher.errors import LaunchError
from tests.databases import copy_database, drop_database, empty_database, pointed_at


@pytest.fixture
def migrated(database_template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Django's connection leads to a migrated database of the test's own."""
    name = f"{database_template}_schema"
    with django_db_blocker.unblock():
        copy_database(database_template, name)
        with pointed_at(name):
            yield
        drop_database(name)


@pytest.fixture
def empty(database_template: str, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), empty_database(f"{database_template}_empty") as name, pointed_at(name):
        yield


@pytest.mark.usefixtures("migrated")
def test_a_database_with_all_single_steps_goes_on_with_the_one_that_replaces_them() -> None:
    before = noted()
    for migration in MigrationLoader(None).disk_migrations.values():
        if migration.app_label in schema.OWN_APPS and migration.replaces:
            execute("DELETE FROM django_migrations WHERE app = %s AND name = %s", migration.app_label, migration.name)
    assert migrations_state() == "missing"
    tables = described_tables()
    schema.migrate_schema()
    assert migrations_state() == "ok"
    assert noted() == before
    assert described_tables() == tables


@pytest.mark.usefixtures("migrated")
@pytest.mark.parametrize("app", schema.OWN_APPS)
def test_a_database_with_some_of_the_single_steps_is_refused_as_it_is(app: str) -> None:
    brought = MigrationLoader(None).disk_migrations.values()
    (replacing,) = (migration for migration in brought if migration.app_label == app and migration.replaces)
    last = replacing.replaces[-1][1]
    execute("DELETE FROM django_migrations WHERE app = %s AND name IN (%s, %s)", app, replacing.name, last)
    before = noted()
    with pytest.raises(LaunchError) as refused:
        schema.migrate_schema()
    assert f"it lacks migrations of {app} (from {last} on)" in str(refused.value)
    assert f"Start it once with commit {schema.LAST_WITH_SINGLE_STEPS}" in str(refused.value)
    assert noted() == before
    assert migrations_state() == "missing"


@pytest.mark.usefixtures("migrated")
def test_a_database_that_a_newer_version_migrated_is_refused_as_it_is() -> None:
    execute("INSERT INTO django_migrations (app, name, applied) VALUES ('orgtree', '9999_from_the_future', now())")
    before = noted()
    with pytest.raises(LaunchError) as refused:
        schema.migrate_schema()
    assert "belongs to another version of Headway: it knows orgtree.9999_from_the_future" in str(refused.value)
    assert noted() == before


@pytest.mark.usefixtures("migrated")
def test_nothing_is_done_where_nothing_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "call_command", None)
    schema.migrate_schema()


@pytest.mark.usefixtures("empty")
def test_a_first_start_that_is_cut_off_leaves_an_empty_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*_: Any, **__: Any) -> None:
        execute("CREATE TABLE orgtree_person ()")
        raise KeyboardInterrupt

    monkeypatch.setattr(schema, "call_command", cut_off)
    with pytest.raises(KeyboardInterrupt):
        schema.migrate_schema()
    assert described_tables() == []


def noted() -> list[tuple[str, str]]:
    return rows("SELECT app, name FROM django_migrations ORDER BY app, name")


def described_tables() -> list[tuple[str, ...]]:
    return rows("""
        SELECT table_name, column_name, data_type, column_default FROM information_schema.columns
        WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
    """)


def rows(statement: LiteralString) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        rows: list[Any] = cursor.fetchall()
    return rows


def execute(statement: str, *parameters: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)

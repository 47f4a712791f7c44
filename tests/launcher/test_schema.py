"""Databases that are migrated to this version's schema, and those that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, LiteralString

import pytest
from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from pytest_django.plugin import DjangoDbBlocker

from config.checks import migrations_state
from config.launcher import schema
from config.launcher.errors import LaunchError
from core.authorship import account_of
from programs.models import OutgoingEmail
from tests.databases import copy_database, drop_database, empty_database, pointed_at

OF_ONE_PER_APP = "name LIKE '0001\\_squashed\\_%'"


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
    execute(f"DELETE FROM django_migrations WHERE {OF_ONE_PER_APP}")
    assert migrations_state() == "missing"
    tables = described_tables()
    schema.migrate_schema()
    assert migrations_state() == "ok"
    assert noted() == before
    assert described_tables() == tables


@pytest.mark.soak  # it runs every single step since then, which are history and do not change
@pytest.mark.usefixtures("empty")
def test_models_of_an_earlier_version_get_their_names_and_keep_tables_and_permissions(database_template: str) -> None:
    migrate_to(auth="0012", integrations="0054", programs="0011")
    before = described_tables()
    former = ContentType.objects.get(app_label="programs", model="letter").pk
    execute(
        "INSERT INTO auth_user (username, password, is_superuser, first_name, last_name, email, is_staff, is_active,"
        " date_joined) VALUES ('ada', '', false, '', '', '', false, true, now())"
    )
    execute(
        "INSERT INTO programs_letter (public_id, account_id, channel, state, attempts, held_by, reason)"
        " SELECT gen_random_uuid(), id, 'email', 'waiting', 0, '', '' FROM auth_user"
    )
    migrate_to(integrations="0055", programs="0012")
    assert described_tables() == before
    schema.migrate_schema()
    assert OutgoingEmail.objects.get().account.username == "ada"
    assert ContentType.objects.get(app_label="programs", model="outgoingemail").pk == former
    after = described_tables()
    with pointed_at(database_template):
        assert described_tables() == after


@pytest.mark.usefixtures("migrated")
def test_the_log_of_notes_becomes_their_history() -> None:
    migrate_to(insights="0019")
    execute(
        'INSERT INTO insights_annotationchange (annotation_id, at, by_id, action, start, "end", text, about)'
        " VALUES (7, '2026-03-02 09:00+00', 3, 'added', '2026-03-02', '2026-03-03', 'Rota pausd', ''),"
        " (7, '2026-03-02 10:00+00', NULL, 'changed', '2026-03-02', '2026-03-03', 'Rota paused', 'dora')"
    )
    schema.migrate_schema()
    events = apps.get_model("insights", "AnnotationEvent")._default_manager.select_related("pgh_context")
    history = [
        (event.pgh_obj_id, event.pgh_label, event.text, event.about, account_of(event), event.pgh_created_at.hour)
        for event in events.order_by("pgh_id")
    ]
    assert history == [(7, "added", "Rota pausd", "", 3, 9), (7, "changed", "Rota paused", "dora", None, 10)]
    assert migrations_state() == "ok"


def migrate_to(**migrations: str) -> None:
    """An empty database, or one of an earlier version, to these migrations and those that they need."""
    for app, name in migrations.items():
        call_command("migrate", app, name, verbosity=0)


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

"""Migrates the database schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.utils import OperationalError

from config.launcher.errors import LaunchError
from core import sql

# A migration waiting for a lock blocks all later queries: fail instead, and start again.
LOCK_TIMEOUT = "15s"
MIGRATION_LOCK = 0x48656164  # one process migrates at a time; an arbitrary number
OWN_APPS = ("orgtree", "integrations", "insights", "programs")
LAST_WITH_SINGLE_STEPS = "69e223c"  # the last commit before the migrations were squashed

Key = tuple[str, str]  # a migration's app and name


def migrate_schema() -> None:
    """Apply missing migrations; refuse a database of a newer or too old Headway."""
    sql.execute("select set_config('lock_timeout', %s, false)", ["120s"])
    sql.execute("select pg_advisory_lock(%s)", [MIGRATION_LOCK])
    sql.execute("select set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
    try:
        # Django's loader fails if only some of a squashed migration's replaced ones are applied.
        recorded = set(MigrationRecorder(connection).applied_migrations())
        refuse_other_version(recorded)
        # If all replaced migrations are recorded but not the squashed one, `migrate` only records it.
        if set(MigrationLoader(connection).graph.nodes) - recorded:
            with _in_one_transaction(recorded):
                call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as problem:
        raise LaunchError(
            f"The database could not be brought to this version: {problem}. Nothing is half done; start again."
        ) from None
    finally:
        connection.close()


def refuse_other_version(recorded: Collection[Key]) -> None:
    """Refuse the database of a newer Headway, or of one too old to upgrade.  Raises LaunchError."""
    brought = MigrationLoader(None).disk_migrations
    _refuse_newer_schema(brought, recorded)
    _refuse_partial_schema(brought, recorded)


def _refuse_newer_schema(brought: Mapping[Key, Migration], recorded: Collection[Key]) -> None:
    replaced = {key for migration in brought.values() for key in migration.replaces}
    known = set(brought) | replaced
    unknown = sorted(key for key in recorded if key[0] in OWN_APPS and key not in known)
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in unknown)
        raise LaunchError(
            f"The data belongs to another version of Headway: it knows {names}, which this one does not. Start it with "
            f"the version that wrote it, or set HEADWAY_DATA_DIR (now {settings.DATA_DIR}) to another folder."
        )


def _refuse_partial_schema(brought: Mapping[Key, Migration], recorded: Collection[Key]) -> None:
    """Refuse a database with only some of a squashed migration's replaced ones: the others no longer exist."""
    lacking = [
        (app, [name for _, name in migration.replaces if (app, name) not in recorded])
        for (app, name), migration in sorted(brought.items())
        if app in OWN_APPS and (app, name) not in recorded and set(migration.replaces) & set(recorded)
    ]
    apps = ", ".join(f"{app} (from {names[0]} on)" for app, names in lacking if names)
    if apps:
        raise LaunchError(
            f"The data was written by a Headway too old for this one: it lacks migrations of {apps}. Start it once "
            f"with commit {LAST_WITH_SINGLE_STEPS}, the last that brings them one by one, and then again with this "
            "one. Nothing was changed."
        )


def _in_one_transaction(recorded: Collection[Key]) -> AbstractContextManager[object]:
    """One transaction for an empty database.

    Django records a migration after committing it: if killed in between, an app would seem to have some of its old
    migrations.  With data, one transaction per migration holds locks for a shorter time.
    """
    return nullcontext() if recorded else transaction.atomic()

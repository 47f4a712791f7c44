"""Bringing the database's schema to this version's."""

from __future__ import annotations

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.utils import OperationalError

from config.launcher.errors import LaunchError

# A migration that waits for a lock holds up everybody who comes after it: rather fail, and be started again.
LOCK_TIMEOUT = "15s"
MIGRATION_LOCK = 0x48656164  # one process migrates at a time; the number is only unlikely to be anybody else's
OWN_APPS = ("orgtree", "integrations", "insights", "programs")


def bring_up_to_date() -> None:
    """Apply the missing migrations; refuse a database that a newer Headway has migrated."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('lock_timeout', %s, false)", ["120s"])
        cursor.execute("select pg_advisory_lock(%s)", [MIGRATION_LOCK])
        cursor.execute("select set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
    try:
        loader = MigrationLoader(connection)
        _refuse_newer_schema(loader)
        if loader.graph.leaf_nodes() and set(loader.graph.nodes) - set(loader.applied_migrations):
            call_command("migrate", interactive=False, verbosity=0)
    except OperationalError as problem:
        raise LaunchError(
            f"The database could not be brought to this version: {problem}. Nothing is half done; start again."
        ) from None
    finally:
        connection.close()


def _refuse_newer_schema(loader: MigrationLoader) -> None:
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    known = set(loader.disk_migrations) | replaced
    unknown = sorted(key for key in loader.applied_migrations if key[0] in OWN_APPS and key not in known)
    if unknown:
        names = ", ".join(f"{app}.{name}" for app, name in unknown)
        raise LaunchError(
            f"The data belongs to another version of Headway: it knows {names}, which this one does not. Start it with "
            f"the version that wrote it, or set HEADWAY_DATA_DIR (now {settings.DATA_DIR}) to another folder."
        )

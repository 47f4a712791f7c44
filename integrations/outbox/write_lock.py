"""The lock for storing provider records: a merge depends on stored rows, so writers must not run concurrently."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection as database

from integrations.enums import Kind
from integrations.models import Connection
from integrations.outbox.linking_lock import lock_for_linking

_CONNECTION_LOCK = 0x4861_6C74  # "Halt", with a connection's id
_LINK_LOCK = 0x4C69_6E6B  # "Link"


def lock_for_write(connection: Connection, kinds: Collection[Kind]) -> None:
    """Lock the connection for writing until the caller's transaction ends; that of a page is short.

    Pull requests look up their work items, and work items the pull requests that name them, across connections, and do
    not see uncommitted rows.  So work items are stored under an exclusive lock, pull requests under a shared one.

    Call it before locking or writing anything else.
    """
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_CONNECTION_LOCK, connection.pk])
        if Kind.WORK_ITEM in kinds:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LINK_LOCK])
        elif Kind.PULL_REQUEST in kinds:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LINK_LOCK])
    lock_for_linking(kinds)

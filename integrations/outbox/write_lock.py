"""Who waits for whom: what a telling changes depends on what is stored, so that two must not decide at once."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection as database

from integrations.enums import Kind
from integrations.models import Connection
from integrations.outbox.linking_lock import link_alone

_CONNECTION_LOCK = 0x4861_6C74  # "Halt", with a connection's id
_LINK_LOCK = 0x4C69_6E6B  # "Link"


def write_alone(connection: Connection, kinds: Collection[Kind]) -> None:
    """Until the caller's transaction ends, nobody else stores what this connection tells; that of a page is short.

    Pull requests find their work items, and work items the pull requests that name them, at any connection: neither
    sees what another transaction has not stored yet.  So work items are stored while nobody stores pull requests.

    To be called before anything is locked or written.
    """
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_CONNECTION_LOCK, connection.pk])
        if Kind.WORK_ITEM in kinds:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LINK_LOCK])
        elif Kind.PULL_REQUEST in kinds:
            cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_LINK_LOCK])
    link_alone(kinds)

"""A second session of the database, in the same thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connections

from core import sql
from tests.patience import wait_until


@contextmanager
def another_session() -> Iterator[None]:
    """A connection of its own for the block, as another process has one.

    It is gone after the block: PostgreSQL notices only some time after `close` that a connection has ended, and holds
    its locks until then.
    """
    ours = connections["default"]
    connections["default"] = ours.copy()
    try:
        yield
    finally:
        theirs = connections["default"]
        server_process = None if theirs.connection is None else theirs.connection.info.backend_pid
        theirs.close()
        connections["default"] = ours
        wait_until(
            lambda: not sql.value("SELECT count(*) FROM pg_locks WHERE pid = %s", [server_process]),
            what="the other session's locks are gone",
        )

"""The database for a single command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from config import environment
from config.embedded_postgres.use import server_for_a_command


@contextmanager
def database_for_a_command() -> Iterator[None]:
    """Make sure that the embedded database runs meanwhile; nothing where DATABASE_URL names a server."""
    environment.check()
    if not environment.uses_embedded_database():
        yield
        return
    with server_for_a_command(environment.cluster()):
        yield

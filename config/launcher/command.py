"""The database for a single command."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from config import environment
from config.embedded_postgres.use import server_for_a_command


@contextmanager
def database_for_a_command() -> Iterator[None]:
    """Make sure that the embedded database runs meanwhile; nothing where DATABASE_URL names a server."""
    environment.check()
    if not environment.uses_embedded_database():
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    with server_for_a_command(environment.cluster()):
        yield


def _end(number: int, _: object) -> NoReturn:
    """End as Ctrl-C does, so that the database which was started for the command is stopped."""
    raise SystemExit(128 + number)

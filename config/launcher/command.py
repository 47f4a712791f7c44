"""The embedded database for a single command."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from config import environment
from config.embedded_postgres.use import server_for_command


@contextmanager
def database_for_command() -> Iterator[None]:
    """Keep the embedded database running for the block; no-op with DATABASE_URL."""
    environment.check()
    if not environment.uses_embedded_database():
        yield
        return
    signal.signal(signal.SIGTERM, _end)
    with server_for_command(environment.cluster()):
        yield


def lacks_tables(problem: Exception) -> bool:
    """Whether a command failed because the schema does not exist, or is not migrated to this version."""
    from django.db import ProgrammingError
    from psycopg.errors import UndefinedColumn, UndefinedTable

    return isinstance(problem, ProgrammingError) and isinstance(problem.__cause__, UndefinedTable | UndefinedColumn)


def _end(number: int, _: object) -> NoReturn:
    """Exit like Ctrl-C, so that a database started for the command is stopped."""
    raise SystemExit(128 + number)

"""Takes over the embedded database, and restarts it if it dies."""

from __future__ import annotations

import time
from collections.abc import Callable

from config import environment
from config.embedded_postgres import Cluster, EmbeddedPostgresError, start
from config.embedded_postgres.accounts import StillStartingError
from config.embedded_postgres.postmaster import Postmaster
from config.embedded_postgres.use import ServerLock
from config.launcher.output import Output

SECONDS_BETWEEN_STARTS = 5.0


def take_over(server: ServerLock, *, say: Callable[[str], None], is_stopping: Callable[[], bool]) -> None:
    """Start or adopt the server and own it, however long it recovers; a stop request ends the wait."""
    while not is_stopping():
        try:
            server.enter(as_command=False)
        except StillStartingError as problem:
            say(str(problem))
        else:
            server.claim()
            return


class EmbeddedDatabase:
    """The supervised database server."""

    def __init__(self, cluster: Cluster, output: Output) -> None:
        self._cluster = cluster
        self._output = output
        self._start_again_at = 0.0

    def ensure_running(self) -> None:
        """Restart the server if its process or socket is gone."""
        if not environment.uses_embedded_database() or time.monotonic() < self._start_again_at:
            return
        postmaster = Postmaster.read(self._cluster.postgres_dir)
        if postmaster is not None and postmaster.is_alive() and self._cluster.socket.exists():
            return
        self._output.say("The database is gone; starting it again.")
        try:
            start(self._cluster)
        except EmbeddedPostgresError as problem:
            self._output.say(str(problem))
            self._start_again_at = time.monotonic() + SECONDS_BETWEEN_STARTS
        else:
            self._output.say("The database is back.")

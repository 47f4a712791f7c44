"""Restarts the embedded database if it dies."""

from __future__ import annotations

import time

from config import environment
from config.embedded_postgres import Cluster, EmbeddedPostgresError, start
from config.embedded_postgres.postmaster import Postmaster
from config.launcher.output import Output

SECONDS_BETWEEN_STARTS = 5.0


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

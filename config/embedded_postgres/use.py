"""Sharing one embedded server between `up` and commands that run beside it or without it.

Whoever uses the server holds `run/server.lock` shared; starting and stopping it needs the lock exclusively.  A
command that found no server starts it and leaves a mark; the last one out stops a marked server.  `up` removes the
mark: from then on the server is the supervisor's.  The kernel drops the locks of a killed process.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded_postgres.accounts import refuse_folders_of_others
from config.embedded_postgres.cluster import SUPERUSER, Cluster, binaries
from config.embedded_postgres.errors import EmbeddedPostgresError, explain
from config.embedded_postgres.server import is_running, start, stop

PATIENCE_SECONDS = 60.0
SECONDS_BETWEEN_TRIES = 0.05
OTHER_SESSIONS = (
    "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
)


class ServerLock:
    """A place among the users of a cluster's server."""

    def __init__(self, cluster: Cluster) -> None:
        refuse_folders_of_others(cluster.data_dir, cluster.run_dir)
        self.cluster = cluster
        try:
            cluster.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._descriptor = os.open(cluster.run_dir / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as problem:
            raise explain(
                f"{problem.strerror}: {problem.filename}", doing="Locking the data directory", folder=cluster.data_dir
            ) from None

    @property
    def mark(self) -> Path:
        return self.cluster.run_dir / "started-by-a-command"

    def enter(self, *, as_command: bool) -> None:
        """Start the server where none runs, and hold the lock shared."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            if self._lock(fcntl.LOCK_SH) and is_running(self.cluster):
                return
            # Changing to exclusive lets go for a moment; whoever comes first starts the server.
            if self._lock(fcntl.LOCK_EX):
                if not is_running(self.cluster):
                    if as_command:
                        self.mark.touch()  # first, so that an interrupted start is undone too
                    start(self.cluster)
                continue
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Another process has been starting or stopping the database in {self.cluster.data_dir} for "
                    f"{PATIENCE_SECONDS:.0f} s. Try again when it is done."
                )
            time.sleep(SECONDS_BETWEEN_TRIES)

    def claim(self) -> None:
        """The server is no longer a command's, which the last command would stop."""
        self.mark.unlink(missing_ok=True)

    def leave(self) -> None:
        """Let go; stop a server that a command started once nobody uses it any more."""
        try:
            if self.mark.exists() and self._lock(fcntl.LOCK_EX) and not _has_other_sessions(self.cluster):
                self.mark.unlink(missing_ok=True)
                stop(self.cluster)
        finally:
            os.close(self._descriptor)

    def close(self) -> None:
        """Let go and leave the server as it is."""
        os.close(self._descriptor)

    def _lock(self, kind: int) -> bool:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def server_for_a_command(cluster: Cluster) -> Iterator[None]:
    """The running server, or one that is started for as long as this command and others need it."""
    lock = ServerLock(cluster)
    try:
        lock.enter(as_command=True)
        yield
    finally:
        lock.leave()


def _has_other_sessions(cluster: Cluster) -> bool:
    """Whether anybody is connected who holds no lock, such as a person with psql."""
    psql = [str(binaries() / "psql"), "-X", "-At", "-h", str(cluster.socket_dir), "-U", SUPERUSER, "-d", "postgres"]
    counted = subprocess.run([*psql, "-c", OTHER_SESSIONS], check=False, capture_output=True, text=True)
    return counted.stdout.strip() not in ("", "0")

"""Sharing one embedded server between `up` and commands that run beside it or without it.

Users of the server hold `run/server.lock` shared; starting and stopping it requires an exclusive lock.  A command that
finds no server starts it and leaves a mark; the last user stops a marked server.  `up` removes the mark: from then on
the supervisor owns the server.  The kernel releases the locks of a killed process.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded_postgres.accounts import EmbeddedPostgresError, explain, refuse_folders_of_others
from config.embedded_postgres.cluster import SUPERUSER, Cluster, binaries
from config.embedded_postgres.server import is_running, start, stop

PATIENCE_SECONDS = 60.0
# After a power cut the server replays up to max_wal_size.  A command that gave up would stop it, and the next one would
# begin again; `up` starts it as often as it takes.
SECONDS_TO_RECOVER = 600.0
SECONDS_BETWEEN_TRIES = 0.05
OTHER_SESSIONS = (
    "select count(*) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()"
)


class ServerLock:
    """A user's lock on a cluster's server."""

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
        """Start the server if none runs, and hold the lock shared."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            if self._lock(fcntl.LOCK_SH) and is_running(self.cluster):
                return
            # Upgrading to exclusive releases the lock briefly; the first process starts the server.
            if self._lock(fcntl.LOCK_EX):
                if not is_running(self.cluster):
                    if as_command:
                        self.mark.touch()  # first, so that an interrupted start is undone too
                    start(self.cluster, patience_seconds=SECONDS_TO_RECOVER if as_command else PATIENCE_SECONDS)
                continue
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"Another process has been starting or stopping the database in {self.cluster.data_dir} for "
                    f"{PATIENCE_SECONDS:.0f} s. Try again when it is done."
                )
            time.sleep(SECONDS_BETWEEN_TRIES)

    def claim(self) -> None:
        """Take the server over from commands, so that the last command does not stop it."""
        self.mark.unlink(missing_ok=True)

    def leave(self) -> None:
        """Release the lock; stop a server started by a command once nobody uses it."""
        try:
            if self.mark.exists() and self._lock(fcntl.LOCK_EX) and not _has_other_sessions(self.cluster):
                self.mark.unlink(missing_ok=True)
                stop(self.cluster)
        finally:
            os.close(self._descriptor)

    def close(self) -> None:
        """Release the lock and leave the server running."""
        os.close(self._descriptor)

    def _lock(self, kind: int) -> bool:
        try:
            fcntl.flock(self._descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


@contextmanager
def server_for_command(cluster: Cluster) -> Iterator[None]:
    """The running server, or one started for as long as commands need it."""
    lock = ServerLock(cluster)
    try:
        lock.enter(as_command=True)
        yield
    finally:
        lock.leave()


def _has_other_sessions(cluster: Cluster) -> bool:
    """Whether clients without a lock are connected, such as psql."""
    psql = [str(binaries() / "psql"), "-X", "-At", "-h", str(cluster.socket_dir), "-U", SUPERUSER, "-d", "postgres"]
    counted = subprocess.run([*psql, "-c", OTHER_SESSIONS], check=False, capture_output=True, text=True)
    return counted.stdout.strip() not in ("", "0")

"""`manage.py up` in its own process: web, worker, beat and, without DATABASE_URL, an embedded database."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from tests.databases import database_url, out_of_reach
from tests.patience import wait_until
from tests.servers import Application


class Installation(Application):
    """A whole installation on a data directory of its own, whose processes a test may kill.

    `database` is its database on the given server; None where it brings an embedded server.
    """

    def __init__(self, *, data_dir: Path, log_dir: Path, database: str | None, broker: Mapping[str, str]) -> None:
        address = {} if database is None else {"DATABASE_URL": database_url(database)}
        super().__init__(data_dir=data_dir, log_dir=log_dir, services={**address, **broker})
        self._database = database

    @property
    def environment(self) -> Mapping[str, str]:
        # Its own secrets, not the run's.
        return {name: value for name, value in super().environment.items() if name != "HEADWAY_SECRET_KEY"}

    @property
    def ingest_token(self) -> str:
        """The one of the first start."""
        return (self.data_dir / "secrets" / "ingest_token").read_text()

    def start(self) -> None:
        self.run("up", "manage.py", "up")
        self.wait_until_it_answers(path="/readyz")

    def pid_of(self, role: str) -> int | None:
        """Process id of web, worker, beat or the embedded database; None while it is down."""
        if role == "database":
            pid_file = self.data_dir / "postgres" / "postmaster.pid"
            first_line = pid_file.read_text().partition("\n")[0] if pid_file.exists() else ""
            return int(first_line) if first_line and Path(f"/proc/{first_line}").exists() else None
        children = _children(self.processes["up"].pid)
        return next((pid for pid in children if {"config.launcher.child", role} <= _words(pid)), None)

    def kill_role(self, role: str) -> None:
        """Kill one process with what it forked; the database server ends at once, with all its connections.

        Others may use a given server: it throws this installation out, and for a moment lets nobody in.
        """
        if role == "database" and self._database is not None:
            with out_of_reach(self._database):
                return
        pid = wait_until(lambda: self.pid_of(role) or 0, what=f"{role} runs")
        _kill((pid, *_children(pid)))

    def kill_everything(self) -> None:
        """Kill the supervisor, its children and the embedded database server, as a power cut would."""
        database = self.pid_of("database")
        _kill((*_children(self.processes["up"].pid), *([database] if database else [])))
        self.kill("up")


def _kill(pids: Iterable[int]) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # it went with another one
            os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> Iterator[int]:
    """Every process that `pid` started, and those that they started."""
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = thread.read_text().split()
        except OSError:
            continue  # the thread ended meanwhile
        for child in children:
            yield int(child)
            yield from _children(int(child))


def _words(pid: int) -> set[str]:
    """The words of a process's command line."""
    try:
        return set(Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0"))
    except OSError:
        return set()

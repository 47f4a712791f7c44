"""The server process of a cluster as recorded in `postmaster.pid`, and whether it is alive."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

SECONDS_BETWEEN_CHECKS = 0.05
STATUS_LINE = 7  # src/include/utils/pidfile.h: LOCK_FILE_LINE_PM_STATUS is the eighth


@dataclass(frozen=True)
class Postmaster:
    """A server process from its pid file."""

    pid: int
    status: str
    """starting, ready, stopping or standby; empty for a moment after the file was made."""
    file: Path

    @classmethod
    def read(cls, postgres_dir: Path) -> Self | None:
        """The process named by the pid file; None without one."""
        file = postgres_dir / "postmaster.pid"
        try:
            lines = file.read_text(errors="replace").splitlines()
            pid = int(lines[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        status = lines[STATUS_LINE].strip() if len(lines) > STATUS_LINE else ""
        return cls(pid=pid, status=status, file=file)

    def is_alive(self) -> bool:
        """Whether the process runs and serves this folder: after a reboot the pid may be another program's."""
        return Path(_command(self.pid)[0]).name == "postgres" and self._works_here()

    def _works_here(self) -> bool:
        folder = self.file.parent
        try:
            return os.path.samefile(f"/proc/{self.pid}/cwd", folder)  # a server changes into its data directory
        except OSError:  # no /proc on this system, or another account's process
            return any(str(folder) in part for part in _command(self.pid))

    def ends_by(self, number: signal.Signals, *, within_seconds: float) -> bool:
        """Send the signal; returns whether the process ended in time, or was not running."""
        deadline = time.monotonic() + within_seconds
        if self.is_alive():
            os.kill(self.pid, number)
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(SECONDS_BETWEEN_CHECKS)
        return True

    def remove_misleading_file(self) -> None:
        """Remove the file if its pid is now another program's: PostgreSQL would refuse to start.

        A file of a dead process stays; PostgreSQL removes it itself after checking for orphaned sessions.
        """
        if _command(self.pid)[0] and not self.is_alive():
            self.file.unlink(missing_ok=True)


def _command(pid: int) -> list[str]:
    """Program and arguments of a process; [""] if there is none, or it is a zombie."""
    if os.path.isdir("/proc/self"):
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError):
            return [""]
    listed = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    program, _, arguments = listed.stdout.strip().partition(" -D ")
    return [program, arguments]

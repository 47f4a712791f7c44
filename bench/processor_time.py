"""CPU time of the installation's processes: the cost of a figure, whatever else runs on the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from bench.instance import SUPERVISOR_PID
from bench.memory import ENDED, role_of, tree_of

POSTGRES = "PostgreSQL"


class ProcessorTime:
    """Seconds by role: web, worker, beat, supervisor and PostgreSQL; none where they are unknown.  Linux only."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count the processor time of the bench's own installation within the block."""
        before = _seconds()
        yield
        for role, after in _seconds().items():
            self.seconds[role] = self.seconds.get(role, 0.0) + after - before.get(role, 0.0)

    def per(self, times: int) -> str:
        """The processor time of the web process, the worker and PostgreSQL, per item, in words."""
        parts = [
            f"{role} {self.seconds[role] / times * 1000:.3g} ms"
            for role in ("web", "worker", POSTGRES)
            if role in self.seconds
        ]
        return f"processor time of each: {', '.join(parts) or 'not known'}"


def _seconds() -> dict[str, float]:
    supervisor = os.environ.get(SUPERVISOR_PID)
    if supervisor is None or not Path("/proc/self/stat").exists():
        return {}
    seconds: dict[str, float] = {}
    for pid in tree_of(int(supervisor)):
        with suppress(*ENDED):
            if (role := role_of(pid)) != "postgres":
                seconds[role] = seconds.get(role, 0.0) + _own_and_ended(pid)
    if (postmaster := _postmaster()) is not None:
        seconds[POSTGRES] = sum(_own_and_ended(pid) for pid in tree_of(postmaster))
    return seconds


def _postmaster() -> int | None:
    file = Path(settings.DATA_DIR) / "postgres" / "postmaster.pid"
    return int(file.read_text().split()[0]) if file.exists() else None


def _own_and_ended(pid: int) -> float:
    """The processor time of a process and of its ended children: connections come and go."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except ENDED:
        return 0.0
    user, system, ended_user, ended_system = stat.rpartition(")")[2].split()[11:15]
    return sum(map(int, (user, system, ended_user, ended_system))) / os.sysconf("SC_CLK_TCK")

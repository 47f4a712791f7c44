"""Size of the embedded server's shared buffers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

MEGABYTE = 1024 * 1024
# PostgreSQL's manual recommends a quarter of the memory.  Pages are allocated as data is read, so a small organisation
# never uses more than its tables.
SHARE = 1 / 4
LEAST_MB, MOST_MB = 128, 4096
# Memory limits of containers, cgroup v2 and v1.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def shared_buffers() -> str:
    """In PostgreSQL's notation.  Pages outside the buffers are copied from the OS cache on each read."""
    share = int(_memory_bytes(LIMITS) * SHARE) // MEGABYTE
    return f"{min(max(share, LEAST_MB), MOST_MB)}MB"


def _memory_bytes(limits: Sequence[Path]) -> int:
    """The memory of the machine, or the container's limit."""
    limits_in_bytes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in limits:
        written = path.read_text().strip() if path.exists() else ""
        if written.isdigit():  # or “max”
            limits_in_bytes.append(int(written))
    return min(limits_in_bytes)

"""How much memory the embedded server may keep pages of tables in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

MEGABYTE = 1024 * 1024
# PostgreSQL's manual has a quarter of the memory as a reasonable start.  It is taken page by page as data are read: a
# small organisation never has more than its tables take.
SHARE = 1 / 4
LEAST_MB, MOST_MB = 128, 4096
# What a container may take, by version 2 and 1 of control groups.
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def shared_buffers() -> str:
    """As PostgreSQL writes sizes.  Pages that are not in them are copied from the operating system at each read."""
    share = int(_memory_bytes(LIMITS) * SHARE) // MEGABYTE
    return f"{min(max(share, LEAST_MB), MOST_MB)}MB"


def _memory_bytes(limits: Sequence[Path]) -> int:
    """The machine's memory, or as much of it as a container may take."""
    limits_in_bytes = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    for path in limits:
        written = path.read_text().strip() if path.exists() else ""
        if written.isdigit():  # or “max”
            limits_in_bytes.append(int(written))
    return min(limits_in_bytes)

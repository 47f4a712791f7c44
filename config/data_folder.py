"""File modes of the data directory: private to its owner.

It holds copies of private repositories, messages, secrets and logs.  If root's database runs under another account,
that account needs the search bit on the directory and on `run/`: others may pass through, but not list or read them.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from config.embedded_postgres import Cluster

UMASK = 0o077
# Entries that Headway creates; in a directory with others in it, only these are closed.
OURS = frozenset(("broker", "columns", "demo", "logs", "mirrors", "postgres", "run", "secrets", "static"))
PASSING = stat.S_IXGRP | stat.S_IXOTH
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def restrict_permissions(cluster: Cluster) -> None:
    """Close entries that an earlier version, or a command with a wider umask, left open.

    Files in a closed folder are unreachable whatever their own mode.
    """
    folder = cluster.data_dir
    names = set(os.listdir(folder))
    closing = [folder / name for name in sorted(names & OURS - {"postgres", "run"})]
    passed = [folder, cluster.run_dir] if names <= OURS else [cluster.run_dir]
    for path in (*closing, *(file for file in cluster.run_dir.iterdir() if file.is_file())):
        _withdraw(path, OTHERS)
    for path in passed:
        _withdraw(path, OTHERS & ~PASSING)


def _withdraw(path: Path, bits: int) -> None:
    """Withdraws permission bits; ignores failures (other owner, no modes): `manage.py doctor` reports what
    stays open.
    """
    with suppress(OSError):
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~bits)


def exposed_paths(data_dir: Path) -> Iterator[Path]:
    """Paths in the data directory that other accounts can list, read or write; itself included if not shared."""
    names = set(os.listdir(data_dir))
    for path in [data_dir] if names <= OURS else [data_dir / name for name in sorted(names & OURS)]:
        yield from _open_below(path)


def _open_below(path: Path) -> Iterator[Path]:
    mode = path.lstat().st_mode
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        return  # links take the mode of their target, sockets that of their folder
    if mode & OTHERS & ~PASSING:
        yield path
    if stat.S_ISDIR(mode) and mode & PASSING:
        for name in sorted(os.listdir(path)):
            with suppress(FileNotFoundError):  # a message that was just consumed
                yield from _open_below(path / name)

"""The data directory is its owner's alone: no other account of the machine reads anything in it.

It holds copies of private repositories, messages, secrets and logs.  Where root's database runs under an account of its
own, that account passes through the directory and `run/`, and others may, too: they can list and read neither.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from config.embedded_postgres import Cluster

UMASK = 0o077
# What an installation keeps; a directory with anything else in it is shared, and only these are closed.
OURS = frozenset(("broker", "columns", "demo", "logs", "mirrors", "postgres", "run", "secrets", "static"))
PASSING = stat.S_IXGRP | stat.S_IXOTH
OTHERS = stat.S_IRWXG | stat.S_IRWXO


def close_to_others(cluster: Cluster) -> None:
    """Close what an earlier version, or a command under a wider umask, left open.

    What stands in a closed folder is out of reach with its own mode as it is.
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
    """Another account's, or on a file system without modes: `manage.py doctor` names what stays open."""
    with suppress(OSError):
        if not path.is_symlink():
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~bits)


def open_to_others(data_dir: Path) -> Iterator[Path]:
    """What another account can list, read or write of the data directory, itself included where it is only ours."""
    names = set(os.listdir(data_dir))
    for path in [data_dir] if names <= OURS else [data_dir / name for name in sorted(names & OURS)]:
        yield from _open_below(path)


def _open_below(path: Path) -> Iterator[Path]:
    mode = path.lstat().st_mode
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        return  # a link has the modes of what it leads to, a socket those of its folder
    if mode & OTHERS & ~PASSING:
        yield path
    if stat.S_ISDIR(mode) and mode & PASSING:
        for name in sorted(os.listdir(path)):
            with suppress(FileNotFoundError):  # a message that was just taken
                yield from _open_below(path / name)

"""The folder of the column files, readable only by the account of the process, and a DuckDB that can access nothing
else.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from django.conf import settings

from insights.models import ColumnPartition

if TYPE_CHECKING:
    import duckdb

# A running query may read a file for this long after its partition was rebuilt.
ORPHAN_SECONDS = 3600


def folder() -> Path:
    return _private(settings.DATA_DIR / "columns")


def temporary_folder() -> Path:
    return _private(folder() / "temporary")


def _private(path: Path) -> Path:
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def temporary_file(suffix: str) -> Iterator[Path]:
    """The path for a temporary file, which the caller creates; it is deleted after the block."""
    path = temporary_folder() / f"{uuid4().hex}{suffix}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def put_in_place(written: Path, name: str) -> None:
    """Rename a complete file durably, before the database refers to it."""
    written.chmod(0o600)
    with written.open("rb") as file:
        os.fsync(file.fileno())
    written.rename(folder() / name)
    descriptor = os.open(folder(), os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def checksum_of(path: Path) -> str:
    """SHA-256 of the file's content; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""


def is_whole(name: str, size: int) -> bool:
    """Whether the file exists in its full size; its content is checked every night."""
    try:
        return (folder() / name).stat().st_size == size
    except OSError:
        return False


def leave(name: str) -> None:
    """Release a file that no partition refers to any more: it is deleted after `ORPHAN_SECONDS`."""
    with suppress(OSError):
        os.utime(folder() / name)


def delete_orphans() -> int:
    """Delete files that no partition refers to and that were written or released over an hour ago; returns their
    number.

    This includes temporary files of killed processes.
    """
    old = _old_files(folder())
    named = set(ColumnPartition.objects.filter(file_name__in=old).values_list("file_name", flat=True))
    orphans = [path for name, path in old.items() if name not in named]
    orphans += _old_files(temporary_folder()).values()
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)


def _old_files(directory: Path) -> dict[str, Path]:
    """Files older than `ORPHAN_SECONDS`, by name.  For a file dated in the future (the clock was set back) the time
    starts anew.
    """
    now, old = time.time(), {}
    for entry in os.scandir(directory):
        with suppress(FileNotFoundError):  # another process may have deleted them
            if not entry.is_file(follow_symlinks=False):
                continue
            age = now - entry.stat(follow_symlinks=False).st_mtime
            if age < -ORPHAN_SECONDS:
                os.utime(entry.path)
            elif age > ORPHAN_SECONDS:
                old[entry.name] = Path(entry.path)
    return old


def open_sandboxed(memory_limit: str, *, first: str = "", **more: str | int) -> duckdb.DuckDBPyConnection:
    """A new database, which the caller closes; `more` are additional settings.

    `first` is executed before the configuration is locked.
    """
    import duckdb

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "temp_directory": str(temporary_folder()),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
        **more,
    }
    opened = duckdb.connect(":memory:", config=config)
    if first:
        opened.execute(first)
    opened.execute("SET allowed_directories = $folders", {"folders": [str(folder())]})
    opened.execute("SET enable_external_access = false")
    opened.execute("SET lock_configuration = true")
    return opened

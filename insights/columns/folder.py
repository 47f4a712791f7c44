"""The folder of columns: only the account of the process can read it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from insights.models import ColumnPartition

# A question that was begun reads the files that it found for at most so long; so does nobody a file that was left.
ORPHAN_SECONDS = 3600
_BLOCK = 1 << 20


def folder() -> Path:
    path: Path = settings.DATA_DIR / "columns"
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def temporary_file(suffix: str) -> Iterator[Path]:
    """The path of a file in the folder that is there for the time of the block, and is not made by it."""
    path = folder() / f"{uuid4().hex}{suffix}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def put_in_place(written: Path, name: str) -> None:
    """Give a whole file its name, durably: the database will name it from then on."""
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
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def is_whole(name: str, size: int) -> bool:
    """Whether the file is there at its full length; what lies in it is looked at each night."""
    try:
        return (folder() / name).stat().st_size == size
    except OSError:
        return False


def leave(name: str) -> None:
    """No partition will name the file any more: its hour begins."""
    with suppress(OSError):
        os.utime(folder() / name)


def delete_orphans() -> int:
    """Delete files that no partition names and that were written or left an hour ago; how many there were."""
    now = time.time()
    old = []
    for entry in os.scandir(folder()):
        with suppress(OSError):
            age = now - entry.stat().st_mtime
            if age < -ORPHAN_SECONDS:  # the clock was put back: its hour begins anew
                os.utime(entry.path)
            elif age > ORPHAN_SECONDS:
                old.append(entry.name)
    named = set(ColumnPartition.objects.filter(file_name__in=old).values_list("file_name", flat=True))
    orphans = [name for name in old if name not in named]
    for name in orphans:
        (folder() / name).unlink(missing_ok=True)
    return len(orphans)

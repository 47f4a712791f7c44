"""Writes a repository in one go: the commands of `git fast-import`, and the process that executes them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, cast

_ENVIRONMENT = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_DEFAULT_HASH": "sha1"}


@dataclass(frozen=True, slots=True)
class Signed:
    """A signature with name and time; the time keeps its own UTC offset."""

    name: str
    email: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.name} <{self.email}> {int(self.at.timestamp())} {self.at:%z}"


class FastImport:
    """Commits on branches; a mark names a commit or a file's content within this repository."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._marks = 0

    def blob(self, content: bytes) -> int:
        """The mark of a file's content."""
        mark = self._next_mark()
        self._stream.write(b"blob\nmark :%d\ndata %d\n%b\n" % (mark, len(content), content))
        return mark

    def commit(
        self,
        ref: str,
        author: Signed,
        message: str,
        files: Mapping[str, int],
        *,
        parents: tuple[int, ...],
        committer: Signed | None = None,
    ) -> int:
        """The mark of a new commit at the end of `ref`; files are path → the mark of the new content.

        Paths must need no quoting.
        """
        mark = self._next_mark()
        words = message.encode()
        head = f"commit {ref}\nmark :{mark}\nauthor {author}\ncommitter {committer or author}\ndata {len(words)}\n"
        origin = "".join(f"{verb} :{parent}\n" for verb, parent in zip(("from", "merge"), parents, strict=False))
        changes = "".join(f"M 100644 :{content} {path}\n" for path, content in files.items())
        self._stream.write(head.encode() + words + f"\n{origin}{changes}\n".encode())
        return mark

    def notes(self, ref: str, author: Signed, notes: Mapping[str, bytes]) -> None:
        """One commit on the notes ref; notes are commit id → text."""
        self._stream.write(f"commit {ref}\ncommitter {author}\ndata 0\n".encode())
        for sha, text in notes.items():
            self._stream.write(b"N inline %b\ndata %d\n%b\n" % (sha.encode(), len(text), text))

    def delete(self, ref: str) -> None:
        self._stream.write(f"reset {ref}\nfrom {'0' * 40}\n\n".encode())

    def _next_mark(self) -> int:
        self._marks += 1
        return self._marks


def create_bare_repository(path: Path, address: str = "") -> None:
    """Create an empty repository whose default branch is main, as if cloned from `address` if one is given."""
    command = ["git", "init", "--quiet", "--bare", "--template=", "--initial-branch=main", str(path)]
    subprocess.run(command, check=True, env=_environment(), stdin=subprocess.DEVNULL)
    if address:
        origin = ["git", f"--git-dir={path}", "config", "remote.origin.url", address]
        subprocess.run(origin, check=True, env=_environment(), stdin=subprocess.DEVNULL)


@contextmanager
def fast_import(path: Path) -> Iterator[FastImport]:
    """Import into the bare repository at `path`; the import is complete when the block ends.

    Raises subprocess.CalledProcessError if git refuses it.
    """
    command = ["git", f"--git-dir={path}", "-c", "core.compression=1", "-c", "fastimport.unpackLimit=0"]
    command += ["fast-import", "--quiet", "--done", "--date-format=raw", f"--export-marks={path / 'marks'}"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, env=_environment())
    stream = cast("IO[bytes]", process.stdin)
    try:
        yield FastImport(stream)
        stream.write(b"done\n")
    except BrokenPipeError:
        pass  # git has said why, and its exit code is raised below
    except BaseException:
        process.kill()  # without "done" nothing of it stands
        raise
    finally:
        with suppress(BrokenPipeError):
            stream.close()
        code = process.wait()
    if code:
        raise subprocess.CalledProcessError(code, command)


def object_ids(path: Path) -> dict[int, str]:
    """Mark → object id, of the last import into the repository."""
    lines = (path / "marks").read_text().splitlines()
    return {int(mark[1:]): sha for mark, sha in (line.split() for line in lines)}


def _environment() -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return inherited | _ENVIRONMENT

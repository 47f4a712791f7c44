"""Which lines a commit touches, from git's output, without storing a line of content.

A merge is compared with its first parent: it is one change, as a squash of the same branch is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from integrations.connectors.git.commands import GitError, failure, start
from integrations.connectors.git.history import MOST_FAILURES_IN_A_ROW

# Everything that the repository's own configuration could change of a patch is said here.
WORDS = (
    *("log", "--first-parent", "-m", "--no-color", "--no-ext-diff", "--no-textconv", "--no-prefix"),
    *("-p", "-U0", "--inter-hunk-context=0", "-M", "--diff-algorithm=myers", "--submodule=short"),
    "--format=%x00%H %ct %P",
)
HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
Ranges = Sequence[tuple[int, int]]
"""First and last line of each range; they follow each other and do not overlap."""
SUBMODULE = b"160000"
NOWHERE = b"/dev/null"
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hunk:
    """`deleted` lines from line `start` on (from 1) gave way to `added` ones, from line `added_start` on; with none
    deleted, after that line.
    """

    start: int
    deleted: int
    added_start: int
    added: int


@dataclass(slots=True)
class FileChange:
    """One file of a change.  `path` is empty where the file is gone, `old_path` where it is new."""

    path: bytes
    old_path: bytes
    is_text: bool = True
    hunks: list[Hunk] = field(default_factory=list)


@dataclass(slots=True)
class ChainCommit:
    """A commit of the first-parent chain, with the files that differ from its first parent."""

    sha: str
    committed_at: int  # seconds since 1970, as git has it
    parents: tuple[str, ...]
    files: list[FileChange] = field(default_factory=list)


def read_chain(git_dir: Path, tip: str, *, after: str = "") -> Iterator[ChainCommit]:
    """The commits of the chain that ends in `tip`, the oldest first; those behind `after` alone, where it is named.

    Raises GitError, ObjectsMissingError where the repository lacks objects.
    """
    revisions = (tip, f"^{after}") if after else (tip,)
    yield from _read(git_dir, "--reverse", "--end-of-options", *revisions)


def added_lines(git_dir: Path, shas: Sequence[str]) -> Iterator[tuple[str, dict[str, Ranges]]]:
    """Commit → the lines that it adds, by path, of these commits of the repository.

    One that lacks objects is left out, and so are all behind several in a row: a partial clone lacks nearly every one.
    """
    left, failures = list(shas), 0
    while left and failures < MOST_FAILURES_IN_A_ROW:
        whole = 0
        try:
            for commit in _whole(_commits_of(git_dir, left)):
                yield commit.sha, _added(commit)
                whole += 1
            return
        except GitError:
            doubtful, left = left[whole], left[whole + 1 :]
        try:  # git died within this one, or before it wrote anything of the next one
            alone = list(_commits_of(git_dir, [doubtful]))
        except GitError:
            failures = 1 if whole else failures + 1
        else:
            failures = 0
            yield from ((commit.sha, _added(commit)) for commit in alone)


def _commits_of(git_dir: Path, shas: Sequence[str]) -> Iterator[ChainCommit]:
    return _read(git_dir, "--no-walk=unsorted", "--stdin", given=shas)


def _whole(commits: Iterator[ChainCommit]) -> Iterator[ChainCommit]:
    """Those that were read to their end: git may die in the middle of the last one."""
    last: ChainCommit | None = None
    for commit in commits:
        if last is not None:
            yield last
        last = commit
    if last is not None:
        yield last


def _added(commit: ChainCommit) -> dict[str, Ranges]:
    return {
        file.path.decode("utf-8", "backslashreplace"): [
            (hunk.added_start, hunk.added_start + hunk.added - 1) for hunk in file.hunks if hunk.added
        ]
        for file in commit.files
        if file.path
    }


def _read(git_dir: Path, *words: str, given: Sequence[str] = ()) -> Iterator[ChainCommit]:
    git = start(git_dir, *WORDS, *words)
    git.stdin.write("".join(f"{sha}\n" for sha in given).encode())
    git.stdin.close()
    finished = False
    try:
        yield from _commits(git.stdout)
        finished = True
    finally:
        git.stdout.close()
        if not finished:
            git.process.kill()
        with suppress(ValueError):
            errors = git.stderr.read()
        git.stderr.close()
        git.process.wait()
    if git.process.returncode != 0:
        raise failure(errors)


def _commits(output: IO[bytes]) -> Iterator[ChainCommit]:
    commit: ChainCommit | None = None
    file: FileChange | None = None
    for line in output:
        if line.startswith(b"\0"):
            if commit is not None:
                yield commit
            sha, at, *parents = line[1:].decode("ascii").split()
            commit, file = ChainCommit(sha, int(at), tuple(parents)), None
        elif line.startswith(b"diff --git ") and commit is not None:
            path = _same_path(line[len(b"diff --git ") : -1])
            file = FileChange(path, path)
            commit.files.append(file)
        elif file is not None:
            _read_header_line(file, line, output)
    if commit is not None:
        yield commit


def _read_header_line(file: FileChange, line: bytes, output: IO[bytes]) -> None:
    """A line that stands above the hunks, or a hunk, of which the lines are passed over."""
    if match := HUNK.match(line):
        start, deleted, added_start, added = (int(word or b"1") for word in match.groups())
        hunk = Hunk(start, deleted, added_start, added)
        file.hunks.append(hunk)
        _pass_over(output, hunk.deleted + hunk.added)
    elif line.startswith(b"--- "):
        file.old_path = _path(line[4:])
    elif line.startswith(b"+++ "):
        file.path = _path(line[4:])
    elif line.startswith(b"rename from "):
        file.old_path = _path(line[len(b"rename from ") :])
    elif line.startswith(b"rename to "):
        file.path = _path(line[len(b"rename to ") :])
    elif line.startswith(b"new file mode "):
        file.old_path = b""
        file.is_text &= SUBMODULE not in line
    elif line.startswith(b"deleted file mode "):
        file.path = b""
        file.is_text &= SUBMODULE not in line
    elif line.startswith((b"Binary files ", b"GIT binary patch")) or (
        line.startswith(b"index ") and line.rstrip().endswith(b" " + SUBMODULE)
    ):
        file.is_text = False


def _pass_over(output: IO[bytes], lines: int) -> None:
    while lines:
        line = output.readline()
        if not line:
            return  # git died; how it ended says so
        lines -= not line.startswith(b"\\")  # \ No newline at end of file


def _same_path(names: bytes) -> bytes:
    """The path of a file that keeps it: its name stands twice.  Where it is renamed other lines say from where."""
    return _unquoted(names[: (len(names) - 1) // 2])


def _path(text: bytes) -> bytes:
    """A name with a space in it has a tab behind it; nothing is nowhere."""
    name = text.removesuffix(b"\n").removesuffix(b"\t")
    return b"" if name == NOWHERE else _unquoted(name)


def _unquoted(name: bytes) -> bytes:
    if not (name.startswith(b'"') and name.endswith(b'"') and len(name) > 1):
        return name
    return _ESCAPE.sub(_unescaped, name[1:-1])


def _unescaped(match: re.Match[bytes]) -> bytes:
    word = match.group(1)
    return bytes([int(word, 8) & 0xFF]) if word.isdigit() else _ESCAPES.get(word, word)

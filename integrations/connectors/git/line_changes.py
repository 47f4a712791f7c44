"""The lines that a commit touches, from git's output, without storing a line of content.

A merge is compared with its first parent: it is one change, as a squash of the same branch is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from core.batches import batched
from integrations.connectors.git.commands import GitError, failure, lines, start
from integrations.connectors.git.gaps import COMMITS_AT_ONCE, MOST_FAILURES, OF_FIRST_PARENT, Gaps

# Sets every option of a patch that the repository's own configuration could change.
WORDS = (
    *("log", *OF_FIRST_PARENT, "--no-color", "--no-ext-diff", "--no-textconv", "--no-prefix"),
    *("-p", "--inter-hunk-context=0", "-M", "--diff-algorithm=myers", "--submodule=short"),
    "--format=%x00%H %ct %P",
)
# git compares files differently without context lines: then as `blame` does, else as it counts lines.
AS_BLAMED = "-U0"
AS_COUNTED = "-U1"
HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
Ranges = Sequence[tuple[int, int]]
"""First and last line of each range; they follow each other and do not overlap."""
SUBMODULE = b"160000"
NOWHERE = b"/dev/null"
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Hunk:
    """`deleted` lines from line `start` on (from 1) replaced by `added` ones, from line `added_start` on; with none
    deleted, inserted after that line.
    """

    start: int
    deleted: int
    added_start: int
    added: int


@dataclass(slots=True)
class FileChange:
    """One file of a change.  `path` is empty if the file was deleted, `old_path` if it is new."""

    path: bytes
    old_path: bytes
    is_text: bool = True
    hunks: list[Hunk] = field(default_factory=list)


@dataclass(slots=True)
class ChainCommit:
    """A commit of the first-parent chain, with the files that differ from its first parent.

    If objects are missing, `is_known` is False and files have no hunks; `lacks_folders`: not all files are known.
    """

    sha: str
    committed_at: int  # seconds since 1970, as in git
    parents: tuple[str, ...]
    files: list[FileChange] = field(default_factory=list)
    is_known: bool = True
    lacks_folders: bool = False


def read_chain(git_dir: Path, tip: str, *, after: str = "") -> Iterator[ChainCommit]:
    """The commits of the chain that ends in `tip`, oldest first; only those after `after`, if given.

    Commits that lack objects come with `is_known` False.  Raises GitError if the chain itself cannot be read.
    """
    revisions = (tip, f"^{after}") if after else (tip,)
    last = after
    with suppress(GitError):
        for commit in _whole(_read(git_dir, AS_BLAMED, "--reverse", "--end-of-options", *revisions)):
            yield commit
            last = commit.sha
        return
    left = lines(
        git_dir, "rev-list", "--first-parent", "--reverse", "--end-of-options", tip, *([f"^{last}"] if last else [])
    )
    gaps, trials = Gaps(git_dir, left, *OF_FIRST_PARENT), _Trials(git_dir, AS_BLAMED)
    for some in batched(left, COMMITS_AT_ONCE):
        lacking = gaps.among(some)
        read = {commit.sha: commit for commit in trials.read([sha for sha in some if sha not in lacking])}
        yield from (read.get(sha) or _unknown(sha, lacking.get(sha)) for sha in some)


def _unknown(sha: str, paths: Sequence[bytes] | None) -> ChainCommit:
    files = [FileChange(path, path) for path in paths or ()]
    return ChainCommit(sha, 0, (), files, is_known=False, lacks_folders=paths is None)


def added_lines(git_dir: Path, shas: Sequence[str]) -> Iterator[tuple[str, dict[str, Ranges]]]:
    """Commit → the lines that it adds, by path, for these commits of the repository, except those that lack objects.

    The number of lines equals git's count.
    """
    trials = _Trials(git_dir, AS_COUNTED)
    left = list(shas)
    with suppress(GitError):
        for commit in _whole(_commits_of(git_dir, AS_COUNTED, shas)):
            yield commit.sha, _added(commit)
            del left[0]
        return
    gaps = Gaps(git_dir, left, *OF_FIRST_PARENT)
    for some in batched(left, COMMITS_AT_ONCE):
        lacking = gaps.among(some)
        for commit in trials.read([sha for sha in some if sha not in lacking]):
            yield commit.sha, _added(commit)


@dataclass(slots=True)
class _Trials:
    """Reads the readable ones of some commits, trying them one by one after each damaged commit."""

    git_dir: Path
    context: str
    failures: int = 0

    def read(self, shas: Sequence[str]) -> Iterator[ChainCommit]:
        left = list(shas)
        while left and self.failures < MOST_FAILURES:
            whole = 0
            try:
                for commit in _whole(_commits_of(self.git_dir, self.context, left)):
                    yield commit
                    whole += 1
                return
            except GitError:
                doubtful, left = left[whole], left[whole + 1 :]
            try:  # git died within this commit, or before it wrote anything of the next one
                alone = list(_commits_of(self.git_dir, self.context, [doubtful]))
            except GitError:
                self.failures += 1
            else:
                yield from alone


def _commits_of(git_dir: Path, context: str, shas: Sequence[str]) -> Iterator[ChainCommit]:
    return _read(git_dir, context, "--no-walk=unsorted", "--stdin", given=shas) if shas else iter(())


def _whole(commits: Iterator[ChainCommit]) -> Iterator[ChainCommit]:
    """Commits that were read completely: git may die in the middle of the last one."""
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


def _read(git_dir: Path, context: str, *words: str, given: Sequence[str] = ()) -> Iterator[ChainCommit]:
    git = start(git_dir, *WORDS, context, *words)
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
    """Parse a line above the hunks, or a hunk with its lines."""
    if match := HUNK.match(line):
        file.hunks += _hunks(output, *(int(word or b"1") for word in match.groups()))
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


def _hunks(output: IO[bytes], start: int, old: int, added_start: int, new: int) -> Iterator[Hunk]:
    """The changes in `old` lines from `start` on that became `new` ones, separated by unchanged lines."""
    start, added_start = start + (old == 0), added_start + (new == 0)
    old_end, new_end = start + old, added_start + new
    deleted = added = 0
    while start + deleted < old_end or added_start + added < new_end:
        line = output.readline()
        if line.startswith(b"-"):
            deleted += 1
        elif line.startswith(b"+"):
            added += 1
        elif line.startswith((b" ", b"\n")):
            if deleted or added:
                yield _hunk(start, deleted, added_start, added)
            start, added_start = start + deleted + 1, added_start + added + 1
            deleted = added = 0
        elif not line:
            break  # git died; its exit status says so
    if deleted or added:
        yield _hunk(start, deleted, added_start, added)


def _hunk(start: int, deleted: int, added_start: int, added: int) -> Hunk:
    return Hunk(start - (deleted == 0), deleted, added_start - (added == 0), added)


def _same_path(names: bytes) -> bytes:
    """The path of a file that keeps it: its name occurs twice.  For a rename, other lines have the old path."""
    return _unquoted(names[: (len(names) - 1) // 2])


def _path(text: bytes) -> bytes:
    """A name that contains a space is followed by a tab; /dev/null is no path."""
    name = text.removesuffix(b"\n").removesuffix(b"\t")
    return b"" if name == NOWHERE else _unquoted(name)


def _unquoted(name: bytes) -> bytes:
    if not (name.startswith(b'"') and name.endswith(b'"') and len(name) > 1):
        return name
    return _ESCAPE.sub(_unescaped, name[1:-1])


def _unescaped(match: re.Match[bytes]) -> bytes:
    word = match.group(1)
    return bytes([int(word, 8) & 0xFF]) if word.isdigit() else _ESCAPES.get(word, word)

"""Commits as git tells them: one streaming pass of plumbing, parsed by position.

`git diff-tree --stdin` prints, for each object id that it is given, our fields and then the numstat of the commit
against its parent; everything ends with NUL, so that names may hold any byte.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import IO

from integrations.connectors.git.commands import GitError, ObjectsMissingError, RunningGit, failure, run, start

FIELDS = ("%x01%H", "%P", "%aN", "%aE", "%at", "%cN", "%cE", "%ct", "%s")
# With what stands among the trailers and is none: there git notes what was picked.
TRAILERS = "%(trailers:unfold,separator=%x1e,key_value_separator=%x1f)"
READS = "picks"  # what is read of a message beside its trailers, so that stored commits are read again for it
FORMAT = "--format=tformat:" + "%x00".join((*FIELDS, TRAILERS))
WITH_LINES = (
    *("diff-tree", "--stdin", "--always", "--root", "-r", "-M", "--numstat", "-z"),
    *("--no-ext-diff", "--no-textconv"),
)
# Opens no tree: `diff-tree -s` would.
WITHOUT_LINES = ("log", "--no-walk=unsorted", "--stdin", "-s", "-z", "--no-show-signature")
LONGEST_SUBJECT = 200
LONGEST_TRAILER = 500
CHUNK = 1 << 18
# A partial clone lacks nearly every blob: trying each commit in a process of its own would take hours.
MOST_FAILURES_IN_A_ROW = 5
_PICKED = re.compile(r"^\(cherry picked from commit ([0-9a-f]{64}|[0-9a-f]{40})\)$", re.MULTILINE)
_LATEST = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Signature:
    """Who and when, after the mailmap; the time in UTC."""

    name: str
    email: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Trailer:
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class ReadFile:
    """One file of a commit.  Lines are None where git counts none: a binary file."""

    path: str
    old_path: str
    added: int | None
    deleted: int | None


@dataclass(frozen=True, slots=True)
class ReadCommit:
    """One commit.  Without `lines_known` its files could not be read, and are empty.

    `picked_from` are the object ids of the commits that its message names as copied.
    """

    sha: str
    parents: tuple[str, ...]
    author: Signature
    committer: Signature
    subject: str
    trailers: tuple[Trailer, ...]
    files: tuple[ReadFile, ...]
    lines_known: bool = True
    picked_from: tuple[str, ...] = ()


def read_commits(
    git_dir: Path, shas: Iterable[str], *, mailmap: str = "", boundary: Collection[str] = ()
) -> Iterator[ReadCommit]:
    """The commits of these object ids, in order, with the lines of their files and the names of a mailmap's blob.

    Those of the boundary, where a shallow clone ends, come without lines: git would show all that was there before.

    Where objects are missing, git dies at a commit: that one comes with `lines_known` False, and the rest is read by
    another process; in a partial clone, where every commit fails, the rest comes without lines at once.
    Raises GitError where a commit object itself cannot be read.
    """
    waiting = iter(shas)
    failures = 0
    with_lines = True
    while True:
        first = next(waiting, None)
        if first is None:
            return
        stream = _Stream(git_dir, mailmap, chain([first], waiting), with_lines=with_lines)
        for commit in stream:
            failures = 0
            yield replace(commit, files=(), lines_known=False) if commit.sha in boundary else commit
        if stream.broken_at is None:
            return
        # git may have died before it named the commit it was at: then the one before is whole.
        if whole := list(_Stream(git_dir, mailmap, [stream.broken_at], with_lines=True)):
            yield from whole
        else:
            yield from _Stream(git_dir, mailmap, [stream.broken_at], with_lines=False)
            failures += 1
        with_lines = failures < MOST_FAILURES_IN_A_ROW
        waiting = chain(stream.not_read, waiting)


class _Stream:
    """One git process: iterate over its commits, then look where it broke."""

    def __init__(self, git_dir: Path, mailmap: str, shas: Iterable[str], *, with_lines: bool) -> None:
        self.git_dir = git_dir
        self.mailmap = mailmap
        self.with_lines = with_lines
        self.broken_at: str | None = None
        self._sent: list[str] = []
        self._lock = threading.Lock()
        self._shas = iter(shas)
        self._answered = 0

    @property
    def not_read(self) -> Sequence[str]:
        """What was given to git and not answered, without the commit at which it broke."""
        return self._sent[self._answered + 1 :]

    def __iter__(self) -> Iterator[ReadCommit]:
        words = WITH_LINES if self.with_lines else WITHOUT_LINES
        git = start(self.git_dir, "-c", f"mailmap.blob={self.mailmap}", *words, FORMAT)
        errors: list[bytes] = []
        threads = [
            threading.Thread(target=self._feed, args=[git.stdin], daemon=True),
            threading.Thread(target=_drain, args=[git.stderr, errors], daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            yield from self._complete(git)
        finally:
            git.stdout.close()
            if git.process.poll() is None:
                git.process.kill()
            git.process.wait()
            for thread in threads:
                thread.join()
            git.stderr.close()
        if git.process.returncode != 0 and (self.broken_at is None or not self.with_lines):
            raise failure(b"".join(errors))

    def _complete(self, git: RunningGit) -> Iterator[ReadCommit]:
        """All commits but one that git could not finish."""
        held: ReadCommit | None = None
        for commit in _parsed(_tokens(git.stdout), lines_known=self.with_lines):
            if held is not None:
                yield self._answer(held)
            held = commit
        if git.process.wait() == 0:
            if held is not None:
                yield self._answer(held)
            if self._answered < len(self._sent):
                raise self._gone()
            return
        # The commit that git was at: perhaps its header came out, and some of its files.
        broken = held.sha if held is not None else next(iter(self._sent[self._answered :]), None)
        if broken is None:
            return
        with self._lock:
            while self._answered < len(self._sent) and self._sent[self._answered] != broken:
                self._answered += 1
        self.broken_at = broken

    def _answer(self, commit: ReadCommit) -> ReadCommit:
        """git passes over a commit that is not there without a word, and succeeds."""
        if self._sent[self._answered] != commit.sha:
            raise self._gone()
        self._answered += 1
        return commit

    def _gone(self) -> ObjectsMissingError:
        return ObjectsMissingError(
            f"Commit {self._sent[self._answered]} is not there: the repository is damaged, or was rewritten and "
            "cleaned up while it was read. Check it with `git fsck`; the next reading tries again."
        )

    def _feed(self, stdin: IO[bytes]) -> None:
        try:
            with stdin:
                while batch := list(islice(self._shas, 500)):
                    with self._lock:
                        self._sent += batch
                    stdin.write("".join(f"{sha}\n" for sha in batch).encode())
        except BrokenPipeError:
            return  # git died; whoever reads its output sees that


def _drain(stream: IO[bytes], into: list[bytes]) -> None:
    while chunk := stream.read(CHUNK):
        into.append(chunk)


def _tokens(stream: IO[bytes]) -> Iterator[bytes]:
    """What stands between the NULs; an unfinished rest is left out."""
    rest = b""
    while chunk := stream.read(CHUNK):
        *whole, rest = (rest + chunk).split(b"\0")
        yield from whole


def _parsed(tokens: Iterator[bytes], *, lines_known: bool) -> Iterator[ReadCommit]:
    token = next(tokens, None)
    while token is not None:
        header = [token, *islice(tokens, len(FIELDS))]
        if len(header) <= len(FIELDS):
            return
        files: list[ReadFile] = []
        token = next(tokens, None)
        if token is not None and token.startswith(b"\n"):
            token = token[1:]
            while token is not None and not token.startswith(b"\x01"):
                file = _file(token, tokens)
                if file is None:
                    return
                files.append(file)
                token = next(tokens, None)
        yield _commit(header, tuple(files), lines_known)


def _file(token: bytes, tokens: Iterator[bytes]) -> ReadFile | None:
    added, deleted, path = token.split(b"\t", 2)
    old = b""
    if not path:  # a rename: the old and the new name follow
        names = list(islice(tokens, 2))
        if len(names) < 2:
            return None
        old, path = names
    return ReadFile(_name(path), _name(old), _count(added), _count(deleted))


def _count(text: bytes) -> int | None:
    return None if text == b"-" else int(text)


def _name(path: bytes) -> str:
    return path.decode("utf-8", "backslashreplace")


def _commit(header: Sequence[bytes], files: tuple[ReadFile, ...], lines_known: bool) -> ReadCommit:
    sha, parents, author, author_email, authored, committer, committer_email, committed, subject, trailers = (
        field.decode("utf-8", "replace").replace("\0", "") for field in header
    )
    return ReadCommit(
        sha=sha[1:],
        parents=tuple(parents.split()),
        author=Signature(author, author_email, _time(authored)),
        committer=Signature(committer, committer_email, _time(committed)),
        subject=subject[:LONGEST_SUBJECT],
        trailers=tuple(_trailers(trailers)),
        files=files,
        lines_known=lines_known,
        picked_from=picked_from(trailers.replace("\x1e", "\n")),
    )


def picked_from(message: str) -> tuple[str, ...]:
    """The commits that `git cherry-pick -x` noted, in the message or the last lines of it, each once."""
    return tuple(dict.fromkeys(_PICKED.findall(message)))


def _trailers(text: str) -> Iterator[Trailer]:
    for line in filter(None, text.split("\x1e")):
        key, separator, value = line.partition("\x1f")
        if separator:
            yield Trailer(key.strip(), value.strip()[:LONGEST_TRAILER])


def _time(text: str) -> datetime:
    """Seconds since 1970; git keeps whatever it is given, so that what no calendar has becomes 1970."""
    try:
        seconds = int(text)
    except ValueError:
        seconds = 0
    return datetime.fromtimestamp(seconds if 0 <= seconds < _LATEST else 0, UTC)


def new_commits(git_dir: Path, tips: Iterable[str], known: Iterable[str]) -> list[str]:
    """Object ids of the commits reachable from `tips` and from none of `known`, newest first.

    Tips that the repository no longer has are left out of `known`: a rewritten branch is read anew.
    """
    heads = sorted(set(tips))
    there = existing(git_dir, known)
    given = "".join(f"{sha}\n" for sha in heads) + "".join(f"^{sha}\n" for sha in there)
    return run(git_dir, "rev-list", "--stdin", given=given.encode()).decode().split()


def existing(git_dir: Path, shas: Iterable[str]) -> list[str]:
    """Those of the object ids that are commits in this repository."""
    distinct = sorted(set(shas))
    if not distinct:
        return []
    answers = run(git_dir, "cat-file", "--batch-check", given="".join(f"{sha}\n" for sha in distinct).encode())
    return [sha for sha, answer in zip(distinct, answers.decode().splitlines(), strict=True) if " commit " in answer]


__all__ = ["GitError", "ReadCommit", "ReadFile", "Signature", "Trailer", "existing", "new_commits", "read_commits"]

"""Git on the developer's machine: the repository of a file, the changed files, and the lines that commits add."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .lines import Addition, Line, is_common, line_digest

SECONDS = 20  # for one git command
MOST_DIRTY = 300  # changed files that a shell command's snapshot takes in
MOST_COMMITS = 200  # judged at once, the newest
MOST_DIFF = 50_000_000  # bytes; a larger commit has no lines here
DAYS = 30
_FILE_HEADER = re.compile(rb'^\+\+\+ (?:"b/(?P<quoted>.*)"|b/(?P<plain>[^\t]*))')
_HUNK = re.compile(rb"^@@ -\S+ \+(\d+)")
_ESCAPED = re.compile(rb"\\([0-7]{3}|.)")
_ESCAPES = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
QUIET = {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}


class Repository(NamedTuple):
    """A work tree, and the git folder that it shares with the other work trees of its repository."""

    root: str
    common: str


class Status(NamedTuple):
    head: str
    changed: Sequence[str]  # changed and untracked files, by path from the root


def find_repository(path: str) -> Repository | None:
    """The repository of a file or folder, found without starting git; None outside of one or in a bare one."""
    folder = os.path.abspath(path)
    while True:
        marker = os.path.join(folder, ".git")
        if os.path.isdir(marker):
            return Repository(os.path.realpath(folder), os.path.realpath(marker))
        if os.path.isfile(marker):
            return _linked(folder, marker)
        parent = os.path.dirname(folder)
        if parent == folder:
            return None
        folder = parent


def _linked(folder: str, marker: str) -> Repository | None:
    """A work tree or submodule, whose .git is a file that names its folder."""
    try:
        with open(marker, encoding="utf-8", errors="surrogateescape") as file:
            text = file.read(4096)
        if not text.startswith("gitdir:"):
            return None
        git_dir = os.path.join(folder, text[len("gitdir:") :].strip())
        common = git_dir
        shared = os.path.join(git_dir, "commondir")
        if os.path.isfile(shared):
            with open(shared, encoding="utf-8", errors="surrogateescape") as file:
                common = os.path.join(git_dir, file.read(4096).strip())
    except OSError:
        return None
    return Repository(os.path.realpath(folder), os.path.realpath(common))


def path_in(repository: Repository, path: str) -> str | None:
    """A file's path relative to the root, with slashes; None if it is outside, or in the .git folder."""
    real = os.path.join(os.path.realpath(os.path.dirname(os.path.abspath(path))), os.path.basename(path))
    relative = os.path.relpath(real, repository.root)
    parts = relative.split(os.sep)
    return None if parts[0] in ("..", ".git") or os.path.isabs(relative) else "/".join(parts)


def read_file(path: str, most: int) -> bytes:
    """The content of a file; empty if it is missing, not a plain file, or larger than `most`."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > most:
            return b""
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def git(root: str, *arguments: str, text: bytes = b"") -> bytes:
    """The output of a git command; empty if it fails.  Repository settings that a hook inherits are left out."""
    import subprocess  # takes 5 ms, and hooks of edits do not need it

    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for name in ("GIT_EXEC_PATH", "GIT_SSH", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM"):
        if name in os.environ:
            environment[name] = os.environ[name]
    try:
        done = subprocess.run(
            ["git", "-c", "core.quotePath=false", "-c", "core.fsmonitor=false", *arguments],
            cwd=root,
            input=text,
            capture_output=True,
            timeout=SECONDS,
            env={**environment, **QUIET},
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return b""
    return done.stdout if done.returncode == 0 else b""


def status(repository: Repository) -> Status:
    """HEAD and the changed files, from a single command."""
    listed = git(repository.root, "status", "--porcelain=v2", "--branch", "-z", "--untracked-files=all", "--no-renames")
    head, changed = "", []
    for entry in listed.split(b"\0"):
        if entry.startswith(b"# branch.oid "):
            oid = entry[len(b"# branch.oid ") :].decode("ascii", "replace")
            head = "" if oid.startswith("(") else oid
        elif entry[:2] in (b"1 ", b"u "):
            changed.append(entry.split(b" ", 8 if entry[:1] == b"1" else 10)[-1])
        elif entry[:2] == b"? ":
            changed.append(entry[2:])
    return Status(head, [os.fsdecode(path) for path in changed[:MOST_DIRTY]])


def contents(repository: Repository, sha: str, paths: Sequence[str]) -> dict[str, bytes]:
    """A commit's files by path; paths that it does not contain are left out."""
    if not sha or not paths:
        return {}
    names = [path for path in paths if "\n" not in path]
    output = git(
        repository.root, "cat-file", "--batch", text=b"".join(os.fsencode(f"{sha}:{name}\n") for name in names)
    )
    found: dict[str, bytes] = {}
    start = 0
    for name in names:
        end = output.find(b"\n", start)
        if end < 0:
            break
        header = output[start:end].rsplit(b" ", 2)
        start = end + 1
        if len(header) == 3 and header[1] == b"blob":
            size = int(header[2])
            found[name] = output[start : start + size]
            start += size + 1
        elif len(header) == 3 and header[2].isdigit():
            start += int(header[2]) + 1
    return found


def changed_between(repository: Repository, old: str, new: str) -> list[str]:
    listed = git(repository.root, "diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)
    return [os.fsdecode(path) for path in listed.split(b"\0") if path][:MOST_DIRTY]


def is_ancestor(repository: Repository, older: str, newer: str) -> bool:
    """Whether a commit is in the history of another; False if it no longer exists."""
    return older == newer or git(repository.root, "merge-base", older, newer).strip() == older.encode()


def commits_between(repository: Repository, old: str, new: str) -> list[str]:
    listed = git(repository.root, "rev-list", f"--max-count={MOST_COMMITS}", new, *([f"^{old}"] if old else []))
    return listed.decode("ascii").split()


def head(repository: Repository) -> str:
    return git(repository.root, "rev-parse", "--verify", "-q", "HEAD").decode("ascii").strip()


def own_commits(repository: Repository, *, just_made: str = "") -> list[str]:
    """The person's own commits of the last month on HEAD and local branches, oldest first, without merges, and the
    commit just made here, whoever its committer is.
    """
    address = git(repository.root, "config", "user.email").decode("utf-8", "surrogateescape").strip()
    committed = [f"--committer=<{address}>", "--fixed-strings"] if address else ["--max-count=1"]
    if os.environ.get("GIT_COMMITTER_EMAIL"):
        committed.append(f"--committer=<{os.environ['GIT_COMMITTER_EMAIL']}>")
    listed = git(
        repository.root,
        "rev-list",
        "--topo-order",
        "--no-merges",
        f"--max-count={MOST_COMMITS}",
        f"--since={DAYS}.days",
        *committed,
        "HEAD",
        "--branches",
    )
    commits = [line.decode("ascii") for line in reversed(listed.split())]
    if just_made and just_made not in commits and len(git(repository.root, "rev-parse", f"{just_made}^@").split()) < 2:
        commits.append(just_made)
    return commits


class Change(NamedTuple):
    """The lines that a commit adds, by file; how often it removes each line; and the id of its patch."""

    additions: Sequence[Addition]
    removed: Mapping[bytes, int]
    patch_id: str


def change_of(repository: Repository, sha: str, salt: bytes) -> Change:
    patch = git(
        repository.root,
        *("-c", "diff.noprefix=false", "-c", "diff.mnemonicPrefix=false", "-c", "diff.algorithm=histogram"),
        *("diff-tree", "--root", "--no-commit-id", "-p", "-r", "-M", "-U1", "--no-ext-diff", "--no-textconv"),
        *("--no-color", "--ignore-submodules=all", sha),
    )
    if not patch or len(patch) > MOST_DIFF:
        return Change([], {}, "")
    removed: dict[bytes, int] = {}
    return Change(list(_additions(patch, salt, removed)), removed, _patch_id(patch))


def _patch_id(patch: bytes) -> str:
    """A hash of the changed lines and the files' names, without white space and positions.

    `git patch-id` would need another process and the same objects.
    """
    from hashlib import sha1  # hooks do not need it

    digest = sha1(usedforsecurity=False)
    for line in patch.split(b"\n"):
        if line[:1] in (b"+", b"-"):
            digest.update(b"".join(line.split()) + b"\n")
    return digest.hexdigest()


def _additions(patch: bytes, salt: bytes, removed: dict[bytes, int]) -> Iterator[Addition]:
    """The lines that a patch adds; counts those that it removes in `removed`."""
    path, runs, starts, run = "", [], [], []  # type: str, list[list[Line]], list[int], list[bytes]
    before = after = b""
    in_hunk = False
    number = 0  # of the next line of the commit's version

    def close(following: bytes) -> None:
        if run:
            runs.append(_run(run, before, following, salt))
            starts.append(number - len(run))
            run.clear()

    for line in patch.split(b"\n"):
        if line.startswith(b"diff --git "):
            close(b"")
            if path and runs:
                yield Addition(path, runs, starts)
            path, runs, starts, in_hunk = "", [], [], False
        elif not in_hunk and line.startswith(b"+++ "):
            path = _path_of(line)
        elif line.startswith(b"@@ "):
            close(b"")
            in_hunk, before = True, b""
            number = _first_number(line)
        elif in_hunk and line.startswith(b"+"):
            run.append(line[1:])
            number += 1
        elif in_hunk and line.startswith(b"-"):
            digest = line_digest(line[1:], salt)
            removed[digest] = removed.get(digest, 0) + 1
        elif in_hunk and line.startswith(b" "):
            after = line_digest(line[1:], salt)
            close(after)
            before = after
            number += 1
        elif in_hunk and line.startswith(b"\\"):
            continue
    close(b"")
    if path and runs:
        yield Addition(path, runs, starts)


def _first_number(header: bytes) -> int:
    """The number of a hunk's first line in the commit's version of the file."""
    found = _HUNK.match(header)
    return int(found[1]) if found else 0


def _run(run: Sequence[bytes], before: bytes, following: bytes, salt: bytes) -> list[Line]:
    digests = [before, *(line_digest(line, salt) for line in run), following]
    return [
        Line(digests[number], digests[number - 1], digests[number + 1], is_common(line))
        for number, line in enumerate(run, start=1)
    ]


def _path_of(header: bytes) -> str:
    matched = _FILE_HEADER.match(header)
    if matched is None:
        return ""
    if matched["quoted"] is None:
        return os.fsdecode(matched["plain"])
    return os.fsdecode(
        _ESCAPED.sub(
            lambda part: bytes([int(part[1], 8)]) if len(part[1]) == 3 else _ESCAPES.get(part[1], part[1]),
            matched["quoted"],
        )
    )

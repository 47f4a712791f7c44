"""Runs git on untrusted repositories: reading only, and nothing of the repository's own is executed.

A repository's configuration can name programs (hooks, filters, textconv, external diff, fsmonitor, pagers, signature
checks, transports for objects that a partial clone lacks).  Only plumbing is called, and settings that plumbing would
still obey are overridden here, by environment or `-c`, which both outrank the repository's configuration.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

OVERRIDES = (
    ("safe.directory", "*"),  # the operator named the path; whoever owns it
    ("core.fsmonitor", "false"),
    ("core.hooksPath", os.devnull),
    ("core.attributesFile", os.devnull),
    ("core.quotePath", "false"),
    ("core.commitGraph", "true"),
    ("diff.renameLimit", "1000"),
    ("i18n.logOutputEncoding", "UTF-8"),
    ("log.showSignature", "false"),
    ("mailmap.file", os.devnull),
    ("mailmap.blob", ""),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
)
ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_PAGER": "cat",
    # Missing objects are never fetched: no transport may run, whatever protocol.* the repository allows itself.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C.UTF-8",
}
WIDE_PIPE = 1 << 20  # Linux grants this to every account


class GitError(Exception):
    """git failed; the message is git's, or a sentence of Headway's for the operator."""


class NotARepositoryError(GitError):
    """The path is not a git repository, or cannot be read."""


class ObjectsMissingError(GitError):
    """The repository lacks objects that its history names: a partial clone, or damage."""


def arguments(git_dir: Path, *words: str) -> list[str]:
    """The command line of `git words…` on this repository."""
    overrides = [word for key, value in OVERRIDES for word in ("-c", f"{key}={value}")]
    return ["git", "--no-pager", f"--git-dir={git_dir}", *overrides, *words]


def environment() -> dict[str, str]:
    """The process environment without inherited GIT_ variables, and with those that make reading safe."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return inherited | ENVIRONMENT


def run(git_dir: Path, *words: str, given: bytes | None = None, index: Path | None = None) -> bytes:
    """Run `git words…` and return its output, optionally with `index` in place of the repository's index.

    Raises GitError with git's own words.
    """
    with _problems_in_words(git_dir):
        finished = subprocess.run(
            arguments(git_dir, *words),
            input=given,
            stdin=None if given is not None else subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env=environment() | ({"GIT_INDEX_FILE": str(index)} if index else {}),
            cwd=git_dir,
        )
    if finished.returncode != 0:
        raise failure(finished.stderr)
    return finished.stdout


@contextmanager
def _problems_in_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if shutil.which("git") is None:
            raise GitError("git is not installed on this machine, or not in the PATH of Headway. Install it.") from None
        reason = problem.strerror or str(problem)
        raise NotARepositoryError(f"{folder} can no longer be read: {reason}. Stored commits stay.") from problem


def lines(git_dir: Path, *words: str, given: bytes | None = None) -> list[str]:
    return run(git_dir, *words, given=given).decode("utf-8", "replace").splitlines()


def is_there(git_dir: Path, object_id: str) -> bool:
    """Whether the repository has the object, and not only its name."""
    answer = lines(git_dir, "cat-file", "--batch-check", given=f"{object_id}\n".encode())
    return answer != [f"{object_id} missing"]


@dataclass(frozen=True, slots=True)
class RunningGit:
    """A git process with all three streams open."""

    process: subprocess.Popen[bytes]
    stdin: IO[bytes]
    stdout: IO[bytes]
    stderr: IO[bytes]


def start(git_dir: Path, *words: str) -> RunningGit:
    """Start `git words…`, to be written to and read from while it runs."""
    with _problems_in_words(git_dir):
        process = subprocess.Popen(
            arguments(git_dir, *words),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(),
            cwd=git_dir,
        )
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise GitError("git was started without its streams.")
    _let_run_ahead(process.stdout)
    return RunningGit(process, process.stdin, process.stdout, process.stderr)


def _let_run_ahead(stdout: IO[bytes]) -> None:
    """Let git continue while its earlier output is stored: the default 64 kB hold only a hundred commits."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):  # Linux only
        with suppress(OSError):  # the account has used up its allowance of wide pipes
            fcntl.fcntl(stdout, fcntl.F_SETPIPE_SZ, WIDE_PIPE)


def failure(stderr: bytes) -> GitError:
    words = stderr.decode("utf-8", "replace").strip()
    missing = ("unable to read", "missing", "could not fetch", "bad object", "transport '", "promisor")
    kind = ObjectsMissingError if any(word in words for word in missing) else GitError
    return kind(words or "git failed without a word")


def find_git_dir(path: Path) -> Path:
    """The git directory of a repository, bare or not, worktree or submodule.

    Raises NotARepositoryError with a sentence for the operator.  A folder inside a repository does not count: it would
    bring in commits that the operator did not mean.
    """
    if not path.exists():
        raise NotARepositoryError(f"There is no folder {path}. It was moved or deleted, or its disk is not mounted.")
    if not path.is_dir():
        raise NotARepositoryError(f"{path} is not a folder. Name the folder of the repository.")
    if not os.access(path, os.R_OK | os.X_OK):
        raise NotARepositoryError(f"{path} cannot be read by the account that Headway runs as.")
    overrides = [word for key, value in OVERRIDES for word in ("-c", f"{key}={value}")]
    with _problems_in_words(path):
        finished = subprocess.run(
            ["git", *overrides, "rev-parse", "--absolute-git-dir"],
            capture_output=True,
            check=False,
            text=True,
            errors="surrogateescape",
            stdin=subprocess.DEVNULL,
            cwd=path,
            env=environment() | {"GIT_CEILING_DIRECTORIES": str(path.resolve().parent)},
        )
    if finished.returncode != 0:
        raise NotARepositoryError(f"{path} is not a git repository: {finished.stderr.strip()}")
    return Path(finished.stdout.rstrip("\n"))

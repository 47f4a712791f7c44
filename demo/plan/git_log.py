"""The commits of the demo's repositories as git stores them: the results of planned commits and merges."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from demo.plan.delivery import Account, Commit

_BEGIN, _BETWEEN = "\x1e", "\x1f"
_FORMAT = _BEGIN + _BETWEEN.join(("%H", "%P", "%an", "%ae", "%at", "%ct", "%B", ""))


@dataclass(frozen=True, slots=True)
class GitLog:
    """All commits by object id, and the ids of those on the default branch, in order of time."""

    commits: Mapping[str, Commit]
    on_default_branch: tuple[str, ...]


def read_log(git_dir: Path, accounts: Mapping[str, Account]) -> GitLog:
    """Read the log; `accounts` are by the address that signs.  Raises subprocess.CalledProcessError if there is no
    repository.
    """
    commits = {commit.sha: commit for commit in _commits(git_dir, accounts)}
    on_default = _git(git_dir, "rev-list", "--topo-order", "--reverse", "main").split()
    return GitLog(commits, tuple(sorted(on_default, key=lambda sha: commits[sha].committed_at)))


def _commits(git_dir: Path, accounts: Mapping[str, Account]) -> Iterator[Commit]:
    log = _git(git_dir, "log", "--branches", "--numstat", f"--format={_FORMAT}")
    for entry in log.split(_BEGIN)[1:]:
        sha, parents, name, email, authored, committed, message, counts = entry.split(_BETWEEN)
        files = [line.split("\t") for line in counts.strip().splitlines()]
        yield Commit(
            sha=sha,
            parents=tuple(parents.split()),
            author=accounts.get(email),
            author_name=name,
            author_email=email,
            authored_at=datetime.fromtimestamp(int(authored), UTC),
            committed_at=datetime.fromtimestamp(int(committed), UTC),
            message=message,
            additions=sum(int(added) for added, _, _ in files),
            deletions=sum(int(deleted) for _, deleted, _ in files),
            paths=tuple(path for _, _, path in files),
        )


def _git(git_dir: Path, *arguments: str) -> str:
    command = ["git", f"--git-dir={git_dir}", "-c", "core.quotePath=false", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout

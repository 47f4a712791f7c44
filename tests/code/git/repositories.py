"""Hand-made repositories, built by plain git: fixed people and dates, and nobody's global configuration."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

ADA, BEN = "Ada Example <ada@example.com>", "Ben Example <ben@example.com>"
FIRST = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "file",
    "LC_ALL": "C.UTF-8",
    "PATH": os.environ["PATH"],
    "HOME": os.devnull,
}


@dataclass
class Repo:
    """A repository with a work tree.  Each commit lies an hour after the one before, unless it says when."""

    path: Path
    _at: datetime = field(default=FIRST)

    @classmethod
    def create(cls, path: Path) -> Repo:
        path.mkdir(parents=True)
        run_git(path, "init", "--quiet", "--initial-branch=main")
        return cls(path)

    def git(self, *words: str, given: bytes | None = None, signed: Mapping[str, str] | None = None) -> str:
        return run_git(self.path, *words, given=given, signed=signed)

    def commit(
        self,
        files: Mapping[str | bytes, str | bytes | None] | None = None,
        message: str = "Change something",
        *,
        by: str = ADA,
        committed_by: str = "",
        at: datetime | None = None,
        committed_at: datetime | None = None,
    ) -> str:
        """Write the files (None removes one), commit everything, and return the object id."""
        for name, content in (files or {}).items():
            self._write(name, content)
        self.git("add", "--all")
        self.git(
            *("commit", "--quiet", "--allow-empty", "--allow-empty-message", "--no-verify", "--cleanup=verbatim"),
            f"--message={message}",
            signed=self.signed(by, committed_by or by, at, committed_at),
        )
        return self.head

    def signed(
        self, by: str = ADA, committed_by: str = "", at: datetime | None = None, committed_at: datetime | None = None
    ) -> dict[str, str]:
        """git's variables for who and when; the clock goes on."""
        self._at += timedelta(hours=1)
        author, committer = by, committed_by or by
        written = at or self._at
        return {
            **_person("AUTHOR", author, written),
            **_person("COMMITTER", committer, committed_at or at or self._at),
        }

    def raw_commit(self, author: str, committer: str, *, message: str = "Raw", encoding: str = "") -> str:
        """A commit on top of HEAD with signature lines that `git commit` refuses; moves the branch."""
        header = f"tree {self.git('rev-parse', 'HEAD^{tree}')}\nparent {self.head}\n"
        header += f"author {author}\ncommitter {committer}\n" + (f"encoding {encoding}\n" if encoding else "")
        text = header.encode() + b"\n" + message.encode(encoding or "utf-8")
        sha = self.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", given=text)
        self.git("reset", "--quiet", "--hard", sha)
        return sha

    def branch(self, name: str, at: str = "HEAD") -> None:
        self.git("checkout", "--quiet", "-b", name, at)

    def switch(self, name: str) -> None:
        self.git("checkout", "--quiet", name)

    def merge(self, branch: str, message: str = "Merge a branch") -> str:
        self.git("merge", "--quiet", "--no-ff", "--no-verify", f"--message={message}", branch, signed=self.signed())
        return self.head

    def squash(self, branch: str, message: str = "Squash a branch", *, by: str = ADA) -> str:
        self.git("merge", "--quiet", "--squash", branch, signed=self.signed())
        return self.commit({}, message, by=by)

    def cherry_pick(self, sha: str) -> str:
        self.git("cherry-pick", "--allow-empty", sha, signed=_person("COMMITTER", BEN, self._next()))
        return self.head

    def rebase(self, onto: str) -> str:
        self.git("rebase", "--quiet", onto, signed=_person("COMMITTER", BEN, self._next()))
        return self.head

    def clone(self, path: Path, *options: str) -> Repo:
        run_git(self.path, "clone", "--quiet", "--no-local", *options, self.path.as_uri(), str(path))
        return Repo(path, self._at)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def remove_object(self, revision: str) -> None:
        """Damage: a loose object that is gone."""
        sha = self.git("rev-parse", revision)
        file = self.path / ".git" / "objects" / sha[:2] / sha[2:]
        file.chmod(0o600)
        file.unlink()

    def _next(self) -> datetime:
        self._at += timedelta(hours=1)
        return self._at

    def _write(self, name: str | bytes, content: str | bytes | None) -> None:
        file = os.path.join(os.fsencode(self.path), os.fsencode(name))  # a Path holds no bytes
        if content is None:
            os.unlink(file)
            return
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)


def lines(count: int, word: str = "line") -> str:
    """A text of that many lines, no two alike."""
    return "".join(f"{word} {number}\n" for number in range(count))


def run_git(path: Path, *words: str, given: bytes | None = None, signed: Mapping[str, str] | None = None) -> str:
    """Run git and return its output; fails the test with git's message if git fails."""
    finished = subprocess.run(
        ["git", *words], cwd=path, input=given, capture_output=True, check=False, env={**ENVIRONMENT, **(signed or {})}
    )
    assert finished.returncode == 0, f"git {' '.join(words)}: {finished.stderr.decode(errors='replace')}"
    return finished.stdout.decode("utf-8", "surrogateescape").rstrip("\n")


def _person(role: str, signature: str, at: datetime) -> dict[str, str]:
    name, _, email = signature.partition(" <")
    return {
        f"GIT_{role}_NAME": name,
        f"GIT_{role}_EMAIL": email.rstrip(">"),
        f"GIT_{role}_DATE": f"@{int(at.timestamp())} +0000",
    }

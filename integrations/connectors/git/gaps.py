"""Commits that git cannot compare with their parents because objects are missing, found without opening a file.

git dies at the first such commit.  Finding each of them by trial would take hours in a partial clone, which lacks
nearly every file.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from integrations.connectors.git.commands import GitError, failure, run, start

# Trials of single commits if objects are not missing but damaged; a process each.
MOST_FAILURES = 1000
COMMITS_AT_ONCE = 500
OF_FIRST_PARENT = ("--first-parent", "-m")
_WORDS = (
    *("log", "--no-walk=unsorted", "--stdin", "--no-show-signature", "--root", "--raw", "-r", "-z"),
    *("--no-renames", "--no-abbrev", "--no-ext-diff", "--format=tformat:%x01%H"),
)
_SUBMODULE = b"160000"
_NOTHING = b"000000"
Paths = Sequence[bytes]

logger = logging.getLogger(__name__)


class Gaps:
    """The objects that these commits and their parents lack.  `words` are git's options for comparing merges, if at
    all.
    """

    def __init__(self, git_dir: Path, shas: Sequence[str], *words: str) -> None:
        self._git_dir = git_dir
        self._words = words
        self._failures = 0
        self._missing = _missing(git_dir, shas)

    def among(self, shas: Sequence[str]) -> Mapping[str, Paths | None]:
        """The unreadable ones of some commits, with the paths that they change; None if a folder is missing.

        If objects are present but damaged, only git itself can tell: such a commit is not included.
        """
        if not self._missing:
            return {}
        found: dict[str, Paths | None] = dict.fromkeys(self._without_root(shas))
        left = [sha for sha in shas if sha not in found]
        while left and self._failures < MOST_FAILURES:
            read = dict[str, list[tuple[bytes, bool]]]()
            with suppress(GitError):
                for sha, path, is_missing in self._changes(left):
                    files = read.setdefault(sha, [])
                    if path:
                        files.append((path, is_missing))
            found |= {
                sha: [path for path, _ in files]
                for sha, files in read.items()
                if any(is_missing for _, is_missing in files)
            }
            left = [sha for sha in left if sha not in read]
            if left:  # git died at the first one
                found[left.pop(0)] = None
                self._failures += 1
        return found

    def _without_root(self, shas: Sequence[str]) -> Iterator[str]:
        """Commits whose root folder, or whose parent's, is missing; decided by the commit objects alone."""
        try:
            trees = self._trees(shas)
            trees |= self._trees([parent for _, parents in trees.values() for parent in parents if parent not in trees])
        except GitError:
            return
        for sha in shas:
            tree, parents = trees.get(sha, ("", ()))
            roots = [tree, *(trees[parent][0] for parent in parents[:1] if parent in trees)]
            if any(bytes.fromhex(root) in self._missing for root in roots):
                yield sha

    def _trees(self, shas: Sequence[str]) -> dict[str, tuple[str, Sequence[str]]]:
        """Commit → its tree and its parents."""
        if not shas:
            return {}
        words = ("log", "--no-walk=unsorted", "--stdin", "-s", "--no-show-signature", "--format=%H %T %P")
        answer = run(self._git_dir, *words, given=_listed(shas)).decode("ascii", "replace").splitlines()
        return {sha: (tree, parents) for sha, tree, *parents in (line.split() for line in answer)}

    def _changes(self, shas: Sequence[str]) -> Iterator[tuple[str, bytes, bool]]:
        """Commit, changed file, and whether one of the file's two versions is missing; each commit at least once, with
        an empty path.
        """
        git = start(self._git_dir, *_WORDS, *self._words)
        errors = b""
        try:
            git.stdin.write(_listed(shas))
            git.stdin.close()
            output, errors = git.stdout.read(), git.stderr.read()
        finally:
            git.stdout.close()
            git.stderr.close()
            git.process.wait()
        sha = ""
        tokens = iter(output.split(b"\0")[:-1])
        for token in tokens:
            if token.startswith(b"\x01"):
                sha = token[1:].decode("ascii")
                yield sha, b"", False
            elif path := next(tokens, b""):
                yield sha, path, self._lacks(token)
        if git.process.returncode != 0:
            raise failure(errors)

    def _lacks(self, entry: bytes) -> bool:
        """Whether a version of a file is missing, by its line: two modes, two object ids, and the status."""
        old_mode, new_mode, old, new, _ = entry.strip().removeprefix(b":").split()
        return any(
            mode not in (_SUBMODULE, _NOTHING) and bytes.fromhex(blob.decode("ascii")) in self._missing
            for mode, blob in ((old_mode, old), (new_mode, new))
        )


def _missing(git_dir: Path, shas: Iterable[str]) -> set[bytes]:
    """Object ids of all missing folders and files that these commits and their parents name."""
    words = ("rev-list", "--objects", "--quiet", "--missing=print", "--no-walk=unsorted", "--stdin")
    given = "".join(f"{sha}\n{sha}^@\n" for sha in shas).encode()
    try:
        answer = run(git_dir, *words, given=given).decode("ascii", "replace").splitlines()
    except GitError as problem:
        logger.warning("What %s lacks cannot be listed: %s", git_dir, problem)
        return set()
    return {bytes.fromhex(line[1:]) for line in answer if line.startswith("?")}


def _listed(shas: Iterable[str]) -> bytes:
    return "".join(f"{sha}\n" for sha in shas).encode()

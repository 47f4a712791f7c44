"""The linguist-* attributes that a repository gives its files, as git itself reads them.

git looks attributes up in an index; a temporary one is filled with the tree of the default branch, so that nothing
of the repository is touched and bare repositories answer too.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from integrations.connectors.git.commands import GitError, run
from integrations.connectors.git.languages import NO_ATTRIBUTES, Attributes
from integrations.connectors.git.repository import GitRepository

NAMES = ("linguist-generated", "linguist-vendored", "linguist-documentation", "linguist-language")
MOST_KEPT = 200_000  # paths whose attributes are remembered


class AttributeReader:
    """Reads attributes of paths at one commit; a context manager, because of its temporary index."""

    def __init__(self, git_dir: Path, tip: str) -> None:
        self._git_dir = git_dir
        self._tip = tip
        self._known: dict[str, Attributes] = {}
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Self:
        if GitRepository(self._git_dir).attribute_files(self._tip):
            self._folder = tempfile.TemporaryDirectory(prefix="headway-git-")
            self._run("read-tree", "--end-of-options", self._tip)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._folder is not None:
            self._folder.cleanup()

    def of(self, paths: Iterable[str]) -> dict[str, Attributes]:
        """Path → attributes specified for it.  Paths that are not UTF-8 have none."""
        distinct = list(dict.fromkeys(paths))
        if self._folder is None:
            return dict.fromkeys(distinct, NO_ATTRIBUTES)
        new = [path for path in distinct if path not in self._known]
        if len(self._known) > MOST_KEPT:
            self._known, new = {}, distinct
        if new:
            self._known |= self._look_up(new)
        return {path: self._known[path] for path in distinct}

    def _look_up(self, paths: list[str]) -> dict[str, Attributes]:
        given = "".join(f"{path}\0" for path in paths).encode()
        answers = self._run("check-attr", "--cached", "--stdin", "-z", *NAMES, given=given).decode().split("\0")[:-1]
        by_path: dict[str, dict[str, str]] = {path: {} for path in paths}
        for path, name, value in zip(answers[::3], answers[1::3], answers[2::3], strict=True):
            if value != "unspecified":
                by_path[path][name] = value
        return {path: attributes or NO_ATTRIBUTES for path, attributes in by_path.items()}

    def _run(self, *words: str, given: bytes = b"") -> bytes:
        if self._folder is None:
            raise GitError("The temporary index is gone.")
        return run(self._git_dir, *words, given=given, index=Path(self._folder.name) / "index")

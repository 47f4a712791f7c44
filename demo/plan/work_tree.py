"""The files of a demo repository while its history is played: which to change, and what they contain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random

from demo.plan.fast_import import FastImport
from demo.plan.filler import Filler
from demo.plan.repositories import DemoRepository, Folder

_LONGEST_FILE = 220  # lines; a longer one is left alone, and another begun
_NEW_FILE_CHANCE = 0.3
_OWN_FILE_CHANCE = 0.4  # that a branch continues with a file that it already changed
_TRIES = 4


@dataclass(slots=True)
class Written:
    """A commit's change of one file; the agent's lines are a run from `first_line`, counted from 1."""

    path: str
    agent_lines: int
    first_line: int


@dataclass(slots=True)
class WorkTree:
    """The files of one branch that people change, by folder; what else is in the repository stands beside them.

    The tree of a branch that left `main` at its commit `base` (a mark) has the files alone that the branch changed.
    What a branch changes nobody else does until it is merged, and what main changed since it left it does not touch:
    nothing ever conflicts.  `changed_at` and `held` are main's: path → the mark of its last change, and the paths that
    branches have changed.
    """

    repository: DemoRepository
    filler: Filler
    main: WorkTree | None = None
    base: int = 0
    files: dict[str, list[str]] = field(default_factory=dict)
    paths: dict[Folder, list[str]] = field(default_factory=dict)
    changed_at: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    def take_over(self, merged: WorkTree) -> None:
        """Merge the files of a branch into this tree."""
        for folder, paths in merged.paths.items():
            known = self.paths.setdefault(folder, [])
            known.extend(path for path in paths if path not in self.files)
        self.files |= merged.files
        self.held -= merged.files.keys()

    def change(self, agent_lines: int, own_lines: int, rng: Random) -> list[Written]:
        """Add these numbers of lines, spread over a few files; remove some old lines."""
        count = min(rng.choice((1, 1, 2, 2, 3, 4)), max(1, (agent_lines + own_lines) // 4))
        chosen = {self._choose(rng): None for _ in range(count)}
        shares = _shares(agent_lines, len(chosen), rng), _shares(own_lines, len(chosen), rng)
        return [self._write(path, of_agent, own, rng) for path, of_agent, own in zip(chosen, *shares, strict=True)]

    def contents(self, paths: Iterable[str], importing: FastImport) -> dict[str, int]:
        """Path → the mark of its content."""
        return {path: importing.blob(content_of(self.files[path])) for path in paths}

    def _choose(self, rng: Random) -> str:
        folders = self.repository.folders
        (folder,) = rng.choices(folders, [candidate.share for candidate in folders])
        if not folder.only_new and rng.random() >= _NEW_FILE_CHANCE and (path := self._known(folder, rng)):
            return path
        path = folder.file(self.filler.name())
        self._add(folder, path, [])
        return path

    def _known(self, folder: Folder, rng: Random) -> str | None:
        """A file that is there already and may be changed; None where a few looks find none."""
        own = self.paths.get(folder, [])
        common = self.main.paths.get(folder, []) if self.main else []
        for _ in range(_TRIES if own or common else 0):
            path = rng.choice(own if own and (not common or rng.random() < _OWN_FILE_CHANCE) else common)
            if path in self.files:
                if path not in self.held and len(self.files[path]) < _LONGEST_FILE:
                    return path
            elif self.main and path not in self.main.held and self.main.changed_at[path] <= self.base:
                lines = self.main.files[path]
                if len(lines) < _LONGEST_FILE:
                    self._add(folder, path, list(lines))
                    return path
        return None

    def _add(self, folder: Folder, path: str, lines: list[str]) -> None:
        self.files[path] = lines
        self.paths.setdefault(folder, []).append(path)
        if self.main:
            self.main.held.add(path)

    def _write(self, path: str, agent_lines: int, own_lines: int, rng: Random) -> Written:
        lines = self.files[path]
        if len(lines) > 12 and rng.random() < 0.6:
            removed = rng.randrange(1, min(9, len(lines) // 2))
            start = rng.randrange(len(lines) - removed)
            del lines[start : start + removed]
        position = rng.randrange(len(lines) + 1)
        lines[position:position] = self.filler.lines(path, agent_lines + own_lines)
        return Written(path, agent_lines, position + 1)


def content_of(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _shares(amount: int, parts: int, rng: Random) -> list[int]:
    """The amount split at random into that many parts; they sum to it."""
    cuts = sorted(rng.randrange(amount + 1) for _ in range(parts - 1))
    return [after - before for before, after in zip((0, *cuts), (*cuts, amount), strict=True)]


def marks_of(importing: FastImport, texts: Mapping[str, str]) -> dict[str, int]:
    return {path: importing.blob(text.encode()) for path, text in texts.items()}

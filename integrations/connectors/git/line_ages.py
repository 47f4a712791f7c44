"""The time at which each line of each file was last changed, as runs of lines that were changed together.

Nothing here knows the content of a line: a file is a list of (number of lines, moment).
"""

from __future__ import annotations

import json
import zlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from core.seconds import DAY
from integrations.connectors.git.line_changes import ChainCommit, Hunk
from integrations.enums import RECENT_DAYS

RECENT_SECONDS = RECENT_DAYS * DAY
UNREAD = 2**32 - 1  # lines within a gap of the history; the largest value that a run can hold
LATEST = UNREAD - 1  # in seconds since 1970; git keeps whatever time it is given
UNKNOWN = 0  # lines older than a shallow clone's history

Runs: TypeAlias = "array[int]"  # number, moment, number, moment, …


@dataclass(frozen=True, slots=True)
class LineCounts:
    """The number of lines that a change touched.  A line that is replaced by another is one changed line.

    `added` are those that replace none, `reworked` those that were last changed at most 21 days before, `refactored`
    the older ones.  `written` are all lines that it leaves, and `reworked_from` counts the reworked ones by the moment
    of their last change.
    """

    added: int = 0
    reworked: int = 0
    refactored: int = 0
    written: int = 0
    reworked_from: Mapping[int, int] = field(default_factory=dict)

    def __add__(self, other: LineCounts) -> LineCounts:
        return LineCounts(
            self.added + other.added,
            self.reworked + other.reworked,
            self.refactored + other.refactored,
            self.written + other.written,
            Counter(self.reworked_from) + Counter(other.reworked_from),
        )


@dataclass(slots=True)
class LineAges:
    """Path → runs, as of one commit."""

    files: dict[bytes, Runs] = field(default_factory=dict)

    def follow(self, commit: ChainCommit, counts: Callable[[bytes], bool]) -> LineCounts:
        """Apply the next commit of the chain; return its changes in counted files."""
        at = min(max(commit.committed_at, 1), LATEST)
        total = LineCounts()
        written: dict[bytes, Runs] = {}
        for file in commit.files:
            if not file.is_text:
                continue
            runs, changed = apply(self.files.get(file.old_path, array("I")), file.hunks, at)
            if counts(file.path or file.old_path):
                total += changed
            if file.path:
                written[file.path] = runs
        for file in commit.files:  # all are read before any is written: two files may swap names
            self.files.pop(file.old_path, None)
        self.files |= written
        return total

    def pass_over(self, commit: ChainCommit) -> None:
        """Skip a commit with unknown changes: the ages of the lines in its files become unknown as well."""
        if commit.lacks_folders:
            self.files.clear()
        for file in commit.files:
            self.files.pop(file.path, None)

    def begin_at(self, commit: ChainCommit) -> None:
        """Start at the boundary of a shallow clone: its lines are of unknown age."""
        self.files = {file.path: apply(array("I"), file.hunks, UNKNOWN)[0] for file in commit.files if file.is_text}

    def packed(self) -> bytes:
        """The compressed form, for storing; `unpacked` reads it."""
        document = {path.decode("latin-1"): runs.tolist() for path, runs in self.files.items()}
        return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), level=3)

    @classmethod
    def unpacked(cls, packed: bytes) -> LineAges:
        document = json.loads(zlib.decompress(packed))
        return cls({path.encode("latin-1"): array("I", runs) for path, runs in document.items()})


def apply(runs: Runs, hunks: Iterable[Hunk], at: int) -> tuple[Runs, LineCounts]:
    """The runs of a file after a change at that moment, and the counts of the change; hunks in order of lines.

    Lines of unknown age, because the file was no text before or its history has a gap, count as neither reworked nor
    refactored.
    """
    after = array("I")
    reader = _Reader(runs)
    counts = LineCounts()
    for hunk in hunks:
        kept_until = hunk.start - 1 if hunk.deleted else hunk.start
        for count, changed_at in reader.take(kept_until - reader.position):
            _append(after, count, changed_at)
        reworked_from: Counter[int] = Counter()
        refactored = 0
        for count, changed_at in reader.take(hunk.deleted):
            if changed_at == UNREAD:
                continue
            if at - changed_at <= RECENT_SECONDS:
                reworked_from[changed_at] += count
            else:
                refactored += count
        new = max(0, hunk.added - hunk.deleted)
        counts += LineCounts(new, reworked_from.total(), refactored, hunk.added, reworked_from)
        _append(after, hunk.added, at)
    for count, changed_at in reader.rest():
        _append(after, count, changed_at)
    return after, counts


class _Reader:
    """Takes lines off runs from the top."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._index = 0
        self._taken = 0  # of the run at the index
        self.position = 0  # lines taken so far

    def take(self, lines: int) -> Iterable[tuple[int, int]]:
        while lines > 0 and self._index < len(self._runs):
            left = self._runs[self._index] - self._taken
            count = min(left, lines)
            yield count, self._runs[self._index + 1]
            lines -= count
            self.position += count
            self._taken += count
            if count == left:
                self._index, self._taken = self._index + 2, 0
        if lines > 0:  # beyond what is known
            yield lines, UNREAD
            self.position += lines

    def rest(self) -> Iterable[tuple[int, int]]:
        while self._index < len(self._runs):
            yield self._runs[self._index] - self._taken, self._runs[self._index + 1]
            self._index, self._taken = self._index + 2, 0


def _append(runs: Runs, count: int, at: int) -> None:
    if not count:
        return
    if runs and runs[-1] == at:
        runs[-2] += count
    else:
        runs.extend((count, at))

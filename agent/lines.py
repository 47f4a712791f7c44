"""Lines as salted hashes, the lines that an edit adds, and their match with the lines that a commit adds.

Pure functions: no file, no clock, no database.  Lines are compared without white space, so that line endings, tabs and
indentation do not change who wrote them.  A line that occurs in every file (blank, a brace, `else:`) proves nothing by
itself: it belongs to a session only if its neighbours do.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

try:
    from _blake2 import blake2b  # without OpenSSL, whose import takes 2 ms
except ImportError:
    from hashlib import blake2b

MOST_BYTES = 5_000_000  # a larger file has no lines here; nobody wrote it by hand
MOST_COMPARED = 4_000_000  # pairs of lines: beyond it, positions of new lines are approximate
DIGEST_BYTES = 8
FEWEST_SIGNS = 4  # letters and digits of a line that proves something
STOCK_LINES = frozenset(
    (
        b"else: try: pass return returnNone returnTrue returnFalse returntrue; returnfalse; returnnull; return; break "
        b"break; continue continue; finally: default: else{ }else{ else return0 return0; end then done esac begin "
        b"}finally{ try{ do{ do endif #endif #else export{ </div> </span> <div> <p> </p> </li> <ul> </ul> </td> </tr>"
    ).split()
)
LOCK_FILES = frozenset(
    (
        *("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "poetry.lock"),
        *("uv.lock", "pipfile.lock", "pdm.lock", "cargo.lock", "composer.lock", "gemfile.lock", "go.sum", "mix.lock"),
        *("flake.lock", "packages.lock.json", "podfile.lock", "pubspec.lock", "gradle.lockfile"),
    )
)
LOCK_TYPE = "lock file"
LONGEST_SUFFIX = 12


class Line(NamedTuple):
    """One line of a version of a file, with the hashes of its neighbours, which are empty at the file's ends."""

    digest: bytes
    before: bytes
    after: bytes
    is_common: bool


class Written(NamedTuple):
    """A line that a session wrote: a row of the ledger."""

    id: int
    path: str
    digest: bytes
    before: bytes
    after: bytes
    session: int


class Addition(NamedTuple):
    """Lines that a commit adds to one file, as contiguous runs, each with the number of its first line."""

    path: str
    runs: Sequence[Sequence[Line]]
    starts: Sequence[int]


class Owned(NamedTuple):
    """A line of a commit that a session wrote."""

    session: int
    path: str
    number: int


def file_type(path: str) -> str:
    """The suffix of a file's name in lower case, `lock file`, or an empty text: the only part of a path that is
    uploaded.
    """
    name = path.replace("\\", "/").rsplit("/", 1)[-1].lower()
    if name in LOCK_FILES:
        return LOCK_TYPE
    stem, dot, suffix = name.rpartition(".")
    plain = suffix.isascii() and suffix.isalnum() and len(suffix) <= LONGEST_SUFFIX
    return dot + suffix if stem and dot and plain else ""


def is_text(content: bytes) -> bool:
    return len(content) <= MOST_BYTES and b"\0" not in content[:8000]


def hashed(content: bytes, salt: bytes) -> list[bytes]:
    """One hash per line of a text; empty for a binary or very large file."""
    if not is_text(content):
        return []
    return [line_digest(line, salt) for line in split_lines(content)]


def split_lines(content: bytes) -> list[bytes]:
    """Lines as git counts them: only a newline ends a line."""
    lines = content.split(b"\n")
    return lines if lines[-1] else lines[:-1]


def line_digest(line: bytes, salt: bytes) -> bytes:
    return blake2b(b"".join(line.split()), digest_size=DIGEST_BYTES, key=salt).digest()


def is_common(line: bytes) -> bool:
    """Whether a line occurs in so many files that its text alone does not show who wrote it."""
    bare = b"".join(line.split())
    if bare in STOCK_LINES:
        return True
    return sum(sign >= 128 or chr(sign).isalnum() for sign in bare) < FEWEST_SIGNS


def added_positions(before: Sequence[bytes], after: Sequence[bytes]) -> list[int]:
    """Positions of the lines of `after` that `before` lacks, or has fewer times: moved lines do not count as added."""
    surplus = Counter(after)
    surplus.subtract(Counter(before))
    chosen: list[int] = []
    changed = _changed_positions(before, after)
    rest = set(range(len(after))).difference(changed)
    for position in (*changed, *sorted(rest)):
        if surplus[after[position]] > 0:
            surplus[after[position]] -= 1
            chosen.append(position)
    return sorted(chosen)


def _changed_positions(before: Sequence[bytes], after: Sequence[bytes]) -> list[int]:
    first, shorter = 0, min(len(before), len(after))
    while first < shorter and before[first] == after[first]:
        first += 1
    last = 0
    while last < shorter - first and before[-1 - last] == after[-1 - last]:
        last += 1
    end_before, end_after = len(before) - last, len(after) - last
    if first == end_before or (end_before - first) * (end_after - first) > MOST_COMPARED:
        return list(range(first, end_after))
    from difflib import SequenceMatcher  # imports take 5 ms, which most edits do not need

    matcher = SequenceMatcher(None, before[first:end_before], after[first:end_after], autojunk=False)
    changed: list[int] = []
    for tag, _, _, start, end in matcher.get_opcodes():
        if tag in ("insert", "replace"):
            changed.extend(range(first + start, first + end))
    return changed


def lines_of_input(texts: Iterable[str], content: bytes, salt: bytes) -> set[bytes]:
    """Hashes of the lines that a tool's input may have put into a file.

    The first and last line of a text may be parts of lines, so the file's lines that contain them are allowed as well.
    """
    allowed: set[bytes] = set()
    parts: set[bytes] = set()
    for text in texts:
        lines = split_lines(text.encode("utf-8", "surrogatepass"))
        allowed.update(line_digest(line, salt) for line in lines)
        parts.update(part for part in (b"".join(line.split()) for line in (*lines[:1], *lines[-1:])) if part)
    if parts:
        for line in split_lines(content):
            bare = b"".join(line.split())
            if any(part in bare for part in parts):
                allowed.add(line_digest(line, salt))
    return allowed


def match(additions: Sequence[Addition], ledger: Sequence[Written]) -> dict[int, Owned]:
    """Row of the ledger → the added line that its session wrote; the latest rows are tried first.

    Each row matches one line at most.  Lines of the same file are matched first, then those that moved to another file;
    common lines follow their neighbours.
    """
    rows = _Rows(ledger)
    owners: list[list[Written | None]] = []
    runs = [(addition.path, run) for addition in additions for run in addition.runs]
    for path, run in runs:
        owners.append([None if line.is_common else rows.take(line, path) for line in run])
    for (_, run), owned in zip(runs, owners):
        for position, line in enumerate(run):
            if owned[position] is None and not line.is_common:
                owned[position] = rows.take(line, None)
    for (path, run), owned in zip(runs, owners):
        _follow_neighbours(path, run, owned, rows)
    starts = [start for addition in additions for start in addition.starts]
    return {
        row.id: Owned(row.session, path, number)
        for (path, _), start, owned in zip(runs, starts, owners)
        for number, row in enumerate(owned, start)
        if row is not None
    }


def _follow_neighbours(path: str, run: Sequence[Line], owned: list[Written | None], rows: _Rows) -> None:
    start = 0
    while start < len(run):
        if not run[start].is_common:
            start += 1
            continue
        end = start
        while end < len(run) and run[end].is_common:
            end += 1
        left = owned[start - 1] if start else None
        right = owned[end] if end < len(run) else None
        sessions = {row.session for row in (left, right) if row is not None}
        both_sides = (left is not None or not start) and (right is not None or end == len(run))
        for position in range(start, end):
            line = run[position]
            if len(sessions) == 1 and both_sides:
                owned[position] = rows.take(line, path, session=sessions.copy().pop())
            elif sessions:
                owned[position] = rows.take(line, path, sides=1)
            else:
                owned[position] = rows.take(line, path, sides=2)
        start = end


class _Rows:
    """The rows of the ledger that are not matched to a line yet, by hash, latest first."""

    def __init__(self, ledger: Sequence[Written]) -> None:
        self.by_digest: dict[bytes, list[Written]] = defaultdict(list)
        for row in ledger:
            self.by_digest[row.digest].append(row)

    def take(self, line: Line, path: str | None, *, session: int | None = None, sides: int = 0) -> Written | None:
        """Take the best row for this line: of the given file and session, if any, with at least `sides` equal
        neighbours.
        """
        rows = self.by_digest.get(line.digest, [])
        fitting = [
            row
            for row in rows
            if (path is None or row.path == path)
            and (session is None or row.session == session)
            and (row.before == line.before) + (row.after == line.after) >= sides
        ]
        if not fitting:
            return None
        latest = fitting[0].session
        best = max(
            (row for row in fitting if row.session == latest),
            key=lambda row: (row.before == line.before) + (row.after == line.after),
        )
        rows.remove(best)
        return best

"""Attribution by overlap as its description says it, slowly and one commit after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

BEFORE, AFTER = timedelta(minutes=5), timedelta(minutes=60)
Attributed = dict[tuple[str, str, str], int]  # commit, path, session → lines


@dataclass(frozen=True)
class Run:
    """A session: its active periods (begin, last event), and the lines that it generated."""

    name: str
    person: str
    periods: tuple[tuple[datetime, datetime], ...]
    lines: int


@dataclass(frozen=True)
class Change:
    """A commit; `noted` says which session wrote how many lines of which file, where a note does."""

    name: str
    person: str
    authored_at: datetime
    files: Mapping[str, int]
    sha: str
    noted: tuple[str, str, int] | None = None
    counts: bool = True


def attributed(runs: Sequence[Run], changes: Sequence[Change]) -> Attributed:
    lines_by_session: Attributed = defaultdict(int)
    left = {run.name: run.lines for run in runs}
    for change in changes:
        if change.counts and change.noted:
            session, path, lines = change.noted
            lines_by_session[change.name, path, session] += min(lines, change.files[path])
            if session in left:
                left[session] = max(0, left[session] - min(lines, change.files[path]))
    for change in sorted(changes, key=lambda change: (change.authored_at, change.sha)):
        run = _nearest(change, runs)
        if not change.counts or change.noted or run is None:
            continue
        given = min(left[run.name], sum(change.files.values()))
        left[run.name] -= given
        for path, lines in _spread(sorted(change.files.items()), given):
            lines_by_session[change.name, path, run.name] += lines
    return {key: lines for key, lines in lines_by_session.items() if lines}


def _nearest(change: Change, runs: Iterable[Run]) -> Run | None:
    ranked = []
    for run in runs:
        if run.person != change.person or not run.lines:
            continue
        for begin, end in run.periods:
            if begin <= change.authored_at <= end:
                ranked.append((1, change.authored_at - begin, run.name, run))
            elif end < change.authored_at <= end + AFTER:
                ranked.append((2, change.authored_at - end, run.name, run))
            elif begin - BEFORE <= change.authored_at < begin:
                ranked.append((3, begin - change.authored_at, run.name, run))
    return min(ranked, key=lambda candidate: candidate[:3])[3] if ranked else None


def _spread(files: Sequence[tuple[str, int]], given: int) -> Iterable[tuple[str, int]]:
    """Each file's share of the lines given, cut where the running share passes a whole line."""
    total, before = sum(lines for _, lines in files), 0
    for path, lines in files:
        yield path, (before + lines) * given // total - before * given // total
        before += lines

"""Grouping of a service's deployments to production into rollouts: a plain function.

A rollout consists of the deployments of one pipeline run, those of the runs that it started, and those of one commit
that overlap or follow within the gap, unless something else went live between them: then the commit was deployed again.
It finishes with its last part, and failed if a part failed that no later part to the same environment repaired.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Part:
    """A finished deployment to production.

    `run` is empty if unknown, `parent` if no run started that one; `says` is what it rolls back or fixes.  A later
    `attempt` of a run lists the jobs that are not repeated with their own times.
    """

    id: int
    external_id: str
    environment: str  # its name in its tool: prod-eu, prod-us
    sha: str
    run: str
    started_at: datetime
    finished_at: datetime
    succeeded: bool
    says: str = ""
    parent: str = ""
    attempt: int = 0
    gap: timedelta | None = None  # as the owner agreed; None: the usual one


@dataclass(frozen=True, slots=True)
class Report:
    """A deployment of a repository to production, as one connection reports it; `service` is empty if it names none."""

    part: Part
    connection: int
    service: str


def repeated_reports(reports: Iterable[Report], gap: timedelta) -> Mapping[int, Report]:
    """Part without a service → the report of it, with its service, by another connection.

    Both are of one pipeline run, or of one commit at the same time (apart by `gap` at most), and ended alike.  Of
    several, the nearest in time is meant.
    """
    named: dict[str, list[Report]] = defaultdict(list)
    unnamed = []
    for report in reports:
        if not report.service:
            unnamed.append(report)
            continue
        for key in _keys(report.part):
            named[key].append(report)
    found = {}
    for report in unnamed:
        part = report.part
        same = [other for key in _keys(part) for other in named.get(key, ()) if _is_repeated(report, other, gap)]
        if same:
            nearest = min(same, key=lambda other: (abs(other.part.finished_at - part.finished_at), other.part.id))
            found[part.id] = nearest
    return found


def _keys(part: Part) -> Iterable[str]:
    return (key for key in (f"run {part.run}" if part.run else "", f"sha {part.sha}" if part.sha else "") if key)


def _is_repeated(report: Report, other: Report, gap: timedelta) -> bool:
    one, two = report.part, other.part
    if report.connection == other.connection or one.succeeded != two.succeeded:
        return False
    allowed = gap if one.gap is None else one.gap
    return one.started_at <= two.finished_at + allowed and two.started_at <= one.finished_at + allowed


def representatives(parts: Iterable[Part], gap: timedelta) -> Mapping[int, int]:
    """Part → the part that represents its rollout: its last success, or the last failure that nothing repaired.

    `gap` applies to parts without an agreed one.
    """
    ordered = sorted(parts, key=lambda part: (part.started_at, part.finished_at, part.external_id))
    leader = {part.id: part.id for part in ordered}

    def root(id_: int) -> int:
        while leader[id_] != id_:
            leader[id_] = leader[leader[id_]]
            id_ = leader[id_]
        return id_

    for one, other in (*_of_one_run(ordered), *_of_one_parent(ordered), *_of_one_commit(ordered, gap)):
        leader[root(other)] = root(one)
    rollouts: dict[int, list[Part]] = defaultdict(list)
    for part in ordered:
        rollouts[root(part.id)].append(part)
    return {part.id: _counts_as(rollout).id for rollout in rollouts.values() for part in rollout}


def _of_one_run(ordered: Sequence[Part]) -> Iterable[tuple[int, int]]:
    first: dict[str, int] = {}
    return [(first.setdefault(part.run, part.id), part.id) for part in ordered if part.run]


def _of_one_parent(ordered: Sequence[Part]) -> Iterable[tuple[int, int]]:
    """Pairs of a job and the regional jobs that it starts; a run of another commit is a rollout of its own."""
    parents = {part.run.rpartition(" ")[0]: part for part in ordered if part.run}
    first: dict[tuple[str, str], Part] = {}
    for part in ordered:
        if not part.parent:
            continue
        parent = parents.get(part.parent, part)
        one = first.setdefault((part.parent, part.sha), part)
        for other in (one, parent):
            if other.sha in ("", part.sha) or not part.sha:
                yield other.id, part.id


def _of_one_commit(ordered: Sequence[Part], gap: timedelta) -> Iterable[tuple[int, int]]:
    live = sorted((part.finished_at, part.sha) for part in ordered if part.succeeded)
    of_commit: dict[str, list[Part]] = defaultdict(list)
    for part in ordered:
        if part.sha:
            of_commit[part.sha].append(part)
    pairs = []
    for sha, of_sha in of_commit.items():
        first, end = of_sha[0], of_sha[0].finished_at
        for part in of_sha[1:]:
            allowed = gap if part.gap is None else part.gap
            follows = part.started_at <= end + allowed and not (
                part.started_at > end and (part.says != first.says or _replaced(live, sha, end, part.started_at))
            )
            if follows:
                pairs.append((first.id, part.id))
                end = max(end, part.finished_at)
            else:
                first, end = part, part.finished_at
    return pairs


def _replaced(live: Sequence[tuple[datetime, str]], sha: str, after: datetime, until: datetime) -> bool:
    """Whether another commit went live between these moments."""
    for position in range(bisect_right(live, after, key=lambda moment: moment[0]), len(live)):
        at, other = live[position]
        if at > until:
            return False
        if other != sha:
            return True
    return False


def _counts_as(rollout: Sequence[Part]) -> Part:
    successes = [part for part in rollout if part.succeeded]
    failed = [part for part in rollout if not part.succeeded and not any(_repairs(later, part) for later in successes)]
    return max(failed or successes, key=lambda part: (part.finished_at, bool(part.says), part.external_id, part.id))


def _repairs(later: Part, failed: Part) -> bool:
    is_repeated = bool(failed.run) and later.run == failed.run and later.attempt > failed.attempt
    return later.environment == failed.environment and (is_repeated or later.started_at >= failed.finished_at)

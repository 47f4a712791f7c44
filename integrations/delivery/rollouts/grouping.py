"""Grouping of a service's deployments to production into rollouts: a plain function.

A rollout consists of the deployments of one pipeline run, those of the runs that it started, and those of one commit
that overlap or follow within the gap, unless something else went live between them: then the commit was deployed again.
It finishes with its last part, and failed if a part failed that no later part to the same environment repaired.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Part:
    """A finished deployment to production.

    `run` is empty if unknown; `parent` is empty if no run started this one; `says` names the deployment that it rolls
    back and the incidents that it fixes.  A later `attempt` of a run lists the jobs that are not repeated with their
    own times.
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


# Words of a service's name that do not tell it from another service of the repository.
_NEUTRAL = frozenset({"service", "svc", "app", "application", "deployment", "prod", "production"})


def repeated_reports(reports: Iterable[Report], gap: timedelta, repository: str = "") -> Mapping[int, Report]:
    """Part → the report of it by another connection that counts in its place.

    Both belong to one pipeline run, or to one commit at the same time (at most `gap` apart), and have the same outcome.
    Either only the other one names a service, or both names mean one service of the repository and the other name is
    shorter.  If several match, the nearest in time is taken.
    """
    by_key: dict[str, list[Report]] = defaultdict(list)
    reports = list(reports)
    if len({report.connection for report in reports}) < 2:
        return {}
    for report in reports:
        for key in _keys(report.part) if report.service else ():
            by_key[key].append(report)
    means = {service: service_words(service, repository) for service in {report.service for report in reports}}
    found = {}
    for report in reports:
        part = report.part
        same = [
            other
            for key in _keys(part)
            for other in by_key.get(key, ())
            if _is_repeated(report, other, gap) and _counts_before(other, report, means)
        ]
        if same:
            nearest = min(same, key=lambda other: (abs(other.part.finished_at - part.finished_at), other.part.id))
            found[part.id] = nearest
    return found


def service_words(service: str, repository: str) -> frozenset[str]:
    """The words of a service's name by which it differs from other services of the repository."""
    owner, _, name = repository.rpartition("/")
    words = _words(service)
    for left_out in (_NEUTRAL, _words(owner), _words(name)):
        words = words - left_out or words
    return words


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"[^\W_]+", text.casefold()))


def _counts_before(other: Report, report: Report, means: Mapping[str, frozenset[str]]) -> bool:
    if not report.service:
        return True
    shorter = (len(other.service), other.service) < (len(report.service), report.service)
    return shorter and means[other.service] == means[report.service]


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

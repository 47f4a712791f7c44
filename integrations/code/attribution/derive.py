"""AI lines from claims: the number of lines of each file by agent.

Line-level evidence counts its lines.  Commit-level evidence counts all added lines, as an upper bound.  Overlap
evidence counts at most the lines that its session generated: commits use up the session's remaining lines in the order
in which they were authored.  A file never has more AI lines than added lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from core import sql
from integrations.code.attribution.amounts import fit
from integrations.code.attribution.claims import ORDER, Claim, claims_of
from integrations.models import EvidenceLevel, FileAttribution, Method


@dataclass(frozen=True, slots=True)
class Derived:
    """Result of deriving: commits whose attribution changed, and all sessions involved."""

    changed: set[int] = field(default_factory=set)
    sessions: set[int] = field(default_factory=set)


class _Row(NamedTuple):
    """A row of FileAttribution."""

    file_id: int
    commit_id: int
    agent: str
    model: str
    session_id: int | None
    method: str
    level: str
    ai_lines: int


def derive(commits: Collection[int], sessions: Collection[int]) -> Derived:
    """Recompute the attribution of these commits, and of commits that share the lines of these sessions.

    Runs in the caller's transaction, which must hold the attribution lock.
    """
    claims = claims_of(commits)
    better = {
        target: [claim for claim in candidates if claim.method is not Method.OVERLAP]
        for target, candidates in claims.items()
    }
    stored = _stored(commits)
    changed = _store(
        [row for row in stored if row.method != Method.OVERLAP],
        _fill(better, allocated=()),
    )
    touched = {
        *sessions,
        *_sessions(stored),
        *_sessions(claim for candidates in claims.values() for claim in candidates),
    }
    targets = set(commits) | _overlapping(touched)
    overlaps = _allotted(targets)
    stored = _stored(targets)
    changed |= _store(
        [row for row in stored if row.method == Method.OVERLAP],
        _fill(overlaps, allocated=[row for row in stored if row.method != Method.OVERLAP]),
    )
    return Derived(changed, touched | _sessions(claim for candidates in overlaps.values() for claim in candidates))


def _sessions(rows: Iterable[_Row | Claim]) -> set[int]:
    return {row.session_id for row in rows if row.session_id is not None}


def _allotted(targets: Collection[int]) -> dict[int, list[Claim]]:
    """Overlap claims to these commits, each limited to its session's remaining lines."""
    claims = _overlap_claims(targets)
    all_of_sessions = _overlap_claims(_overlapping(_sessions(claims)) - set(targets)) + claims
    left = _unattributed_lines(_sessions(claims))
    allotted: dict[int, list[Claim]] = defaultdict(list)
    for claim in sorted(all_of_sessions, key=lambda claim: (claim.authored_at, claim.sha)):
        if claim.session_id not in left:
            continue
        given = min(claim.all_lines, left[claim.session_id])
        left[claim.session_id] -= given
        if given and claim.target_id in targets:
            lines = dict(zip(claim.lines, fit(list(claim.lines.values()), given), strict=True))
            allotted[claim.target_id].append(replace(claim, lines=lines))
    return allotted


def _overlap_claims(targets: Collection[int]) -> list[Claim]:
    return [
        claim for candidates in claims_of(targets).values() for claim in candidates if claim.method is Method.OVERLAP
    ]


def _overlapping(sessions: Collection[int]) -> set[int]:
    """Counted commits for which overlap evidence of these sessions may count."""
    if not sessions:
        return set()
    return sql.ids(
        """
        WITH RECURSIVE represented (commit_id) AS (
            SELECT commit_id FROM integrations_commitevidence
            WHERE session_id = ANY (%s) AND method = 'overlap' AND withdrawn_at IS NULL
            UNION
            SELECT commit.stands_in_id FROM represented JOIN integrations_commit commit ON commit.id = commit_id
            WHERE commit.stands_in_id IS NOT NULL
        )
        SELECT id FROM integrations_commit WHERE set_apart = '' AND id IN (SELECT commit_id FROM represented)
        """,
        [sorted(sessions)],
    )


def _unattributed_lines(sessions: Collection[int]) -> dict[int | None, int]:
    rows = sql.rows(
        """
        SELECT session.id, GREATEST(0, session.lines_added - coalesce((
            SELECT sum(ai_lines) FROM integrations_fileattribution attribution
            WHERE attribution.session_id = session.id AND attribution.method <> 'overlap'
        ), 0))
        FROM integrations_agentsession session WHERE session.id = ANY (%s)
        """,
        [sorted(sessions)],
    )
    return {session: int(lines) for session, lines in rows}


def _fill(claims: Mapping[int, Sequence[Claim]], *, allocated: Iterable[_Row]) -> list[_Row]:
    """Claims as rows; with the lines already `allocated`, no file exceeds its added lines."""
    left, files = _added(claims)
    for row in allocated:
        if row.file_id in left:
            left[row.file_id] -= row.ai_lines
    filled: dict[int, dict[tuple[str, int | None, str], _Row]] = defaultdict(dict)
    for target, candidates in claims.items():
        for claim in sorted(candidates, key=_precedence):
            for path, count in claim.lines.items():
                file = files.get((target, path))
                if file is None or count <= 0:
                    continue
                key = (claim.agent, claim.session_id, claim.method.value)
                known = filled[file].get(key)
                filled[file][key] = (
                    known._replace(ai_lines=known.ai_lines + count)
                    if known
                    else _Row(
                        file, target, claim.agent, claim.model, claim.session_id, claim.method, claim.level, count
                    )
                )
    return [row for file, rows in filled.items() for row in _within(list(rows.values()), left[file])]


def _within(rows: Sequence[_Row], added: int) -> list[_Row]:
    """Rows of one file, scaled down to its added lines; line-level rows take precedence over upper bounds."""
    fitted = []
    for level in EvidenceLevel:
        of_level = [row for row in rows if row.level == level]
        lines = fit([row.ai_lines for row in of_level], max(0, added))
        added -= sum(lines)
        fitted += [row._replace(ai_lines=count) for row, count in zip(of_level, lines, strict=True) if count]
    return fitted


def _precedence(claim: Claim) -> tuple[int, str, str, str]:
    """A sort key that does not depend on the order of arrival."""
    return ORDER[claim.method], claim.agent, claim.sha, claim.model


def _added(targets: Collection[int]) -> tuple[dict[int, int], dict[tuple[int, str], int]]:
    """Counted file → its added lines, and (commit, path) → file."""
    rows = sql.rows(
        """
        SELECT id, commit_id, path, added FROM integrations_commitfile
        WHERE commit_id = ANY (%s) AND set_apart = '' AND added > 0
        """,
        [sorted(targets)],
    )
    return {file: added for file, _, _, added in rows}, {(commit, path): file for file, commit, path, _ in rows}


def _stored(commits: Collection[int]) -> list[_Row]:
    rows = FileAttribution.objects.filter(commit_id__in=commits)
    return [_Row(*row) for row in rows.values_list(*_Row._fields)]


def _store(before: Collection[_Row], after: Collection[_Row]) -> set[int]:
    """Replace the rows that differ; return their commits."""
    stale, fresh = set(before) - set(after), set(after) - set(before)
    sql.execute(
        """
        DELETE FROM integrations_fileattribution stored
        USING unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[])
              AS stale (file_id, agent, session_id, method)
        WHERE stored.file_id = stale.file_id AND stored.agent = stale.agent AND stored.method = stale.method
          AND stored.session_id IS NOT DISTINCT FROM stale.session_id
        """,
        [
            [row.file_id for row in stale],
            [row.agent for row in stale],
            [row.session_id for row in stale],
            [row.method for row in stale],
        ],
    )
    FileAttribution.objects.bulk_create(
        FileAttribution(**row._asdict()) for row in sorted(fresh, key=lambda row: (row.commit_id, row.file_id))
    )
    return {row.commit_id for row in stale | fresh}

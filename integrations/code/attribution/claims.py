"""Claims from evidence: the agent that wrote lines of a file, by the strongest evidence for each change.

A commit that represents others (a rebase, a squash) inherits the evidence of all of them.  Copies of one change repeat
the same evidence, so the maximum counts.  The parts of a squash are different changes, so they are added up, unless the
squash itself has stronger evidence.
"""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, pairwise
from typing import Any
from uuid import UUID

from core import sql
from integrations.code.attribution.amounts import fit
from integrations.code.attribution.overlap import nearest_sessions
from integrations.model_names import model_name
from integrations.models import EvidenceLevel, Method

ORDER: Mapping[str, int] = {method.value: position for position, method in enumerate(Method)}


@dataclass(frozen=True, slots=True)
class Claim:
    """One agent's claim to lines of a counted commit, by path, for one change that the commit represents."""

    target_id: int
    change: UUID
    agent: str
    model: str
    session_id: int | None
    method: Method
    level: EvidenceLevel
    lines: Mapping[str, int]
    authored_at: datetime
    sha: str

    @property
    def all_lines(self) -> int:
        return sum(self.lines.values())


@dataclass(frozen=True, slots=True)
class _EvidenceRow:
    """A row of evidence that is not withdrawn, with its own commit and the commit that it counts for."""

    target_id: int
    target_change: UUID
    commit_id: int
    change: UUID
    authored_at: datetime
    sha: str
    method: str
    level: str
    agent: str
    model: str
    session_id: int | None
    external_session: str
    lines_by_path: Mapping[str, int] | None
    bound: float | None
    is_part_of_unknown_size: bool  # of a squash, whose bound is then its share of the commits
    repository_id: int | None


def claims_of(targets: Collection[int]) -> dict[int, list[Claim]]:
    """Claims by counted commit; commits without evidence are left out."""
    evidence = _with_models(_with_sessions(_read(targets)))
    lines = _lines_of({row.commit_id for row in evidence} | {row.target_id for row in evidence})
    by_target: dict[int, list[_EvidenceRow]] = defaultdict(list)
    for row in evidence:
        by_target[row.target_id].append(row)
    return {target: list(_claims(rows, lines)) for target, rows in sorted(by_target.items())}


def _claims(evidence: Sequence[_EvidenceRow], lines: Mapping[int, Mapping[str, int]]) -> Iterator[Claim]:
    for change, best in _best(evidence).items():
        if best[0].level == EvidenceLevel.LINE:
            yield from _line_level(change, best, lines[best[0].target_id])
        else:
            of_target = change == best[0].target_change or best[0].is_part_of_unknown_size
            yield from _commit_level(change, best, lines[best[0].target_id if of_target else best[0].commit_id])


def _best(evidence: Sequence[_EvidenceRow]) -> Mapping[UUID, Sequence[_EvidenceRow]]:
    """Change → its strongest evidence.

    Evidence of the parts takes precedence over equally strong evidence of the commit itself, unless that names lines: a
    host that squashes a branch copies every trailer into the squash, while the parts show which lines it applies to,
    and tools leave an empty note on it.
    """
    by_change: dict[UUID, list[_EvidenceRow]] = defaultdict(list)
    for row in evidence:
        by_change[row.change].append(row)
    best = {change: _strongest(rows) for change, rows in by_change.items()}
    own = best.pop(evidence[0].target_change, None)
    if own is None:
        return best
    if not best:
        return {evidence[0].target_change: own}
    rank, rank_of_parts = ORDER[own[0].method], min(ORDER[rows[0].method] for rows in best.values())
    says_lines = own[0].level == EvidenceLevel.LINE and (
        any(row.lines_by_path for row in own) or not any(row.agent for rows in best.values() for row in rows)
    )
    own_counts = rank < rank_of_parts or (rank == rank_of_parts and says_lines)
    return {evidence[0].target_change: own} if own_counts else best


def _strongest(evidence: Sequence[_EvidenceRow]) -> Sequence[_EvidenceRow]:
    """The evidence of the best method; within that, evidence that names lines, then evidence that names an agent."""
    method = min(ORDER[row.method] for row in evidence)
    best = [row for row in evidence if ORDER[row.method] == method]
    best = [row for row in best if row.level == EvidenceLevel.LINE and row.agent] or best
    return [row for row in best if row.agent] or best


def _line_level(change: UUID, evidence: Sequence[_EvidenceRow], counted: Collection[str]) -> Iterator[Claim]:
    """The lines of each session by the note with most lines of counted files: notes on copies of a change may give the
    same lines to different sessions.
    """
    lines = Counter[tuple[bool, str, int]]()
    for row in evidence:
        lines[_note(row)] += sum(count for path, count in (row.lines_by_path or {}).items() if path in counted)
    deciding = max((count, note) for note, count in lines.items())[1]
    claims: dict[tuple[str, str, int | None, str], Claim] = {}
    for row in evidence:
        if _note(row) != deciding:
            continue
        claim = _claim(row, change, {path: count for path, count in (row.lines_by_path or {}).items() if count > 0})
        key = (row.agent, row.model, row.session_id, row.external_session)
        known = claims.get(key)
        claims[key] = replace(claim, lines=_greatest(known.lines, claim.lines)) if known else claim
    for _, claim in sorted(claims.items(), key=lambda item: repr(item[0])):
        yield claim


def _note(row: _EvidenceRow) -> tuple[bool, str, int]:
    """A sort key that identifies the note or record; the counted commit's own sorts last."""
    return row.commit_id == row.target_id, row.sha, row.repository_id or 0


def _commit_level(change: UUID, evidence: Iterable[_EvidenceRow], lines: Mapping[str, int]) -> Iterator[Claim]:
    """Share all added lines among the agents that signed, within their limits if their shares are known."""
    agents = {
        (row.agent, row.session_id, row.external_session): row for row in sorted(evidence, key=lambda row: row.sha)
    }
    ordered = [agents[key] for key in sorted(agents, key=repr)]
    for row, share in zip(
        ordered, _split(lines, [1.0 if row.bound is None else row.bound for row in ordered]), strict=True
    ):
        yield _claim(row, change, share)


def _split(lines: Mapping[str, int], bounds: Sequence[float]) -> list[dict[str, int]]:
    """The lines of each path for each part of a commit, in proportion to the bounds (each 0–1).

    A part gets at most its bound of all lines, rounded; the parts get all lines if the bounds allow it.
    """
    total, whole = sum(lines.values()), max(1.0, sum(bounds))
    ends = [math.floor(total * bound / whole + 0.5) for bound in accumulate((*bounds, whole - sum(bounds)))]
    left = [end - start for start, end in pairwise((0, *ends))]
    shares: list[dict[str, int]] = [{} for _ in bounds]
    for path, added in lines.items():
        parts = fit(left, added)
        left = [rest - part for rest, part in zip(left, parts, strict=True)]
        for share, part in zip(shares, parts, strict=False):  # the last part is nobody's
            share[path] = part
    return shares


def _claim(row: _EvidenceRow, change: UUID, lines: Mapping[str, int]) -> Claim:
    return Claim(
        row.target_id,
        change,
        row.agent,
        row.model,
        row.session_id,
        Method(row.method),
        EvidenceLevel(row.level),
        lines,
        row.authored_at,
        row.sha,
    )


def _greatest(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {path: max(one.get(path, 0), other.get(path, 0)) for path in one.keys() | other.keys()}


def _read(targets: Collection[int]) -> list[_EvidenceRow]:
    rows = sql.rows(
        """
        WITH RECURSIVE represented (commit_id, target_id) AS (
            SELECT id, id FROM integrations_commit WHERE id = ANY (%s) AND set_apart = ''
            UNION
            SELECT commit.id, represented.target_id
            FROM represented JOIN integrations_commit commit ON commit.stands_in_id = represented.commit_id
        )
        SELECT target.id, target.change_key, commit.id, commit.change_key, commit.authored_at, commit.sha,
               evidence.method, evidence.level, evidence.agent, evidence.model,
               coalesce(evidence.session_id, named.id), evidence.external_session, evidence.lines_by_path,
               coalesce(1.0 / parts.count, evidence.bound), parts.count IS NOT NULL, evidence.repository_id
        FROM represented
        JOIN integrations_commitevidence evidence
          ON evidence.commit_id = represented.commit_id AND evidence.withdrawn_at IS NULL
        JOIN integrations_commit commit ON commit.id = represented.commit_id
        JOIN integrations_commit target ON target.id = represented.target_id
        LEFT JOIN LATERAL (
            SELECT session.id
            FROM integrations_agentsession session
            JOIN orgtree_identity identity ON identity.id = session.identity_id
            LEFT JOIN orgtree_identity author ON author.id = commit.credited_id
            WHERE evidence.external_session <> ''
              AND session.agent = evidence.agent AND session.external_id = evidence.external_session
            ORDER BY identity.person_id IS NOT DISTINCT FROM author.person_id DESC, session.identity_id
            LIMIT 1
        ) AS named ON true
        LEFT JOIN LATERAL (
            SELECT nullif(count(*) FILTER (WHERE cardinality(part.parents) <= 1), 0) AS count
            FROM integrations_pullrequest merged
            JOIN integrations_pullrequestcommit listed
              ON listed.pull_request_id = merged.id AND listed.sha = commit.sha
            JOIN integrations_pullrequestcommit part ON part.pull_request_id = merged.id
            WHERE NOT commit.lines_known AND commit.squashed AND evidence.method = 'named'
              AND merged.merge_sha = target.sha
        ) AS parts ON true
        ORDER BY target.id, commit.sha, evidence.agent, evidence.digest
        """,
        [sorted(targets)],
    )
    return [_evidence_row(row) for row in rows]


def _evidence_row(row: Sequence[Any]) -> _EvidenceRow:
    *fields, lines_by_path, bound, is_part_of_unknown_size, repository_id = row
    lines = None if lines_by_path is None else json.loads(lines_by_path)
    fields += [lines, None if bound is None else float(bound), is_part_of_unknown_size, repository_id]
    evidence = _EvidenceRow(*fields)
    return replace(evidence, model=model_name(evidence.model))


def _with_sessions(evidence: Sequence[_EvidenceRow]) -> list[_EvidenceRow]:
    """Assign evidence that names an agent but no session to the agent's session near the commit, if there is one."""
    nameless = {(row.commit_id, row.agent) for row in evidence if row.session_id is None and not row.external_session}
    nearest = nearest_sessions(nameless) if nameless else {}
    return [
        replace(row, session_id=overlap.session_id)
        if row.session_id is None and not row.external_session and (overlap := nearest.get((row.commit_id, row.agent)))
        else row
        for row in evidence
    ]


def _with_models(evidence: Sequence[_EvidenceRow]) -> list[_EvidenceRow]:
    """Fill in the model on which the session spent most tokens if the evidence names none."""
    models = _models({row.session_id for row in evidence if row.session_id is not None and not row.model})
    return [
        replace(row, model=models.get(row.session_id, "")) if row.session_id is not None and not row.model else row
        for row in evidence
    ]


def _models(sessions: Collection[int]) -> dict[int, str]:
    if not sessions:
        return {}
    rows = sql.rows(
        """
        SELECT DISTINCT ON (session_id) session_id, model
        FROM integrations_agentsessionday
        WHERE session_id = ANY (%s) AND counted AND model <> ''
        GROUP BY session_id, model
        ORDER BY session_id, sum(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens) DESC, model
        """,
        [sorted(sessions)],
    )
    return dict(rows)


def _lines_of(commits: Collection[int]) -> dict[int, dict[str, int]]:
    """Lines that the commits' counted files add, by path."""
    lines: dict[int, dict[str, int]] = {commit: {} for commit in commits}
    rows = sql.rows(
        """
        SELECT commit_id, path, added FROM integrations_commitfile
        WHERE commit_id = ANY (%s) AND set_apart = '' AND added > 0
        ORDER BY commit_id, path
        """,
        [sorted(commits)],
    )
    for commit, path, added in rows:
        lines[commit][path] = added
    return lines

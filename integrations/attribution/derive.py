"""From evidence to AI lines: which lines of which files came from which agent.

The best evidence of a commit decides, in the order of Method; what is worse is kept and not used.  A commit that
stands for others (a rebase, a squash) has the evidence of all of them, never more than the lines that it adds.
Line-level evidence counts its lines.  Commit-level evidence counts all added lines, as an upper bound; agents that
share a commit share its lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Q

from integrations.models import (
    AgentSession,
    Commit,
    CommitEvidence,
    CommitFile,
    EvidenceLevel,
    FileAttribution,
    Method,
)

ORDER = {method: position for position, method in enumerate(Method)}


@dataclass(frozen=True, slots=True)
class Source:
    """One agent's claim to lines of a commit: by path, or (None) to all."""

    agent: str
    model: str
    session_id: int | None
    method: Method
    level: EvidenceLevel
    lines_by_path: Mapping[str, int] | None


def derive(commit_ids: Iterable[int]) -> None:
    """Derive these commits' attribution anew, in the caller's transaction.  Only counted commits have one."""
    ids = sorted(commit_ids)
    FileAttribution.objects.filter(commit_id__in=ids).delete()
    counted = set(Commit.objects.filter(pk__in=ids, set_apart="").values_list("pk", flat=True))
    sources = _sources(counted)
    files: dict[int, list[CommitFile]] = defaultdict(list)
    for file in CommitFile.objects.filter(commit_id__in=sources, set_apart="", added__gt=0).order_by("pk"):
        files[file.commit_id].append(file)
    FileAttribution.objects.bulk_create(
        row for commit_id, claims in sources.items() for row in _attributed(commit_id, files[commit_id], claims)
    )


def _sources(commit_ids: set[int]) -> dict[int, list[Source]]:
    """The best evidence of each commit, as claims; commits without any are left out."""
    evidence = CommitEvidence.objects.filter(
        Q(commit_id__in=commit_ids) | Q(commit__stands_in_id__in=commit_ids), withdrawn_at=None
    ).select_related("commit")
    by_commit: dict[int, list[CommitEvidence]] = defaultdict(list)
    for each in evidence.order_by("pk"):
        by_commit[each.commit_id if each.commit_id in commit_ids else each.commit.stands_in_id or 0].append(each)
    elsewhere = {each.commit_id for found in by_commit.values() for each in found} - commit_ids
    lines_elsewhere = _lines_of(elsewhere)
    sessions = _sessions(each for found in by_commit.values() for each in found)
    claims = {}
    for commit_id, found in by_commit.items():
        best = min(ORDER[Method(each.method)] for each in found)
        claims[commit_id] = [
            Source(
                each.agent,
                each.model,
                each.session_id or sessions.get((each.agent, each.external_session)),
                Method(each.method),
                EvidenceLevel(each.level),
                each.lines_by_path if each.lines_by_path is not None else lines_elsewhere.get(each.commit_id),
            )
            for each in found
            if ORDER[Method(each.method)] == best
        ]
    return claims


def _lines_of(commit_ids: set[int]) -> dict[int, dict[str, int]]:
    """What commits that stand back added, by path: their trailers speak of these lines only."""
    lines: dict[int, dict[str, int]] = {commit_id: {} for commit_id in commit_ids}
    files = CommitFile.objects.filter(commit_id__in=commit_ids, set_apart="", added__gt=0)
    for commit_id, path, added in files.values_list("commit_id", "path", "added"):
        lines[commit_id][path] = added or 0
    return lines


def _sessions(evidence: Iterable[CommitEvidence]) -> dict[tuple[str, str], int]:
    """The sessions that notes name, where their telemetry arrived."""
    named = {(each.agent, each.external_session) for each in evidence if each.external_session}
    found = AgentSession.objects.filter(external_id__in={session for _, session in named}).order_by("-pk")
    return {(session.agent, session.external_id): session.pk for session in found}


def _attributed(commit_id: int, files: Sequence[CommitFile], claims: Sequence[Source]) -> list[FileAttribution]:
    rows: dict[tuple[int, str, int | None], FileAttribution] = {}
    for file in files:
        left = file.added or 0
        for position, claim in enumerate(claims):
            wanted = _wanted(file, claim, left, sharing=len(claims) - position)
            if wanted <= 0:
                continue
            left -= wanted
            key = (file.pk, claim.agent, claim.session_id)
            if key in rows:
                rows[key].ai_lines += wanted
                continue
            rows[key] = FileAttribution(
                file=file,
                commit_id=commit_id,
                agent=claim.agent,
                model=claim.model,
                session_id=claim.session_id,
                method=claim.method,
                level=claim.level,
                ai_lines=wanted,
            )
    return list(rows.values())


def _wanted(file: CommitFile, claim: Source, left: int, *, sharing: int) -> int:
    if claim.lines_by_path is not None:
        return min(left, claim.lines_by_path.get(file.path, 0))
    return -(-left // sharing)  # what is left, shared among the claims that are left

"""Evidence in commits themselves: trailers, co-authors, and agents that sign as authors."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from psycopg.types.json import Jsonb

from core import sql
from integrations.connectors.git.agent_signatures import ENTIRE, agent_of_signature, agent_of_trailer
from integrations.connectors.git.history import ReadCommit, Signature
from integrations.models import CommitEvidence, EvidenceLevel, Method

if TYPE_CHECKING:
    from integrations.code.commits.store import StoredCommit

LONGEST_SAID = 500
# A signing agent certainly contributed, but its share is unknown: the level expresses that, not the confidence.
SIGNED, TRAILER_ONLY = 0.9, 0.7


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of evidence for a commit; the fields are those of CommitEvidence."""

    method: Method
    level: EvidenceLevel
    agent: str
    confidence: float
    model: str = ""
    external_session: str = ""
    session_id: int | None = None
    repository_id: int | None = None
    lines_by_path: Mapping[str, int] | None = None
    said: str = ""
    bound: float | None = None

    @property
    def digest(self) -> UUID:
        """A digest that is equal for identical evidence."""
        fields = asdict(self) | {"lines_by_path": sorted((self.lines_by_path or {}).items())}
        if self.bound is None:
            del fields["bound"]  # as before bounds existed, so that stored digests stay valid
        text = repr(sorted((key, repr(value)) for key, value in fields.items()))
        return UUID(bytes=hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest())


def store_evidence(commits: Sequence[StoredCommit]) -> None:
    """Store the evidence in these commits, in the caller's transaction."""
    append_evidence(
        (commit.id, evidence) for commit in commits for evidence in evidence_of(commit.read, commit.co_authors)
    )


def evidence_of(commit: ReadCommit, co_authors: Iterable[Signature]) -> Iterator[Evidence]:
    """A piece of evidence for each agent that signed or left a trailer."""
    signs: dict[str, tuple[float, str]] = {}
    if agent := agent_of_signature(commit.author.name, commit.author.email):
        signs[agent] = SIGNED, f"Author: {commit.author.name} <{commit.author.email}>"
    for author in co_authors:
        if agent := agent_of_signature(author.name, author.email):
            signs.setdefault(agent, (SIGNED, f"Co-authored-by: {author.name} <{author.email}>"))
    for trailer in commit.trailers:
        if agent := agent_of_trailer(trailer.key, trailer.value):
            signs.setdefault(agent, (TRAILER_ONLY, f"{trailer.key}: {trailer.value}"))
    if len(signs) > 1:
        signs.pop(ENTIRE, None)  # it recorded one of the others
    for agent, (confidence, words) in signs.items():
        evidence = Evidence(Method.TRAILER, EvidenceLevel.COMMIT, agent, confidence, said=words[:LONGEST_SAID])
        if commit.parts and (signed := commit.parts.signed.get(agent)):
            said = f"{signed} of {commit.parts.count} parts: {words}"[:LONGEST_SAID]
            evidence = replace(evidence, bound=signed / commit.parts.count, said=said)
        yield evidence


def restate_evidence(commits: Sequence[StoredCommit]) -> set[int]:
    """Re-derive the evidence in these commits by the current rules; return the commits whose evidence changed.

    Evidence that the current rules no longer find in the messages is withdrawn.
    """
    entries = [(commit.id, evidence) for commit in commits for evidence in evidence_of(commit.read, commit.co_authors)]
    known = CommitEvidence.objects.filter(
        commit__in=[commit.id for commit in commits], method=Method.TRAILER, withdrawn_at=None
    )
    return withdraw_others(known, {(commit, evidence.digest) for commit, evidence in entries}) | append_evidence(
        entries
    )


def append_evidence(entries: Iterable[tuple[int, Evidence]]) -> set[int]:
    """Append evidence by commit id; returns the commits that gained any.

    Withdrawn evidence that is seen again becomes valid again.
    """
    by_key = {(commit_id, evidence.digest): evidence for commit_id, evidence in entries}
    rows = [(commit_id, evidence, digest) for (commit_id, digest), evidence in by_key.items()]
    if not rows:
        return set()
    return sql.ids(
        """
        INSERT INTO integrations_commitevidence AS known
            (commit_id, method, level, agent, model, session_id, external_session, repository_id, lines_by_path,
             confidence, said, bound, digest, seen_at)
        SELECT *, now() FROM unnest(
            %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::bigint[],
            %s::jsonb[], %s::float8[], %s::text[], %s::float8[], %s::uuid[])
        ON CONFLICT (commit_id, digest) DO UPDATE SET withdrawn_at = NULL WHERE known.withdrawn_at IS NOT NULL
        RETURNING commit_id
        """,
        [
            [commit_id for commit_id, _, _ in rows],
            [str(evidence.method) for _, evidence, _ in rows],
            [str(evidence.level) for _, evidence, _ in rows],
            [evidence.agent for _, evidence, _ in rows],
            [evidence.model for _, evidence, _ in rows],
            [evidence.session_id for _, evidence, _ in rows],
            [evidence.external_session for _, evidence, _ in rows],
            [evidence.repository_id for _, evidence, _ in rows],
            [
                None if evidence.lines_by_path is None else Jsonb(dict(evidence.lines_by_path))
                for _, evidence, _ in rows
            ],
            [evidence.confidence for _, evidence, _ in rows],
            [evidence.said for _, evidence, _ in rows],
            [evidence.bound for _, evidence, _ in rows],
            [digest for _, _, digest in rows],
        ],
    )


def withdraw_others(known: QuerySet[CommitEvidence], current: Collection[tuple[int, UUID]]) -> set[int]:
    """Withdraw the known evidence that is missing from `current`, as (commit, digest); return its commits."""
    stale = {
        pk: commit_id
        for pk, commit_id, digest in known.values_list("pk", "commit_id", "digest")
        if (commit_id, digest) not in current
    }
    withdraw_evidence(stale)
    return set(stale.values())


def withdraw_evidence(ids: Iterable[int]) -> None:
    """Mark evidence as withdrawn; the rows stay."""
    CommitEvidence.objects.filter(pk__in=list(ids)).update(withdrawn_at=timezone.now())

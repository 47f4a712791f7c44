"""Evidence from the records that tools leave in a repository: Entire's checkpoints and Agent Trace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core import sql
from integrations.code.attribution.agent_trace import TracedFile, Writer, traced_files
from integrations.code.attribution.entire import counted_at, recorded_sessions
from integrations.code.attribution.evidence import LONGEST_SAID, Evidence, append_evidence, withdraw_others
from integrations.code.attribution.git_ai_notes import NOBODY, NotedSession
from integrations.code.attribution.notes import AddedLines, line_evidence
from integrations.connectors.git.line_changes import Ranges
from integrations.models import Commit, CommitEvidence, EvidenceLevel, Method, Repository
from integrations.outbox.attribution_queue import enqueue_commits

CONFIDENCE = 0.9  # for Entire's counts, which are exact in the usual case and approximate within a file
MOST_CANDIDATES = 5  # commits that a traced file is compared with
COMMITS_AT_ONCE = 500
# A record is written with the commit that it names if it is no younger.
WITH_THE_COMMIT = timedelta(seconds=3)


def sync_records(
    repository: Repository,
    checkpoints: Mapping[str, Sequence[Sequence[bytes]]],
    traces: Iterable[bytes],
    *,
    added_lines: AddedLines,
    complete: bool,
) -> int:
    """Replace the evidence from a repository's records, in the caller's transaction; return how many commits changed.

    `checkpoints` are Entire's by commit, `traces` the content of Agent Trace files.  If the records are not `complete`,
    because a clone cannot be read, nothing is withdrawn.
    """
    entries = [
        *_evidence_of_checkpoints(repository, checkpoints),
        *_evidence_of_traces(repository, traced_files(traces), added_lines),
    ]
    changed = append_evidence(entries)
    if complete:  # commits that no branch holds any more are not read again
        known = CommitEvidence.objects.filter(
            repository=repository, method=Method.RECORD, withdrawn_at=None, commit__repositories__repository=repository
        )
        changed |= withdraw_others(known, {(commit, evidence.digest) for commit, evidence in entries})
    enqueue_commits(changed)
    return len(changed)


def _evidence_of_checkpoints(
    repository: Repository, checkpoints: Mapping[str, Sequence[Sequence[bytes]]]
) -> Iterator[tuple[int, Evidence]]:
    """Commit-level evidence with each session's share of the lines; a session without a count represents all of
    them.
    """
    for commit, own in _own_sessions(checkpoints):
        sessions = recorded_sessions(own)
        counted = [session for session in sessions if session.lines is not None]
        if counted and not any(session.lines for session in counted):
            yield commit.pk, line_evidence(Method.RECORD, NOBODY, repository)
            continue
        for session in counted or sessions:
            if session.lines == 0:
                continue
            share = None if session.lines is None else min(1.0, session.lines / max(commit.lines_added, 1))
            yield (
                commit.pk,
                Evidence(
                    Method.RECORD,
                    EvidenceLevel.COMMIT,
                    session.agent,
                    CONFIDENCE,
                    model=session.model,
                    external_session=session.external_session,
                    repository_id=repository.pk,
                    said="Entire" if session.lines is None else f"Entire: {session.lines:,} lines"[:LONGEST_SAID],
                    bound=share,
                ),
            )


def _own_sessions(
    checkpoints: Mapping[str, Sequence[Sequence[bytes]]],
) -> Iterator[tuple[Commit, Sequence[Sequence[bytes]]]]:
    """The commits with their checkpoints.  If several commits name one checkpoint, each of its sessions is assigned to
    the last of them that was written before Entire counted the session's lines, and to the copies of that commit.
    """
    commits = list(Commit.objects.filter(sha__in=list(checkpoints)))
    written: dict[tuple[bytes, ...], set[datetime]] = {}
    for commit in commits:
        for documents in checkpoints[commit.sha]:
            written.setdefault(tuple(documents), set()).add(commit.authored_at)

    def is_of(commit: Commit, session: bytes, moments: set[datetime]) -> bool:
        at = counted_at(session) if len(moments) > 1 else None
        return at is None or commit.authored_at == min(moments, key=lambda moment: (moment > at, abs(moment - at)))

    for commit in commits:
        yield (
            commit,
            [
                [whole, *(session for session in sessions if is_of(commit, session, written[whole, *sessions]))]
                for whole, *sessions in checkpoints[commit.sha]
            ],
        )


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A commit that adds lines to a traced file."""

    id: int
    sha: str
    committed_at: datetime
    parents: Sequence[str]


def _evidence_of_traces(
    repository: Repository, files: Sequence[TracedFile], added_lines: AddedLines
) -> Iterator[tuple[int, Evidence]]:
    """The lines that commits add, by the last record of each line."""
    by_path = _candidates(repository, {file.path for file in files})
    bases = dict(Commit.objects.filter(sha__in={file.revision for file in files}).values_list("sha", "committed_at"))
    choices = [(file, _in_order(file, by_path.get(file.path, ()), bases.get(file.revision))) for file in files]
    added: dict[str, Mapping[str, Ranges]] = {}
    shas = sorted({candidate.sha for _, candidates in choices for candidate in candidates})
    for first in range(0, len(shas), COMMITS_AT_ONCE):
        added |= added_lines(shas[first : first + COMMITS_AT_ONCE])
    written: dict[int, dict[tuple[str, int], Writer | None]] = {}
    for file, candidates in choices:
        for candidate in candidates:
            if lines := _written(file, added.get(candidate.sha, {}).get(file.path, ())):
                written.setdefault(candidate.id, {}).update(lines)
                break
    for commit, by_line in written.items():
        counts: dict[Writer, dict[str, int]] = {}
        for (path, _), writer in by_line.items():
            if writer is not None:
                of_writer = counts.setdefault(writer, {})
                of_writer[path] = of_writer.get(path, 0) + 1
        sessions = [NotedSession(*writer, lines_by_path=lines) for writer, lines in counts.items()]
        yield from ((commit, line_evidence(Method.RECORD, session, repository)) for session in sessions or [NOBODY])


def _in_order(file: TracedFile, candidates: Sequence[_Candidate], base: datetime | None) -> list[_Candidate]:
    """The commits that may have added the lines of a traced file, likeliest first.

    A record that was written with the commit that it names describes that commit.  Otherwise its lines arrive with the
    next commit that adds lines to the file, preferably a child of the named one.
    """
    since = max((at for at in (base, file.at and file.at - WITH_THE_COMMIT) if at), default=None)
    if since is None:
        return []
    later = sorted(
        (candidate for candidate in candidates if candidate.sha != file.revision and candidate.committed_at >= since),
        key=lambda candidate: (
            file.revision not in candidate.parents,
            candidate.committed_at,
            candidate.sha,
        ),
    )[:MOST_CANDIDATES]
    named = [candidate for candidate in candidates if candidate.sha == file.revision]
    is_with = base is not None and (file.at is None or file.at <= base + WITH_THE_COMMIT)
    return [*named, *later] if is_with else [*later, *named]


def _written(file: TracedFile, added: Ranges) -> dict[tuple[str, int], Writer | None]:
    """The writers of the added lines."""
    return {
        (file.path, line): traced.writer
        for traced in file.ranges
        for first, last in added
        for line in range(max(first, traced.first), min(last, traced.last) + 1)
    }


def _candidates(repository: Repository, paths: set[str]) -> Mapping[str, Sequence[_Candidate]]:
    """Path → the commits of the repository that add lines to it, without merges."""
    if not paths:
        return {}
    rows = sql.rows(
        """
        SELECT file.path, commit.id, commit.sha, commit.committed_at, commit.parents
        FROM integrations_commitinrepository held
        JOIN integrations_commit commit ON commit.id = held.commit_id AND cardinality(commit.parents) < 2
        JOIN integrations_commitfile file ON file.commit_id = commit.id AND file.added > 0
        WHERE held.repository_id = %s AND file.path = ANY (%s)
        """,
        [repository.pk, sorted(paths)],
    )
    found: dict[str, list[_Candidate]] = {}
    for path, *candidate in rows:
        found.setdefault(path, []).append(_Candidate(*candidate))
    return found

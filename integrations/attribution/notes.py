"""Notes of a repository → evidence.  A notes ref that changes withdraws what it no longer says."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from integrations.attribution.evidence import Evidence, append_evidence
from integrations.attribution.git_ai_notes import UnreadableNoteError, read_note
from integrations.attribution.work import enqueue_commits
from integrations.models import Commit, CommitEvidence, EvidenceLevel, Method, Repository, UnreadableNote

# A note says it of lines; only a tool that writes notes wrongly makes it wrong.
CONFIDENCE = 0.95


def note_notes(repository: Repository, notes: Iterable[tuple[str, bytes]]) -> int:
    """Take over all notes of a ref, in the caller's transaction; how many commits have other evidence now.

    A note that cannot be read is listed with the reason, and what the commit's note said before stays.
    """
    texts = dict(notes)
    ids = dict(Commit.objects.filter(sha__in=texts).values_list("sha", "pk"))
    found: list[tuple[int, Evidence]] = []
    unreadable: dict[int, str] = {}
    for sha, commit_id in ids.items():
        try:
            sessions = read_note(texts[sha])
        except UnreadableNoteError as problem:
            unreadable[commit_id] = str(problem)
            continue
        found += [
            (
                commit_id,
                Evidence(
                    Method.NOTE,
                    EvidenceLevel.LINE,
                    session.agent,
                    CONFIDENCE,
                    model=session.model,
                    external_session=session.external_session,
                    lines_by_path=session.lines_by_path,
                ),
            )
            for session in sessions
        ]
    _list_unreadable(repository, unreadable)
    changed = append_evidence(found) | _withdraw(repository, found, unreadable)
    enqueue_commits(changed)
    return len(changed)


def _withdraw(repository: Repository, found: list[tuple[int, Evidence]], unreadable: Iterable[int]) -> set[int]:
    """Withdraw what the notes of this repository's commits said and no longer say."""
    said = {(commit_id, evidence.digest) for commit_id, evidence in found}
    standing = CommitEvidence.objects.filter(
        Q(commit__repositories__repository=repository), method=Method.NOTE, withdrawn_at=None
    ).exclude(commit_id__in=list(unreadable))
    stale = {
        pk: commit_id
        for pk, commit_id, digest in standing.values_list("pk", "commit_id", "digest")
        if (commit_id, digest) not in said
    }
    CommitEvidence.objects.filter(pk__in=stale).update(withdrawn_at=timezone.now())
    return set(stale.values())


def _list_unreadable(repository: Repository, reasons: dict[int, str]) -> None:
    UnreadableNote.objects.filter(repository=repository).delete()
    UnreadableNote.objects.bulk_create(
        UnreadableNote(repository=repository, commit_id=commit_id, reason=reason[:300])
        for commit_id, reason in reasons.items()
    )

"""Notes of a repository → evidence.  Notes that change withdraw what they no longer say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from django.utils import timezone

from integrations.code.attribution.evidence import Evidence, append_evidence
from integrations.code.attribution.git_ai_notes import UnreadableNoteError, read_note
from integrations.models import Commit, CommitEvidence, EvidenceLevel, Method, Repository, UnreadableNote
from integrations.outbox.attribution_queue import enqueue_commits

# A note says it of lines; only a tool that writes notes wrongly makes it wrong.
CONFIDENCE = 0.95
NOTES_AT_ONCE = 500

Note = tuple[str, bytes]


def note_notes(repository: Repository, notes: Iterable[Note]) -> int:
    """Take over all notes of a repository, in the caller's transaction; how many commits have other evidence now.

    What the repository's notes said before and no longer say is withdrawn; what another repository's notes say of the
    same commits stays.  A note that cannot be read is listed with the reason, and what it said before stays.  Notes on
    commits that are not stored are passed over: they are read again when commits were added.
    """
    read = _read(repository, notes)
    UnreadableNote.objects.filter(repository=repository).delete()
    _list_unreadable(repository, read.unreadable)
    changed = read.changed | _withdraw_stale(repository, read.digests, read.unreadable)
    enqueue_commits(changed)
    return len(changed)


def add_notes(repository: Repository, notes: Iterable[Note]) -> int:
    """As `note_notes`, where they are not all of the repository's: nothing is withdrawn."""
    read = _read(repository, notes)
    _list_unreadable(repository, read.unreadable)
    enqueue_commits(read.changed)
    return len(read.changed)


@dataclass(slots=True)
class _Read:
    """What notes said, by commit and digest, which commits it was new of, and why other notes cannot be read."""

    digests: set[tuple[int, UUID]] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    unreadable: dict[int, str] = field(default_factory=dict)


def _read(repository: Repository, notes: Iterable[Note]) -> _Read:
    read = _Read()
    remaining = iter(notes)
    while chunk := list(islice(remaining, NOTES_AT_ONCE)):
        entries = list(_evidence(repository, chunk, read.unreadable))
        read.digests |= {(commit_id, evidence.digest) for commit_id, evidence in entries}
        read.changed |= append_evidence(entries)
    return read


def _evidence(
    repository: Repository, notes: Iterable[Note], unreadable: dict[int, str]
) -> Iterator[tuple[int, Evidence]]:
    """Commit and evidence, of notes on known commits; those that cannot be read are added to `unreadable`."""
    notes = list(notes)
    ids = dict(Commit.objects.filter(sha__in=[sha for sha, _ in notes]).values_list("sha", "pk"))
    for sha, text in notes:
        if sha not in ids:
            continue
        try:
            sessions = read_note(text)
        except UnreadableNoteError as problem:
            unreadable[ids[sha]] = str(problem)
            continue
        for session in sessions:
            yield (
                ids[sha],
                Evidence(
                    Method.NOTE,
                    EvidenceLevel.LINE,
                    session.agent,
                    CONFIDENCE,
                    model=session.model,
                    external_session=session.external_session,
                    lines_by_path=session.lines_by_path,
                    repository_id=repository.pk,
                ),
            )


def _withdraw_stale(repository: Repository, digests: set[tuple[int, UUID]], unreadable: Iterable[int]) -> set[int]:
    """Withdraw what the notes of this repository no longer say; the commits."""
    current = CommitEvidence.objects.filter(repository=repository, method=Method.NOTE, withdrawn_at=None).exclude(
        commit_id__in=list(unreadable)
    )
    stale = {
        pk: commit_id
        for pk, commit_id, digest in current.values_list("pk", "commit_id", "digest")
        if (commit_id, digest) not in digests
    }
    CommitEvidence.objects.filter(pk__in=stale).update(withdrawn_at=timezone.now())
    return set(stale.values())


def _list_unreadable(repository: Repository, reasons: dict[int, str]) -> None:
    rows = (
        UnreadableNote(repository=repository, commit_id=commit_id, reason=reason[:300])
        for commit_id, reason in reasons.items()
    )
    UnreadableNote.objects.bulk_create(rows, ignore_conflicts=True)

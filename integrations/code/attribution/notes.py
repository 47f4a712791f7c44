"""Notes of a repository → evidence.  When a note changes, evidence that it no longer contains is withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from integrations.code.attribution.evidence import Evidence, append_evidence, withdraw_others
from integrations.code.attribution.git_ai_notes import UnreadableNoteError, read_note
from integrations.connectors.git.line_changes import Ranges
from integrations.models import Commit, CommitEvidence, EvidenceLevel, Method, Repository, UnreadableNote, UnusedNote
from integrations.outbox.attribution_queue import enqueue_commits

# Notes attest lines; they are wrong only if the tool that writes them is.
CONFIDENCE = 0.95
NOTES_AT_ONCE = 500

Note = tuple[str, bytes]
AddedLines = Callable[[Sequence[str]], Mapping[str, Mapping[str, Ranges]]]
"""Commits → the lines that each adds, by path; without those whose objects are not there."""


def no_added_lines(shas: Sequence[str]) -> Mapping[str, Mapping[str, Ranges]]:
    """Of a repository that cannot be asked."""
    return {}


def sync_notes(
    repository: Repository,
    notes: Iterable[Note],
    *,
    added_lines: AddedLines = no_added_lines,
    only: Collection[str] | None = None,
) -> int:
    """Replace the evidence from a repository's notes, in the caller's transaction; returns how many commits changed.

    Evidence that the repository's notes no longer contain is withdrawn; evidence from other repositories' notes stays.
    An unreadable note is listed with the reason, and its earlier evidence stays.  Notes on commits that are not stored
    are listed as unused: they are read again after commits were added.  Where `only` is given, the notes are those of
    these commits, and what others say stays.
    """
    read = _read(repository, notes, added_lines)
    noted = {} if only is None else {"commit__sha__in": list(only)}
    UnreadableNote.objects.filter(repository=repository, **noted).delete()
    UnusedNote.objects.filter(repository=repository, **({} if only is None else {"sha__in": list(only)})).delete()
    _list_unreadable(repository, read.unreadable)
    _list_unused(repository, read.unused)
    known = CommitEvidence.objects.filter(repository=repository, method=Method.NOTE, withdrawn_at=None, **noted)
    changed = read.changed | withdraw_others(known.exclude(commit_id__in=list(read.unreadable)), read.digests)
    enqueue_commits(changed)
    return len(changed)


def add_notes(repository: Repository, notes: Iterable[Note], *, added_lines: AddedLines = no_added_lines) -> int:
    """Like `sync_notes` for some of a repository's notes: nothing is withdrawn."""
    read = _read(repository, notes, added_lines)
    _list_unreadable(repository, read.unreadable)
    _list_unused(repository, read.unused)
    enqueue_commits(read.changed)
    return len(read.changed)


@dataclass(slots=True)
class _Read:
    """Evidence seen (commit, digest), commits that gained evidence, reasons why notes are unreadable, and the object
    ids of noted commits that are not stored."""

    digests: set[tuple[int, UUID]] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    unreadable: dict[int, str] = field(default_factory=dict)
    unused: set[str] = field(default_factory=set)


def _read(repository: Repository, notes: Iterable[Note], added_lines: AddedLines) -> _Read:
    read = _Read()
    remaining = iter(notes)
    while chunk := list(islice(remaining, NOTES_AT_ONCE)):
        entries = list(_evidence(repository, chunk, read, added_lines))
        read.digests |= {(commit_id, evidence.digest) for commit_id, evidence in entries}
        read.changed |= append_evidence(entries)
    return read


def _evidence(
    repository: Repository, notes: Sequence[Note], read: _Read, added_lines: AddedLines
) -> Iterator[tuple[int, Evidence]]:
    """(commit id, evidence) from notes on known commits; what gives none is added to `read`."""
    ids = dict(Commit.objects.filter(sha__in=[sha for sha, _ in notes]).values_list("sha", "pk"))
    added = added_lines(list(ids))
    for sha, text in notes:
        if sha not in ids:
            read.unused.add(sha)
            continue
        try:
            sessions = read_note(text, added.get(sha))
        except UnreadableNoteError as problem:
            read.unreadable[ids[sha]] = str(problem)
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


def _list_unused(repository: Repository, shas: Iterable[str]) -> None:
    rows = (UnusedNote(repository=repository, sha=sha[:64]) for sha in shas)
    UnusedNote.objects.bulk_create(rows, ignore_conflicts=True)


def _list_unreadable(repository: Repository, reasons: dict[int, str]) -> None:
    rows = (
        UnreadableNote(repository=repository, commit_id=commit_id, reason=reason[:300])
        for commit_id, reason in reasons.items()
    )
    UnreadableNote.objects.bulk_create(rows, ignore_conflicts=True)

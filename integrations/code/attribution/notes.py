"""Notes of a repository → evidence.  When a note changes, evidence that it no longer contains is withdrawn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from uuid import UUID

from core import sql
from integrations.code.attribution.evidence import Evidence, append_evidence, withdraw_others
from integrations.code.attribution.git_ai_notes import (
    NOBODY,
    NotedSession,
    UnreadableNoteError,
    Writer,
    attest_mostly_the_same,
    attestations_of,
    attested_prompts,
    count_attested,
    prompt_of,
    prompts_of,
    read_note,
    writers_of,
)
from integrations.connectors.git.line_changes import Ranges
from integrations.models import (
    Commit,
    CommitEvidence,
    CommitExclusion,
    EvidenceLevel,
    Method,
    Repository,
    UnreadableNote,
    UnusedNote,
)
from integrations.outbox.attribution_queue import enqueue_commits

# Notes attest lines; they are wrong only if the tool that writes them is.
CONFIDENCE = 0.95
NOTES_AT_ONCE = 500
COMMITS_AT_ONCE = 5_000
MOST_VERSIONS = 20  # per change; more commits with the same author and second are an import

Note = tuple[str, bytes]
AddedLines = Callable[[Sequence[str]], Mapping[str, Mapping[str, Ranges]]]
"""Commits → the lines that each adds, by path; without those whose objects are not there."""


def no_added_lines(shas: Sequence[str]) -> Mapping[str, Mapping[str, Ranges]]:
    """No lines: the substitute for a repository that cannot be queried."""
    return {}


def sync_notes(
    repository: Repository,
    notes: Iterable[Note],
    *,
    added_lines: AddedLines = no_added_lines,
    only: Collection[str] | None = None,
    all_notes: Iterable[Note] | None = None,
) -> int:
    """Replace the evidence from a repository's notes, in the caller's transaction; return how many commits changed.

    The notes are iterated twice: a copy of a note on another commit proves nothing about that commit.

    Evidence that the repository's notes no longer contain is withdrawn; evidence from other repositories' notes stays.
    An unreadable note is listed with the reason, and its earlier evidence stays.  Notes on commits that are not stored
    are listed as unused: they are read again after commits were added.  If `only` is given, the notes are those of
    these commits, and evidence from other notes stays.  Keys that a note does not describe are looked up in
    `all_notes`.
    """
    read = _read(repository, notes, added_lines, all_notes)
    noted = {} if only is None else {"commit__sha__in": list(only)}
    UnreadableNote.objects.filter(repository=repository, **noted).delete()
    UnusedNote.objects.filter(repository=repository, **({} if only is None else {"sha__in": list(only)})).delete()
    _list_unreadable(repository, read.unreadable)
    _list_unused(repository, read.unused)
    known = CommitEvidence.objects.filter(repository=repository, method=Method.NOTE, withdrawn_at=None, **noted)
    changed = read.changed | withdraw_others(known.exclude(commit_id__in=list(read.unreadable)), read.digests)
    enqueue_commits(changed)
    return len(changed)


def add_notes(
    repository: Repository,
    notes: Iterable[Note],
    *,
    added_lines: AddedLines = no_added_lines,
    all_notes: Iterable[Note] | None = None,
) -> int:
    """Like `sync_notes` for some of a repository's notes: nothing is withdrawn."""
    read = _read(repository, notes, added_lines, all_notes)
    _list_unreadable(repository, read.unreadable)
    _list_unused(repository, read.unused)
    enqueue_commits(read.changed)
    return len(read.changed)


def attesting_prompts_of(some: Iterable[Note], all_notes: Iterable[Note]) -> set[str]:
    """The commits whose notes attest lines to prompts that only some of the given notes describe."""
    described = {key[:length] for _, text in some for key in _prompts_of(text) for length in range(7, len(key) + 1)}
    return {
        sha
        for sha, text in (all_notes if described else ())
        if (keys := attested_prompts(text) & described) and any(not prompt_of(key, _prompts_of(text)) for key in keys)
    }


def _prompts_of(text: bytes) -> Mapping[str, Writer]:
    try:
        return prompts_of(text)
    except UnreadableNoteError:
        return {}


@dataclass(slots=True)
class _Prompts:
    """Looks up keys that a note does not describe in all other notes, which are read when first needed."""

    notes: Iterable[Note]
    described: dict[str, Writer] | None = None
    found: dict[str, Writer | None] = field(default_factory=dict)

    def __call__(self, key: str) -> Writer | None:
        if self.described is None:
            self.described = {}
            for _, text in self.notes:
                self.described |= _prompts_of(text)
        if key not in self.found:
            self.found[key] = prompt_of(key, self.described)
        return self.found[key]


@dataclass(slots=True)
class _Read:
    """Evidence seen (commit, digest), commits that gained evidence, reasons why notes are unreadable, the object ids of
    noted commits that are not stored, the copies of notes with their owners, and the prompts of all notes.
    """

    prompts: _Prompts

    digests: set[tuple[int, UUID]] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)
    unreadable: dict[int, str] = field(default_factory=dict)
    unused: set[str] = field(default_factory=set)
    copies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    owners: dict[str, set[str]] = field(default_factory=dict)


def _read(
    repository: Repository, notes: Iterable[Note], added_lines: AddedLines, all_notes: Iterable[Note] | None
) -> _Read:
    read = _Read(_Prompts(notes if all_notes is None else all_notes), copies=_copies(notes))
    remaining = iter(notes)
    while chunk := list(islice(remaining, NOTES_AT_ONCE)):
        entries = list(_evidence(repository, chunk, read, added_lines))
        read.digests |= {(commit_id, evidence.digest) for commit_id, evidence in entries}
        read.changed |= append_evidence(entries)
    return read


def _evidence(
    repository: Repository, notes: Sequence[Note], read: _Read, added_lines: AddedLines
) -> Iterator[tuple[int, Evidence]]:
    """(commit id, evidence) from notes on known commits; notes without evidence are added to `read`."""
    ids = dict(Commit.objects.filter(sha__in=[sha for sha, _ in notes]).values_list("sha", "pk"))
    added = added_lines(list(ids))
    for sha, text in notes:
        if sha not in ids:
            read.unused.add(sha)
            continue
        try:
            sessions = read_note(text, added.get(sha), described=read.prompts)
            copies = read.copies.get(sha, ())
            if copies and sha not in read.owners:
                read.owners |= dict.fromkeys(copies, _owners(text, copies, added_lines))
        except UnreadableNoteError as problem:
            read.unreadable[ids[sha]] = str(problem)
            continue
        if not copies or sha in read.owners[sha]:
            yield from ((ids[sha], line_evidence(Method.NOTE, session, repository)) for session in sessions)


def line_evidence(method: Method, session: NotedSession, repository: Repository) -> Evidence:
    """Evidence from a note or record of the repository: the lines of a session, or the fact that no agent wrote any."""
    return Evidence(
        method,
        EvidenceLevel.LINE,
        session.agent,
        CONFIDENCE,
        model=session.model,
        external_session=session.external_session,
        lines_by_path=session.lines_by_path,
        repository_id=repository.pk,
        said="No line of an agent" if session == NOBODY else "",
    )


def _digest(text: bytes) -> bytes:
    return hashlib.blake2b(attestations_of(text), digest_size=16).digest()


def _copies(notes: Iterable[Note]) -> Mapping[str, Sequence[str]]:
    """Commit → all commits with the same note, if there are several; notes without lines are left out.

    A note that was copied with a rewritten commit (amended, rebased, picked) may differ in a few lines.
    """
    same: dict[bytes, list[str]] = {}
    by_writers: dict[tuple[bytes, ...], list[str]] = {}
    for sha, text in notes:
        if attestations_of(text).strip():
            same.setdefault(_digest(text), []).append(sha)
            by_writers.setdefault(writers_of(text), []).append(sha)
    groups = {sha: shas for shas in same.values() if len(shas) > 1 for sha in shas}
    versions = _versions([shas for shas in by_writers.values() if len(shas) > 1])
    texts = {sha: text for sha, text in notes if sha in versions} if versions else {}
    for sha, others in versions.items():
        for other in others:
            one, two = groups.get(sha, [sha]), groups.get(other, [other])
            if one is not two and _are_alike(texts[sha], texts[other]):
                groups |= {member: [*one, *two] for member in (*one, *two)}
    return {sha: sorted(set(shas)) for sha, shas in groups.items()}


def _versions(groups: Sequence[Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """Commit → later commits of its group with the same author and author time, which rewriting a commit preserves."""
    written: dict[tuple[int, int, datetime], list[str]] = {}
    group_of = {sha: number for number, shas in enumerate(groups) for sha in shas}
    shas = sorted(group_of)
    for first in range(0, len(shas), COMMITS_AT_ONCE):
        some = Commit.objects.filter(sha__in=shas[first : first + COMMITS_AT_ONCE])
        for sha, author, at in some.values_list("sha", "author", "authored_at"):
            written.setdefault((group_of[sha], author, at), []).append(sha)
    changes = (sorted(same) for same in written.values() if 1 < len(same) <= MOST_VERSIONS)
    return {sha: same[n + 1 :] for same in changes for n, sha in enumerate(same)}


def versions_of(shas: Collection[str]) -> set[str]:
    """The commits that share author and author time with one of these: one change, rewritten."""
    statement = """
        SELECT DISTINCT version.sha
        FROM integrations_commit written
        JOIN integrations_commit version
          ON version.author_id = written.author_id AND version.authored_at = written.authored_at
        WHERE written.sha = ANY (%s)
    """
    return set(sql.column(statement, [sorted(shas)]))


def _are_alike(one: bytes, other: bytes) -> bool:
    try:
        return attest_mostly_the_same(one, other)
    except UnreadableNoteError:
        return False


def _owners(text: bytes, shas: Sequence[str], added_lines: AddedLines) -> set[str]:
    """The commit whose lines a copied note attests, with the copies of that commit; all commits if none is stored.

    It adds most of the lines, and the fewest others in these files: a squash also adds those of its other parts.
    Commits that fit equally well and add all the lines were each noted: an agent wrote the same lines again.
    """
    added = added_lines(shas)

    def fitness(commit: Commit) -> tuple[bool, int, float, float, str]:
        own = added.get(commit.sha)
        total = (
            float("inf") if own is None else sum(last - first + 1 for ranges in own.values() for first, last in ranges)
        )
        is_lost = commit.exclusion_reason == CommitExclusion.GONE and commit.duplicate_of_id is None
        return is_lost, -count_attested(text, own), total, commit.authored_at.timestamp(), commit.sha

    ranked = sorted((fitness(commit), commit) for commit in Commit.objects.filter(sha__in=shas))
    if not ranked:
        return set()
    (*fits, _, _), best = ranked[0]
    is_whole = best.sha in added and -fits[1] == count_attested(text, None)
    return {
        commit.sha
        for fitness_of, commit in ranked
        if commit.change_key == best.change_key or (is_whole and [*fitness_of[:3]] == fits)
    }


def _list_unused(repository: Repository, shas: Iterable[str]) -> None:
    rows = (UnusedNote(repository=repository, sha=sha[:64]) for sha in shas)
    UnusedNote.objects.bulk_create(rows, ignore_conflicts=True)


def _list_unreadable(repository: Repository, reasons: dict[int, str]) -> None:
    rows = (
        UnreadableNote(repository=repository, commit_id=commit_id, reason=reason[:300])
        for commit_id, reason in reasons.items()
    )
    UnreadableNote.objects.bulk_create(rows, ignore_conflicts=True)

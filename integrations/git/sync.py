"""Reading a repository: what is new since last time, resumable at any commit, and without ghosts.

A source's `refs` say how far it was read; they move in the transaction that settles what the new commits mean.
Commits are stored in chunks before that, so that a reading that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from django.db import connection, transaction
from django.utils import timezone

from integrations.attribution.evidence import note_evidence
from integrations.attribution.notes import note_notes
from integrations.connectors.git.attributes import AttributeReader
from integrations.connectors.git.commands import GitError
from integrations.connectors.git.history import existing, new_commits, read_commits
from integrations.connectors.git.repository import GitRepository
from integrations.git.changes import settle_changes
from integrations.git.context_files import store_context_files
from integrations.git.links import link_commits, relink_repository
from integrations.git.recognise import recognise
from integrations.git.squashes import note_squashes
from integrations.git.store import store_commits
from integrations.models import RepositorySource, SyncRun

CHUNK = 500  # commits per transaction: a fraction of a second of work to lose
_ADVISORY_LOCK = 0x4769_7400  # "Git": with a source's id, one reading of it at a time
T = TypeVar("T")


class AlreadyReadingError(Exception):
    """Another process reads this source at the moment."""


def sync_source(source: RepositorySource, *, full: bool = False) -> SyncRun:
    """Read what is new; the run says what was found, and in words what went wrong.

    `full` looks at every commit again instead of trusting how far the last reading came.
    Raises AlreadyReadingError.
    """
    with _one_reading(source):
        SyncRun.objects.filter(source=source, state=SyncRun.State.RUNNING).update(state=SyncRun.State.INTERRUPTED)
        run = SyncRun.objects.create(source=source)
        started = timezone.now()
        try:
            _read(source, run, full=full)
        except GitError as problem:
            run.problem = str(problem)
            run.state = SyncRun.State.FAILED
        else:
            run.state = SyncRun.State.DONE
            RepositorySource.objects.filter(pk=source.pk).update(synced_at=started)
        run.finished_at = timezone.now()
        run.save()
        RepositorySource.objects.filter(pk=source.pk, asked_at__lte=started).update(asked_at=None)
        return run


def _read(source: RepositorySource, run: SyncRun, *, full: bool) -> None:
    repository = GitRepository.open(source.external_id)
    branches = repository.branches
    notes = repository.notes()
    if source.repository_id and not full and (branches, notes) == (source.refs, source.notes):
        return
    default = repository.default_branch(branches)
    stored = recognise(source, repository, branches, default)
    known = {} if full else dict(source.refs)
    tips = set(branches.values())
    grown = not full and _has_grown(repository, known.values(), tips)
    new = new_commits(repository.git_dir, tips, known.values() if grown else ()) if tips else []
    missing = _not_stored(new)
    run.to_read, run.unchanged = len(missing), len(new) - len(missing)
    run.save()
    if default is not None:
        mailmap = repository.mailmap(branches[default])
        with AttributeReader(repository.git_dir, branches[default]) as attributes:
            for chunk in _chunks(read_commits(repository.git_dir, missing, mailmap=mailmap), CHUNK):
                with transaction.atomic():
                    commits = store_commits(chunk, attributes)
                    note_evidence(commits)
                run.read += len(chunk)
                run.added += len(commits)
                run.save()
    with transaction.atomic():
        on_default = _of_default(repository, known, branches, default, grown=grown)
        if grown:
            touched = link_commits(stored, new, on_default)
        else:
            touched, run.removed = relink_repository(stored, new, on_default)
        if default is not None:
            touched |= note_squashes(stored, repository, branches, default)
            store_context_files(stored, repository.git_dir, branches[default])
        settle_changes(touched)
        moved = {ref: tip for ref, tip in notes.items() if full or source.notes.get(ref) != tip}
        for tip in moved.values():
            run.changed += note_notes(stored, repository.read_notes(tip))
        RepositorySource.objects.filter(pk=source.pk).update(refs=dict(branches), notes=dict(notes), repository=stored)


def _has_grown(repository: GitRepository, known: Iterable[str], tips: set[str]) -> bool:
    """Whether everything that was read last time is still there: no branch was rewritten or removed."""
    before = set(known)
    if not before or not tips:
        return False
    return set(existing(repository.git_dir, before)) == before and not new_commits(repository.git_dir, before, tips)


def _of_default(
    repository: GitRepository,
    known: Mapping[str, str],
    branches: Mapping[str, str],
    default: str | None,
    *,
    grown: bool,
) -> list[str]:
    """The commits that are new on the default branch; all of them where the branches did not merely grow."""
    if default is None:
        return []
    before = [known[default]] if grown and default in known else []
    return new_commits(repository.git_dir, [branches[default]], before)


def _not_stored(shas: Sequence[str]) -> list[str]:
    """Those that no source has stored, in the same order."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT wanted.sha FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (sha, position)
            WHERE NOT EXISTS (SELECT FROM integrations_commit known WHERE known.sha = wanted.sha)
            ORDER BY position
            """,
            [list(shas)],
        )
        return [row[0] for row in cursor.fetchall()]


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


@contextmanager
def _one_reading(source: RepositorySource) -> Iterator[None]:
    """A lock that goes with the connection: a killed reader holds nothing up."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_ADVISORY_LOCK, source.pk])
        if not cursor.fetchone()[0]:
            raise AlreadyReadingError
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_ADVISORY_LOCK, source.pk])

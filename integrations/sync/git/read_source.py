"""Syncs a repository on disk: reads the changes since the last sync and removes deleted commits; resumable at any
commit.

A source's `refs` are its sync position; they move in the transaction that derives figures from the new commits.
Commits are stored in chunks before that, so that an interrupted sync resumes where it stopped.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from core import sql
from integrations.code.attribution.evidence import store_evidence
from integrations.code.commits.duplicates import recompute_changes
from integrations.code.commits.in_repositories import (
    link_commits,
    lock_for_recompute,
    recompute_homes,
    relink_repository,
    unlinked_commits,
)
from integrations.code.commits.own_commits import hold, hold_exactly
from integrations.code.commits.store import KnownAuthors, store_commits
from integrations.code.git.branches import sync_branches
from integrations.code.git.context_files import store_context_files
from integrations.code.git.gone_commits import (
    gone_tips,
    link_squashes_of_pull_requests,
    named_by_agents,
    store_listed_commits,
)
from integrations.code.git.line_history import request_line_history
from integrations.code.git.recognise import recognise
from integrations.code.git.restate import update_commits
from integrations.code.git.squashes import link_squashes
from integrations.connectors.git.attributes import AttributeReader
from integrations.connectors.git.commands import GitError
from integrations.connectors.git.context_files import context_files_changed, is_context_file
from integrations.connectors.git.history import READS, ReadCommit, existing, new_commits, read_commits
from integrations.connectors.git.languages import DATA_DIGEST
from integrations.connectors.git.repository import GitRepository
from integrations.delivery.linking.relink import relink_commits, relink_named_commits
from integrations.enums import Kind
from integrations.models import Commit, Repository, RepositorySource, SyncRun
from integrations.outbox.attribution_queue import enqueue_commits_with_evidence
from integrations.outbox.write_lock import lock_for_linking
from integrations.sync.git.mirrors import refresh_mirror
from integrations.sync.git.read_evidence import evidence_position, sync_evidence
from integrations.sync.git.sources import READING
from integrations.telemetry.sessions.places import resolve_again_for_repository

COMMITS_AT_ONCE = 1000  # per transaction: about a second of work to lose
FILES_AT_ONCE = 20_000  # so that 500 commits of thousands of files do not fill the memory


@dataclass(frozen=True, slots=True)
class Seen:
    """The state of a repository at the beginning of a reading; `position` is that of its notes and records."""

    branches: Mapping[str, str]
    notes: Mapping[str, str]
    tags: Mapping[str, str]
    position: Mapping[str, str]
    default: str | None
    mailmap: str
    boundary: frozenset[str]
    view: str

    @classmethod
    def of(cls, git: GitRepository) -> Seen:
        branches = git.branches
        default = git.default_branch(branches)
        tip = branches[default] if default is not None else None
        mailmap = git.mailmap(tip) if tip else ""
        boundary = git.boundary
        attributes = git.attribute_files(tip) if tip else ()
        parts = (DATA_DIGEST, READS, default or "", mailmap, *sorted(boundary), *attributes)
        view = hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
        notes = git.notes()
        position = evidence_position(git, notes, branches)
        return cls(branches, notes, git.tags, position, default, mailmap, boundary, view)

    @property
    def tips(self) -> set[str]:
        return set(self.branches.values())


def sync_source(source: RepositorySource, *, full: bool = False) -> SyncRun:
    """Read the changes; the returned run contains the result, and explains any failure.

    `full` reads every commit again instead of continuing from the last position.  Raises BusyError.
    """
    with READING.alone(source.pk):
        source.refresh_from_db()
        SyncRun.objects.filter(source=source, state=SyncRun.State.RUNNING).update(
            state=SyncRun.State.INTERRUPTED, finished_at=timezone.now()
        )
        run = SyncRun.objects.create(source=source)
        mine = RepositorySource.objects.filter(pk=source.pk)
        # Stored before the reading, so that one that kills its process also waits longer next time.
        mine.update(tried_at=run.started_at, failures=F("failures") + 1)
        try:
            _read(source, run, full=full)
        except GitError as problem:
            run.problem = str(problem)
            run.state = SyncRun.State.FAILED
        else:
            run.state = SyncRun.State.DONE
            mine.update(synced_at=run.started_at, failures=0)
            _forget_idle_runs(source)
        run.finished_at = timezone.now()
        run.save()
        mine.filter(requested_at__lte=run.started_at).update(requested_at=None)
        return run


def _forget_idle_runs(source: RepositorySource) -> None:
    """Delete runs without news: there is one every few minutes, and they would hide the others."""
    SyncRun.objects.filter(source=source, state=SyncRun.State.DONE, to_read=0, added=0, changed=0, removed=0).delete()


def _read(source: RepositorySource, run: SyncRun, *, full: bool) -> None:
    refresh_mirror(source)
    git = GitRepository.open(source.external_id)
    seen = Seen.of(git)
    if not source.view:  # stored before the first commit, so that a resumed reading can compare
        RepositorySource.objects.filter(pk=source.pk).update(view=seen.view)
        source.view = seen.view
    view_changed = seen.view != source.view
    if (
        source.repository_id
        and not full
        and source.requested_at is None
        and not view_changed
        and (seen.branches, seen.position, seen.tags) == (source.refs, source.notes, source.tags)
    ):
        return
    is_new = source.repository_id is None
    own = recognise(source, git, seen.branches, seen.default)
    repository = own.counted_as
    if is_new:
        resolve_again_for_repository(own)
    again = full or view_changed
    grown = not again and _has_grown(git, source.refs, seen)
    held = new_commits(git.git_dir, seen.tips, source.refs.values() if grown else ()) if seen.tips else []
    afresh = again or not source.refs
    told = named_by_agents(source, repository, again=afresh).union(*map(git.noted, seen.notes.values()))
    gone = gone_tips(source, repository, git, seen.tips, told, again=afresh) if seen.default else []
    left = new_commits(git.git_dir, gone, seen.tips) if gone else []
    stored = _store(git, seen, run, repository, [*held, *left], again=again)
    with transaction.atomic():
        lock_for_linking({Kind.COMMIT})
        lock_for_recompute()
        on_default = _new_on_default(git, source.refs, seen, held, grown=grown)
        elsewhere = None if grown else _held_by_other_sources(own, source)
        if elsewhere is None:
            touched = link_commits(repository, held, on_default)
            hold(own, held, on_default)
        else:
            held_elsewhere, on_default_elsewhere = elsewhere
            touched, run.removed = relink_repository(
                repository, *hold_exactly(own, {*held, *held_elsewhere}, {*on_default, *on_default_elsewhere})
            )
        if source.failures:
            touched |= unlinked_commits(repository)
        listed = store_listed_commits(repository, told)
        touched |= listed | set(Commit.objects.filter(sha__in=left).values_list("pk", flat=True))
        recompute_homes(touched)
        if seen.default is not None:
            touched |= link_squashes(repository, git, seen.branches, seen.default, gone)
            sync_branches(source, git, seen.branches, seen.default)
            before, tip = source.refs.get(seen.default, ""), seen.branches[seen.default]
            if own == repository and (not grown or context_files_changed(git.git_dir, before, tip)):
                store_context_files(repository, git.git_dir, tip, None if grown else stored.context_paths)
        recompute_changes(touched | stored.restated)
        recompute_changes(link_squashes_of_pull_requests(repository))
        relink_commits(repository, touched | stored.restated)
        if seen.position != source.notes or (seen.position and (run.added or again or listed)):
            run.changed += sync_evidence(repository, source, git, seen.branches, position=seen.position, again=again)
        request_line_history(repository)
        _note_reading(source, seen, repository, again=again)


def _note_reading(source: RepositorySource, seen: Seen, repository: Repository, *, again: bool) -> None:
    """Store the position of the reading, relink the records that name its tags, and queue everything to derive
    `again`.
    """
    if again:
        enqueue_commits_with_evidence(repository.pk)
    RepositorySource.objects.filter(pk=source.pk).update(
        refs=dict(seen.branches), notes=dict(seen.position), tags=dict(seen.tags), view=seen.view
    )
    if seen.tags != source.tags:
        relink_named_commits({repository.pk})


@dataclass(slots=True)
class CommitEffects:
    """Side effects of storing commits.

    `context_paths` are the agent context files that any of the commits touches; None if git did not list all files of
    all commits.
    """

    restated: set[int] = field(default_factory=set)
    context_paths: set[str] | None = field(default_factory=set)

    def note_context_files(self, commits: Iterable[ReadCommit]) -> None:
        for commit in commits:
            if self.context_paths is None or not commit.lines_known:
                self.context_paths = None
                return
            names = (name for file in commit.files for name in (file.path, file.old_path))
            self.context_paths.update(filter(is_context_file, names))


def _store(
    git: GitRepository, seen: Seen, run: SyncRun, repository: Repository, held: Sequence[str], *, again: bool
) -> CommitEffects:
    """Store the commits that no clone has provided, in chunks that are committed one by one; `again` stores known ones
    again.
    """
    new = dict.fromkeys(held, True) if again else _new_to_clones(held)
    missing = list(new)
    run.to_read, run.unchanged = len(missing), len(held) - len(missing)
    run.save()
    facts = CommitEffects(context_paths=None if run.unchanged else set())
    if seen.default is None:
        return facts
    authors = KnownAuthors()
    with AttributeReader(git.git_dir, seen.branches[seen.default]) as attributes:
        for commits in _chunks(read_commits(git.git_dir, missing, mailmap=seen.mailmap, boundary=seen.boundary)):
            with transaction.atomic():
                if known := [commit for commit in commits if new[commit.sha]]:
                    facts.restated |= update_commits(known, attributes, authors)
                stored = store_commits(commits, attributes, authors, home=repository)
                store_evidence(stored)
            facts.note_context_files(commits)
            run.read += len(commits)
            run.added += len(stored)
            run.save()
    run.changed += len(facts.restated)
    run.unchanged += (run.read - run.added - len(facts.restated)) if again else 0
    return facts


def _held_by_other_sources(repository: Repository, source: RepositorySource) -> tuple[set[str], set[str]] | None:
    """The commits of the other sources as of their last reading, and those of them on default branches.

    None if a source cannot be read: its commits are then unknown, and all stored ones are kept.
    """
    held, on_default = set[str](), set[str]()
    for other in repository.sources.exclude(pk=source.pk):
        if not other.refs:
            continue
        try:
            git = GitRepository.open(other.external_id)
            default = git.default_branch(other.refs)
            tips = existing(git.git_dir, other.refs.values())
            held.update(new_commits(git.git_dir, tips, ()))
            if default is not None and other.refs[default] in tips:
                on_default.update(new_commits(git.git_dir, [other.refs[default]], ()))
        except GitError:
            return None
    return held, on_default


def _has_grown(git: GitRepository, known: Mapping[str, str], seen: Seen) -> bool:
    """Whether everything from the last reading still exists, and the default branch has lost no commit to another
    branch.
    """
    before = set(known.values())
    if seen.default is None or seen.default not in known or set(existing(git.git_dir, before)) != before:
        return False
    lost = new_commits(git.git_dir, before, seen.tips)
    return not lost and git.is_ancestor(known[seen.default], seen.branches[seen.default])


def _new_on_default(
    git: GitRepository, known: Mapping[str, str], seen: Seen, held: Sequence[str], *, grown: bool
) -> Sequence[str]:
    """The commits that are new on the default branch; all of them if the branches did not merely grow."""
    if seen.default is None:
        return []
    before = [known[seen.default]] if grown else []
    if len(seen.tips) == 1 and (not grown or set(known.values()) == set(before)):
        return held  # there is no other branch, and there was none
    return new_commits(git.git_dir, [seen.branches[seen.default]], before)


def _new_to_clones(shas: Sequence[str]) -> dict[str, bool]:
    """The commits that no clone has provided, in the same order, each with whether a provider has."""
    rows = sql.rows(
        """
        SELECT wanted.sha, known.sha IS NOT NULL
        FROM unnest(%s::text[]) WITH ORDINALITY AS wanted (sha, position)
        LEFT JOIN integrations_commit known ON known.sha = wanted.sha
        WHERE known.sha IS NULL OR known.without_clone
        ORDER BY position
        """,
        [list(shas)],
    )
    return dict(rows)


def _chunks(commits: Iterable[ReadCommit]) -> Iterator[list[ReadCommit]]:
    """Chunks of commits, one per transaction; smaller if the commits have many files."""
    chunk: list[ReadCommit] = []
    files = 0
    for commit in commits:
        chunk.append(commit)
        files += len(commit.files)
        if len(chunk) >= COMMITS_AT_ONCE or files >= FILES_AT_ONCE:
            yield chunk
            chunk, files = [], 0
    if chunk:
        yield chunk

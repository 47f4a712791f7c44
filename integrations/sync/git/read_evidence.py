"""Reads evidence of agents' work from a repository on disk, apart from its commits: notes, and records of other
tools.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from integrations.code.attribution.notes import (
    AddedLines,
    Note,
    add_notes,
    attesting_prompts_of,
    sync_notes,
    versions_of,
)
from integrations.code.attribution.records import sync_records
from integrations.code.commits.own_commits import sources_of
from integrations.connectors.git.commands import GitError
from integrations.connectors.git.history import existing
from integrations.connectors.git.line_changes import Ranges, added_lines
from integrations.connectors.git.records import checkpoints_of_commits, records_digest, traces
from integrations.connectors.git.repository import GitRepository
from integrations.models import Repository, RepositorySource, UnusedNote

# The key beside the notes refs in a source's position.
RECORDS = "records"


def evidence_position(git: GitRepository, notes: Mapping[str, str], branches: Mapping[str, str]) -> Mapping[str, str]:
    """The tips of the notes refs, and the digest of all records if there are any."""
    digest = records_digest(git, branches.values())
    return {**notes, RECORDS: digest} if digest else notes


def sync_evidence(
    repository: Repository,
    source: RepositorySource,
    git: GitRepository,
    branches: Mapping[str, str],
    *,
    position: Mapping[str, str],
    again: bool,
) -> int:
    """Store the notes and records of the repository, combined with those of its other sources, which may differ.

    If one of these cannot be read, its notes and records are unknown, and all stored ones are kept.  Returns how many
    commits changed.
    """
    clones, complete = _clones(repository, source)
    before, notes = _notes_of(source.notes), _notes_of(position)
    changed = 0
    if notes or before:
        only = None if again else _notes_to_read(repository, git, before, notes)
        tips = [(git, tip) for tip in notes.values()]
        for clone, other in clones:
            tips += [(clone, tip) for tip in _notes_of(other.notes).values()]
        if only is not None:
            only |= attesting_prompts_of(_Notes(tips, only), _Notes(tips, None))
            only = versions_of(only).union(only, *(clone.notes_alike(tip, only) for clone, tip in tips))
        lines = _added_lines([git, *(clone for clone, _ in clones)])
        read, all_notes = _Notes(tips, only), _Notes(tips, None)
        if complete:
            changed += sync_notes(repository, read, added_lines=lines, only=only, all_notes=all_notes)
        else:
            changed += add_notes(repository, read, added_lines=lines, all_notes=all_notes)
    if RECORDS in position or RECORDS in source.notes:
        changed += _sync_records(
            repository, [(git, branches), *((clone, other.refs) for clone, other in clones)], complete=complete
        )
    return changed


def _clones(
    repository: Repository, source: RepositorySource
) -> tuple[list[tuple[GitRepository, RepositorySource]], bool]:
    """The repository's other sources with notes or records, and whether all of them can be read."""
    clones, complete = [], True
    for other in sources_of(repository).exclude(pk=source.pk).exclude(notes={}):
        try:
            clone = GitRepository.open(other.external_id)
            for tip in _notes_of(other.notes).values():
                clone.noted(tip)
            there = existing(clone.git_dir, other.refs.values())
        except GitError:
            complete = False
            continue
        other.refs = {ref: tip for ref, tip in other.refs.items() if tip in there}
        clones.append((clone, other))
    return clones, complete


def _notes_of(position: Mapping[str, str]) -> Mapping[str, str]:
    return {ref: tip for ref, tip in position.items() if ref != RECORDS}


def _sync_records(
    repository: Repository, clones: Sequence[tuple[GitRepository, Mapping[str, str]]], *, complete: bool
) -> int:
    checkpoints: dict[str, Sequence[Sequence[bytes]]] = {}
    for git, branches in clones:
        checkpoints |= checkpoints_of_commits(git, branches.values())
    return sync_records(
        repository,
        checkpoints,
        chain.from_iterable(traces(git, branches.values()) for git, branches in clones),
        added_lines=_added_lines([git for git, _ in clones]),
        complete=complete,
    )


@dataclass(frozen=True, slots=True)
class _Notes:
    """The notes below these tips, of all commits or of some; read again by each iteration."""

    tips: Sequence[tuple[GitRepository, str]]
    only: Collection[str] | None

    def __iter__(self) -> Iterator[Note]:
        return chain.from_iterable(git.read_notes(tip, self.only) for git, tip in self.tips)


def _notes_to_read(
    repository: Repository, git: GitRepository, before: Mapping[str, str], notes: Mapping[str, str]
) -> set[str] | None:
    """The commits whose notes changed since the last reading, or were not stored then; None: all."""
    if set(notes) != set(before):
        return None
    try:
        changed = [git.changed_notes(before[ref], tip) for ref, tip in notes.items()]
    except GitError:  # the notes were written anew, and the old ones are gone
        return None
    return set(UnusedNote.objects.filter(repository=repository).values_list("sha", flat=True)).union(*changed)


def _added_lines(gits: Sequence[GitRepository]) -> AddedLines:
    """Added lines, from the first of these clones that has the commit."""

    def added(shas: Sequence[str]) -> Mapping[str, Mapping[str, Ranges]]:
        found: dict[str, Mapping[str, Ranges]] = {}
        for git in gits:
            missing = [sha for sha in shas if sha not in found]
            found |= added_lines(git.git_dir, existing(git.git_dir, missing))
        return found

    return added

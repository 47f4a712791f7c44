"""Commits that only a provider's API reports: stored as far as they are known, until a clone provides them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from django.db.models.functions import Coalesce

from core import sql
from integrations.code.attribution.evidence import store_evidence
from integrations.code.commits.duplicates import recompute_changes
from integrations.code.commits.in_repositories import link_commits, lock_for_recompute, recompute_homes
from integrations.code.commits.own_commits import hold, release
from integrations.code.commits.store import KnownAuthors, store_commits
from integrations.connectors.drafts import CommitDraft, Who
from integrations.connectors.git.agent_signatures import squash_parts
from integrations.connectors.git.attributes import AttributeReader
from integrations.connectors.git.history import LONGEST_SUBJECT, ReadCommit, Signature, all_trailers, picked_from
from integrations.connectors.git.messages import trailers_of
from integrations.delivery.linking.relink import relink_commits
from integrations.intake.identities import identify_people
from integrations.intake.records import Written
from integrations.models import Commit, Connection, Repository, Resource

_NO_FILES = AttributeReader(Path(), "")  # with nothing to look up, no git process is started


def store_reported_commits(
    connection: Connection, drafts: Sequence[CommitDraft], repositories: Mapping[str, int]
) -> Written:
    """Store commits with distinct object ids; a commit that was read from a clone is left unchanged.

    `repositories` are the connection's own repositories, whether or not they are joined with others.
    """
    accepted = [draft for draft in drafts if draft.repository in repositories and not draft.deleted]
    if not accepted:
        return Written()
    lock_for_recompute()
    authors = _authors(connection, accepted)
    written = Written()
    touched: set[int] = set()
    held: dict[Repository, set[int]] = defaultdict(set)
    for repository_id, of_repository in _by_repository(accepted, repositories).items():
        own = Repository.objects.select_related("joined_into").get(pk=repository_id)
        repository = own.counted_as
        commits = [_as_read(draft) for draft in of_repository]
        stored = store_commits(commits, _NO_FILES, authors, home=repository)
        store_evidence(stored)
        written.added |= {commit.id for commit in stored}
        _mark_without_clone(written.added)
        shas = [draft.external_id for draft in of_repository]
        on_default = [draft.external_id for draft in of_repository if _is_on_default_branch(draft, own)]
        written.changed |= _state_lines(of_repository) - written.added
        held[repository] |= link_commits(repository, shas, on_default)
        hold(own, shas, on_default)
        touched |= held[repository]
    recompute_homes(touched)
    recompute_changes(touched | written.touched)
    for repository, linked in held.items():  # once duplicates are known
        relink_commits(repository, linked)
    written.changed |= touched - written.added
    shas = [draft.external_id for draft in accepted]
    written.ids = dict(Commit.objects.filter(sha__in=shas).values_list("sha", "pk"))
    return written


def delete_reported_commits(
    connection: Connection, shas: Collection[str], *, repositories: Collection[int] | None = None
) -> int:
    """Remove these commits from the connection's repositories, or from `repositories`, unless a clone has them; return
    how many were removed.
    """
    lock_for_recompute()
    if repositories is None:
        known = Resource.objects.filter(connection=connection, repository__isnull=False)
        repositories = list(known.values_list("repository_id", flat=True))
    own = Repository.objects.filter(pk__in=repositories)
    release(own, shas)
    unlinked = sql.rows(
        """
        DELETE FROM integrations_commitinrepository link
        USING integrations_commit commit
        WHERE commit.id = link.commit_id AND commit.sha = ANY (%s) AND commit.without_clone
          AND link.repository_id = ANY (%s)
          AND NOT EXISTS (
              SELECT FROM integrations_owncommit own
              JOIN integrations_repository repository ON repository.id = own.repository_id
              WHERE own.commit_id = commit.id
                AND coalesce(repository.joined_into_id, repository.id) = link.repository_id
          )
        RETURNING commit.id, link.repository_id
        """,
        [list(shas), list(own.values_list(Coalesce("joined_into", "pk"), flat=True))],
    )
    held = {commit for commit, _ in unlinked}
    for repository in Repository.objects.filter(pk__in={repository for _, repository in unlinked}).order_by("pk"):
        relink_commits(repository, {commit for commit, of in unlinked if of == repository.pk})
    recompute_homes(held)
    recompute_changes(held)
    return len(held)


def _is_on_default_branch(draft: CommitDraft, repository: Repository) -> bool:
    if draft.on_default_branch is not None or not draft.branch:
        return draft.on_default_branch is not False
    return repository.is_default(draft.branch)


def _as_read(draft: CommitDraft) -> ReadCommit:
    message = draft.message.replace("\0", "").encode("utf-8", "replace").decode()
    return ReadCommit(
        sha=draft.external_id,
        parents=draft.parents,
        author=_signature(draft.author, draft.authored_at),
        committer=_signature(draft.committer, draft.committed_at),
        subject=message.strip().partition("\n")[0][:LONGEST_SUBJECT],
        trailers=all_trailers(trailers_of(message), message),
        files=(),
        lines_known=False,
        picked_from=picked_from(message.replace("\r\n", "\n")),
        parts=squash_parts(message),
    )


def _signature(who: Who, at: datetime) -> Signature:
    return Signature(who.name if who.email else who.login or who.name, who.email, at)


def _authors(connection: Connection, drafts: Sequence[CommitDraft]) -> KnownAuthors:
    """Authors by address, as in a clone; those without one by login."""
    people = {who for draft in drafts for who in (draft.author, draft.committer) if who.login}
    identities = identify_people(connection.provider, sorted(people, key=repr))
    return KnownAuthors({(who.login, ""): id_ for who, id_ in identities.items() if not who.email})


def _by_repository(
    drafts: Sequence[CommitDraft], repositories: Mapping[str, int]
) -> Mapping[int, Sequence[CommitDraft]]:
    by_repository: dict[int, list[CommitDraft]] = defaultdict(list)
    for draft in drafts:
        by_repository[repositories[draft.repository]].append(draft)
    return by_repository


def _mark_without_clone(commits: Collection[int]) -> None:
    Commit.objects.filter(pk__in=commits).update(without_clone=True)


def _state_lines(drafts: Sequence[CommitDraft]) -> set[int]:
    """Store the number of changed lines of commits whose files are unknown; return the commits whose numbers
    changed.
    """
    counted = [draft for draft in drafts if draft.additions is not None and draft.deletions is not None]
    return sql.ids(
        """
        UPDATE integrations_commit commit SET lines_added = provided.added, lines_deleted = provided.deleted
        FROM unnest(%s::text[], %s::integer[], %s::integer[]) AS provided (sha, added, deleted)
        WHERE commit.sha = provided.sha AND commit.without_clone
          AND (commit.lines_added, commit.lines_deleted) IS DISTINCT FROM (provided.added, provided.deleted)
        RETURNING commit.id
        """,
        [
            [draft.external_id for draft in counted],
            [draft.additions for draft in counted],
            [draft.deletions for draft in counted],
        ],
    )

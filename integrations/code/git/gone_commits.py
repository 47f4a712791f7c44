"""Commits that no branch contains any more: their evidence counts for the squash with their lines.

Hosts delete a branch when they merge it.  Three kinds of its commits remain known: tips that were read before, commits
that notes or agents name and that are still among the repository's objects, and commits that a pull request lists.  The
lines of the listed ones are unknown: each is an equal part of its squash.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from celery import signature
from django.utils import timezone

from core import sql
from core.nudges import nudge_on_commit
from integrations.code.commits.authors import UNADDRESSED
from integrations.connectors.git.commands import GitError
from integrations.connectors.git.history import existing, new_commits
from integrations.connectors.git.repository import GitRepository
from integrations.models import Repository, RepositorySource, UnmergedBranch
from orgtree.identities.resolving import IdentityName, identify

SYNC_SOURCES = signature("integrations.sync.git.tasks.sync_sources")  # by name: that module imports this one
# The time for which the squash of a deleted branch is looked for: it appears with the deletion, or days before.
LOOKED_FOR = timedelta(days=90)

# Noted commits that are not stored, or that no branch contains and no squash represents.
_NOTED = """
    SELECT noted.sha
    FROM unnest(%(shas)s::text[]) AS noted (sha)
    LEFT JOIN integrations_commit known ON known.sha = noted.sha
    WHERE known.id IS NULL
       OR NOT known.squashed AND (%(again)s OR known.first_seen_at >= %(since)s)
          AND NOT EXISTS (SELECT FROM integrations_commitinrepository link WHERE link.commit_id = known.id)
"""
# Commits that an agent named with a tool call in this repository, whole or shortened, as far as that is open.
_NAMED = """
    SELECT DISTINCT coalesce(listed.sha, place.revision)
    FROM integrations_telemetryplace place
    JOIN integrations_sessionplace there ON there.place_id = place.id AND there.called_at IS NOT NULL
    LEFT JOIN LATERAL (
        SELECT listed.sha
        FROM integrations_pullrequest pull_request
        JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = pull_request.id
        WHERE length(place.revision) < 40 AND pull_request.repository_id = ANY (%(repositories)s)
          AND (%(again)s OR pull_request.merged_at >= %(since)s)
          AND starts_with(listed.sha, place.revision)
    ) AS listed ON true
    WHERE place.revision <> '' AND (
        place.repository_id = ANY (%(repositories)s)
        OR place.repository_id IS NULL AND EXISTS (  -- received before its repository was known
            SELECT FROM integrations_pullrequestcommit whole
            JOIN integrations_pullrequest merged ON merged.id = whole.pull_request_id
            WHERE whole.sha = place.revision AND merged.repository_id = ANY (%(repositories)s)
        )
    )
      AND (%(again)s OR there.called_at >= %(since)s)
      AND NOT EXISTS (
          SELECT FROM integrations_commit known
          WHERE known.sha ~>=~ place.revision AND known.sha ~<~ (place.revision || 'g')
            AND (known.squashed
                 OR EXISTS (SELECT FROM integrations_commitinrepository link WHERE link.commit_id = known.id))
      )
"""
_LISTED = """
    INSERT INTO integrations_commit (
        sha, author_id, committer_id, credited_id, authored_at, committed_at, first_seen_at, counted_on, parents,
        subject, lines_known, without_clone, file_count, by_bot, by_agent, lines_added, lines_deleted, counts_key,
        change_key, set_apart, squashed, picked_from
    )
    SELECT DISTINCT ON (listed.sha)
           listed.sha, coalesce(listed.author_id, %(nobody)s), coalesce(listed.author_id, %(nobody)s), listed.author_id,
           coalesce(listed.authored_at, pull_request.merged_at), coalesce(listed.committed_at, pull_request.merged_at),
           now(), pull_request.merged_at::date, listed.parents, left(listed.subject, 200),
           false, true, 0, false, '', 0, 0, md5(listed.sha)::uuid, md5(listed.sha)::uuid, 'gone', false, '{}'
    FROM integrations_pullrequestcommit listed
    JOIN integrations_pullrequest pull_request ON pull_request.id = listed.pull_request_id
    WHERE listed.sha = ANY (%(shas)s) AND pull_request.repository_id = %(repository)s
      AND pull_request.merged_at IS NOT NULL AND pull_request.merge_sha <> ''
      AND NOT EXISTS (SELECT FROM integrations_commit known WHERE known.sha = listed.sha)
    ORDER BY listed.sha, pull_request.id
    ON CONFLICT (sha) DO NOTHING
    RETURNING id
"""
# A pull request whose merge commit has another author time than each of its commits: a rebase would keep one.
_SQUASHES_OF_PULL_REQUESTS = """
    UPDATE integrations_commit part SET stands_in_id = squash.id, squashed = true
    FROM integrations_pullrequest pull_request
    JOIN integrations_commit squash ON squash.sha = pull_request.merge_sha AND cardinality(squash.parents) = 1
    JOIN integrations_commitinrepository link
      ON link.commit_id = squash.id AND link.repository_id = %(repository)s AND link.on_default_branch
    JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = pull_request.id
    WHERE pull_request.repository_id = %(repository)s AND pull_request.merged_at IS NOT NULL
      AND part.sha = listed.sha AND part.id <> squash.id AND NOT part.squashed AND part.set_apart = 'gone'
      AND part.stands_in_id IS NULL
      AND (1 = (SELECT count(*) FROM integrations_pullrequestcommit other
                WHERE other.pull_request_id = pull_request.id)
           OR NOT EXISTS (
               SELECT FROM integrations_pullrequestcommit other
               WHERE other.pull_request_id = pull_request.id
                 AND (other.sha = squash.sha OR other.authored_at = squash.authored_at)
           ))
    RETURNING part.id, squash.id
"""


def gone_tips(
    source: RepositorySource,
    repository: Repository,
    git: GitRepository,
    tips: Collection[str],
    told: Iterable[str],
    *,
    again: bool,
) -> list[str]:
    """Object ids of commits that the repository still has outside its branches: earlier tips, and commits that notes or
    agents name.

    Without `again`, only those that are not known yet or were lost recently.
    """
    since = timezone.now() - LOOKED_FOR
    left = UnmergedBranch.objects.filter(source=source, tip__squashed=False).exclude(tip__sha__in=tips)
    if not again:
        left = left.exclude(gone_on__lt=since.date())
    candidates = set(left.values_list("tip__sha", flat=True))
    candidates |= set(sql.column(_NOTED, {"shas": list(told), "again": again, "since": since}))
    there = existing(git.git_dir, candidates) if candidates else []
    try:
        outside = set(new_commits(git.git_dir, there, tips)) if there else set()
    except GitError:  # objects outside the branches may be garbage-collected in parts
        return []
    return [sha for sha in there if sha in outside]


def named_by_agents(source: RepositorySource, repository: Repository, *, again: bool) -> set[str]:
    """Commits that agents named with a tool call in this repository, and that no branch holds.

    They are given by object id if a pull request lists them, else as they were named.
    """
    repositories = [pk for pk in (source.repository_id, repository.pk) if pk]
    since = timezone.now() - LOOKED_FOR
    return set(sql.column(_NAMED, {"repositories": repositories, "again": again, "since": since}))


def store_listed_commits(repository: Repository, shas: Collection[str]) -> set[int]:
    """Store those of these commits that merged pull requests list and that are not known yet; return their ids."""
    if not shas:
        return set()
    (nobody,) = identify([[IdentityName.unnamed(UNADDRESSED)]])
    return sql.ids(_LISTED, {"shas": list(shas), "repository": repository.pk, "nobody": nobody})


def request_reading_of(pull_requests: Collection[int]) -> None:
    """Request another read of repositories in which these pull requests list commits that no branch holds, or that only
    notes or agents name; in the caller's transaction.
    """
    requested = sql.execute(
        """
        UPDATE integrations_repositorysource source SET asked_at = now()
        FROM integrations_repository own
        WHERE own.id = source.repository_id AND coalesce(own.joined_into_id, own.id) IN (
            SELECT pull_request.repository_id
            FROM integrations_pullrequest pull_request
            JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = pull_request.id
            LEFT JOIN integrations_commit known ON known.sha = listed.sha
            WHERE pull_request.id = ANY (%s) AND pull_request.merged_at IS NOT NULL
              AND (known.set_apart = 'gone' AND known.stands_in_id IS NULL OR known.id IS NULL AND (
                  EXISTS (
                      SELECT FROM integrations_unusednote note
                      WHERE note.sha = listed.sha AND note.repository_id = pull_request.repository_id
                  ) OR EXISTS (
                      SELECT FROM generate_series(7, length(listed.sha)) AS digits
                      JOIN integrations_telemetryplace place
                        ON place.revision = left(listed.sha, digits) AND place.revision <> ''
                      JOIN integrations_sessionplace there
                        ON there.place_id = place.id AND there.called_at IS NOT NULL
                      WHERE place.repository_id IN (own.id, pull_request.repository_id)
                         OR place.repository_id IS NULL AND place.revision = listed.sha
                  )
              ))
        )
        """,
        [sorted(pull_requests)],
    )
    if requested:
        nudge_on_commit(SYNC_SOURCES)


def link_squashes_of_pull_requests(repository: Repository) -> set[int]:
    """Mark gone commits that a pull request lists as represented by its squash; returns the commits touched."""
    return {id_ for row in sql.rows(_SQUASHES_OF_PULL_REQUESTS, {"repository": repository.pk}) for id_ in row}

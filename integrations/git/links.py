"""Which repositories hold which commits, and whether on their default branch."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from integrations.models import Repository


def link_commits(repository: Repository, shas: Sequence[str], on_default: Sequence[str]) -> set[int]:
    """Add links for new commits, and note which have reached the default branch; the commits touched."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_commitinrepository AS link (commit_id, repository_id, on_default_branch)
            SELECT commit.id, %(repository)s, commit.sha = ANY (%(on_default)s)
            FROM integrations_commit commit
            WHERE commit.sha = ANY (%(shas)s) OR commit.sha = ANY (%(on_default)s)
            ON CONFLICT (commit_id, repository_id) DO UPDATE SET on_default_branch = true
            WHERE excluded.on_default_branch AND NOT link.on_default_branch
            RETURNING commit_id
            """,
            {"repository": repository.pk, "shas": list(shas), "on_default": list(on_default)},
        )
        return {row[0] for row in cursor.fetchall()}


def relink_repository(repository: Repository, shas: Sequence[str], on_default: Sequence[str]) -> tuple[set[int], int]:
    """Make the links of a repository those of one of its sources, and of what its other sources hold besides.

    The commits touched, and how many the repository no longer holds.  A commit that another source of the same
    repository brought stays as long as that source has branches of which it may be part.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM integrations_commitinrepository link
            USING integrations_commit commit
            WHERE link.repository_id = %(repository)s
              AND commit.id = link.commit_id
              AND NOT commit.sha = ANY (%(shas)s)
              AND (SELECT count(*) FROM integrations_repositorysource source
                   WHERE source.repository_id = %(repository)s AND source.refs <> '{}'::jsonb) < 2
            RETURNING link.commit_id
            """,
            {"repository": repository.pk, "shas": list(shas)},
        )
        gone = {row[0] for row in cursor.fetchall()}
        cursor.execute(
            """
            UPDATE integrations_commitinrepository link SET on_default_branch = false
            FROM integrations_commit commit
            WHERE link.repository_id = %(repository)s AND commit.id = link.commit_id
              AND link.on_default_branch AND NOT commit.sha = ANY (%(on_default)s)
            RETURNING link.commit_id
            """,
            {"repository": repository.pk, "on_default": list(on_default)},
        )
        demoted = {row[0] for row in cursor.fetchall()}
    return gone | demoted | link_commits(repository, shas, on_default), len(gone)

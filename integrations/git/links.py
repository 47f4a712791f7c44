"""Which repositories hold which commits, and whether on their default branch."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from integrations.models import Repository

# What the repository is said to hold: commit id, and whether it is on the default branch.
_HELD = """
    WITH held AS (
        SELECT commit.id, bool_or(wanted.on_default) AS on_default
        FROM (
            SELECT sha, false AS on_default FROM unnest(%(shas)s::text[]) AS sha
            UNION ALL SELECT sha, true FROM unnest(%(on_default)s::text[]) AS sha
        ) AS wanted
        JOIN integrations_commit commit ON commit.sha = wanted.sha
        GROUP BY commit.id
    )
"""
_ADD = """
    INSERT INTO integrations_commitinrepository AS link (commit_id, repository_id, on_default_branch)
    SELECT id, %(repository)s, on_default FROM held
    ON CONFLICT (commit_id, repository_id) DO UPDATE SET on_default_branch = true
    WHERE excluded.on_default_branch AND NOT link.on_default_branch
    RETURNING commit_id
"""
_DEMOTE = """
    UPDATE integrations_commitinrepository link SET on_default_branch = false
    WHERE link.repository_id = %(repository)s AND link.on_default_branch
      AND NOT EXISTS (SELECT FROM held WHERE held.id = link.commit_id AND held.on_default)
    RETURNING link.commit_id
"""
_REMOVE = """
    DELETE FROM integrations_commitinrepository link
    WHERE link.repository_id = %(repository)s AND NOT EXISTS (SELECT FROM held WHERE held.id = link.commit_id)
    RETURNING link.commit_id
"""


def link_commits(repository: Repository, shas: Collection[str], on_default: Collection[str]) -> set[int]:
    """Add links for new commits, and note which have reached the default branch; the commits touched."""
    return _run(_ADD, repository, shas, on_default)


def relink_repository(
    repository: Repository, shas: Collection[str], on_default: Collection[str]
) -> tuple[set[int], int]:
    """Make the repository hold these commits and no others; the commits touched, and how many it no longer holds."""
    gone = _run(_REMOVE, repository, shas, on_default)
    demoted = _run(_DEMOTE, repository, shas, on_default)
    return gone | demoted | link_commits(repository, shas, on_default), len(gone)


def _run(sql: str, repository: Repository, shas: Collection[str], on_default: Collection[str]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(_HELD + sql, {"repository": repository.pk, "shas": list(shas), "on_default": list(on_default)})
        return {row[0] for row in cursor.fetchall()}

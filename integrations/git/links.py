"""Which repositories hold which commits, and whether on their default branch."""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from integrations.models import Repository

# What the repository is said to hold.  A table with statistics: as a subquery of unknown size, the planner once
# compared 100,000 commits with 100,000 others one by one.
_HOLD = (
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS held (commit_id bigint PRIMARY KEY, on_default boolean NOT NULL)
    ON COMMIT DELETE ROWS
    """,
    "TRUNCATE held",
    """
    INSERT INTO held
    SELECT commit.id, bool_or(wanted.on_default)
    FROM (
        SELECT sha, false AS on_default FROM unnest(%(shas)s::text[]) AS sha
        UNION ALL SELECT sha, true FROM unnest(%(on_default)s::text[]) AS sha
    ) AS wanted
    JOIN integrations_commit commit ON commit.sha = wanted.sha
    GROUP BY commit.id
    """,
    "ANALYZE held",
)
_ADD = """
    INSERT INTO integrations_commitinrepository AS link (commit_id, repository_id, on_default_branch)
    SELECT commit_id, %(repository)s, on_default FROM held
    ON CONFLICT (commit_id, repository_id) DO UPDATE SET on_default_branch = true
    WHERE excluded.on_default_branch AND NOT link.on_default_branch
    RETURNING commit_id
"""
_DEMOTE = """
    UPDATE integrations_commitinrepository link SET on_default_branch = false
    WHERE link.repository_id = %(repository)s AND link.on_default_branch
      AND NOT EXISTS (SELECT FROM held WHERE held.commit_id = link.commit_id AND held.on_default)
    RETURNING link.commit_id
"""
_REMOVE = """
    DELETE FROM integrations_commitinrepository link
    WHERE link.repository_id = %(repository)s
      AND NOT EXISTS (SELECT FROM held WHERE held.commit_id = link.commit_id)
    RETURNING link.commit_id
"""


def link_commits(repository: Repository, shas: Collection[str], on_default: Collection[str]) -> set[int]:
    """Add links for new commits, and note which have reached the default branch; the commits touched.

    In the caller's transaction, as below.
    """
    return _run(repository, shas, on_default, _ADD)[0]


def relink_repository(
    repository: Repository, shas: Collection[str], on_default: Collection[str]
) -> tuple[set[int], int]:
    """Make the repository hold these commits and no others; the commits touched, and how many it no longer holds."""
    gone, demoted, added = _run(repository, shas, on_default, _REMOVE, _DEMOTE, _ADD)
    return gone | demoted | added, len(gone)


def _run(
    repository: Repository, shas: Collection[str], on_default: Collection[str], *statements: str
) -> list[set[int]]:
    touched = []
    with connection.cursor() as cursor:
        for statement in _HOLD:
            cursor.execute(statement, {"shas": list(shas), "on_default": list(on_default)})
        for statement in statements:
            cursor.execute(statement, {"repository": repository.pk})
            touched.append({row[0] for row in cursor.fetchall()})
    return touched

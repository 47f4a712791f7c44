"""Commits by repository: membership, presence on the default branch, and the home repository of each commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from core import sql
from core.locks import Lock
from integrations.models import FactFamily, Repository
from integrations.outbox.fact_changes import announce_changes, insert_days

# The commits that the repository holds.  A table with statistics: with a subquery of unknown size, the planner once
# joined 100,000 commits with 100,000 others by a nested loop.
_HOLD = (
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS held (commit_id bigint PRIMARY KEY, on_default boolean NOT NULL)
    ON COMMIT DELETE ROWS
    """,
    "TRUNCATE held",
    """
    INSERT INTO held
    SELECT commit.id, bool_or(requested.on_default)
    FROM (
        SELECT sha, false AS on_default FROM unnest(%(shas)s::text[]) AS sha
        UNION ALL SELECT sha, true FROM unnest(%(on_default)s::text[]) AS sha
    ) AS requested
    JOIN integrations_commit commit ON commit.sha = requested.sha
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
# The home: a repository with the commit on its default branch, else the one connected first.
# A commit of an autonomous agent counts for the owner of its home, which changes with it.
_RECOMPUTE_HOMES = f"""
    WITH moved AS (
        UPDATE integrations_commit commit SET home_id = best.repository_id
        FROM (
            SELECT known.id, known.home_id AS left_id, (
                SELECT link.repository_id FROM integrations_commitinrepository link
                WHERE link.commit_id = known.id
                ORDER BY link.on_default_branch DESC, link.repository_id
                LIMIT 1
            ) AS repository_id
            FROM integrations_commit known
            WHERE known.id = ANY (%(commits)s::bigint[])
        ) AS best
        WHERE commit.id = best.id AND best.left_id IS DISTINCT FROM best.repository_id
        RETURNING commit.credited_id, commit.counted_on
    )
    {insert_days({FactFamily.CODE: "SELECT counted_on, counted_on + 1 FROM moved WHERE credited_id IS NULL"})}
"""  # noqa: S608  # constants of this module

DUPLICATES = Lock("duplicates of commits")


def lock_for_recompute() -> None:
    """Lock the recomputation of duplicates and homes until the caller's transaction ends.

    A commit may be in several repositories: a concurrent transaction would see only some of its links.
    """
    DUPLICATES.hold()


def link_commits(repository: Repository, shas: Collection[str], on_default: Collection[str]) -> set[int]:
    """Link new commits, and mark those that reached the default branch; return the commits touched.

    Runs in the caller's transaction, as `relink_repository` does.
    """
    return _run(repository, shas, on_default, _ADD)[0]


def relink_repository(
    repository: Repository, shas: Collection[str], on_default: Collection[str]
) -> tuple[set[int], int]:
    """Make the repository hold exactly these commits; returns the commits touched and the number removed."""
    gone, demoted, added = _run(repository, shas, on_default, _REMOVE, _DEMOTE, _ADD)
    return gone | demoted | added, len(gone)


def _run(
    repository: Repository, shas: Collection[str], on_default: Collection[str], *statements: str
) -> list[set[int]]:
    touched = []
    for statement in _HOLD:
        sql.execute(statement, {"shas": list(shas), "on_default": list(on_default)})
    for statement in statements:
        touched.append(sql.ids(statement, {"repository": repository.pk}))
    return touched


def recompute_homes(commits: Iterable[int]) -> None:
    """Recompute the home repository of these commits; null if no repository has them.

    Changes for owners are appended to the outbox.
    """
    if sql.execute(_RECOMPUTE_HOMES, {"commits": sorted(commits)}):
        announce_changes()


def unlinked_commits(repository: Repository) -> set[int]:
    """Commits that an interrupted sync stored for this repository without linking them."""
    return sql.ids(
        """
        SELECT id FROM integrations_commit commit
        WHERE home_id = %s
          AND NOT EXISTS (SELECT FROM integrations_commitinrepository link WHERE link.commit_id = commit.id)
        """,
        [repository.pk],
    )

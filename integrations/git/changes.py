"""Each change counts once: which commits count, and which stand back for another."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import connection

from integrations.attribution.work import enqueue_commits

SETTLE = """
    WITH touched AS (
        SELECT DISTINCT change_key FROM integrations_commit WHERE id = ANY (%(commits)s)
    ), held AS (
        SELECT commit.id, commit.change_key, commit.squashed, commit.stands_in_id AS stood_in,
               commit.by_bot, commit.lines_added, commit.file_count, cardinality(commit.parents) > 1 AS merge,
               link.commit_id IS NOT NULL AS held, coalesce(link.on_default, false) AS on_default,
               commit.committed_at, commit.sha
        FROM integrations_commit commit
        JOIN touched USING (change_key)
        LEFT JOIN (
            SELECT commit_id, bool_or(on_default_branch) AS on_default
            FROM integrations_commitinrepository GROUP BY commit_id
        ) AS link ON link.commit_id = commit.id
    ), ranked AS (
        SELECT *, first_value(id) OVER (
            PARTITION BY change_key ORDER BY held DESC, on_default DESC, squashed, committed_at, sha
        ) AS standing
        FROM held
    ), settled AS (
        SELECT id,
               CASE WHEN squashed AND NOT on_default THEN 'squashed'
                    WHEN NOT held THEN 'gone'
                    WHEN id <> standing THEN 'duplicate'
                    WHEN merge THEN 'merge'
                    WHEN by_bot THEN 'bot'
                    WHEN lines_added > %(most_lines)s OR file_count > %(most_files)s THEN 'bulk'
                    ELSE '' END AS set_apart,
               CASE WHEN squashed AND NOT on_default THEN stood_in
                    WHEN id <> standing THEN standing END AS stands_in
        FROM ranked
    )
    UPDATE integrations_commit commit
    SET set_apart = settled.set_apart, stands_in_id = settled.stands_in
    FROM settled
    WHERE settled.id = commit.id
      AND (commit.set_apart <> settled.set_apart OR commit.stands_in_id IS DISTINCT FROM settled.stands_in)
    RETURNING commit.id, commit.stands_in_id
"""


def settle_changes(commits: Iterable[int]) -> None:
    """Decide again for these commits, and for all that are the same change, which of them counts.

    The one on a default branch stands, else the one that was committed first.  What a squash stands for stays with
    it when the branch is gone.
    """
    ids = sorted(commits)
    if not ids:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            SETTLE,
            {"commits": ids, "most_lines": settings.BULK_COMMIT_LINES, "most_files": settings.BULK_COMMIT_FILES},
        )
        changed = {id_ for row in cursor.fetchall() for id_ in row if id_ is not None}
    enqueue_commits(changed | set(ids))

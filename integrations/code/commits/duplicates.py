"""Representatives of changes: each change counts once, by one commit; the others are its duplicates."""

from __future__ import annotations

from collections.abc import Iterable

from core import sql
from integrations.code.commits.changed_days import append_changes_of_commits
from integrations.outbox.attribution_queue import enqueue_commits
from orgtree.models import Organisation

RECOMPUTE = """
    WITH affected AS (
        SELECT commit.change_key FROM unnest(%(commits)s::bigint[]) AS requested (id)
        JOIN integrations_commit commit ON commit.id = requested.id
        UNION
        SELECT commit.change_key FROM unnest(%(commits)s::bigint[]) AS requested (id)
        JOIN integrations_commit commit ON commit.stands_in_id = requested.id AND commit.squashed
    ), held AS (
        SELECT commit.id, commit.change_key, commit.stands_in_id AS stood_in,
               commit.by_bot, commit.lines_added, commit.file_count, cardinality(commit.parents) > 1 AS merge,
               link.on_default IS NOT NULL AS held, coalesce(link.on_default, false) AS on_default,
               commit.squashed AND NOT coalesce(link.on_default, false) AND EXISTS (
                   SELECT FROM integrations_commitinrepository squash
                   WHERE squash.commit_id = commit.stands_in_id AND squash.on_default_branch
               ) AS squashed,
               commit.committed_at, commit.sha
        FROM affected
        JOIN integrations_commit commit USING (change_key)
        CROSS JOIN LATERAL (
            SELECT bool_or(on_default_branch) AS on_default
            FROM integrations_commitinrepository WHERE commit_id = commit.id
        ) AS link
    ), ranked AS (
        SELECT id, held, merge, by_bot, lines_added, file_count, stood_in,
               first_value(id) OVER best AS representative,
               -- The same change on the default branch wins over the same lines in a squash.
               squashed AND NOT (first_value(on_default) OVER best AND first_value(id) OVER best <> id) AS squashed
        FROM held
        WINDOW best AS (PARTITION BY change_key ORDER BY held DESC, on_default DESC, squashed, committed_at, sha)
    ), decided AS (
        SELECT id, squashed,
               CASE WHEN squashed THEN 'squashed'
                    WHEN NOT held THEN 'gone'
                    WHEN id <> representative THEN 'duplicate'
                    WHEN merge THEN 'merge'
                    WHEN by_bot THEN 'bot'
                    WHEN lines_added > %(most_lines)s OR file_count > %(most_files)s THEN 'bulk'
                    ELSE '' END AS set_apart,
               CASE WHEN squashed THEN stood_in
                    WHEN id <> representative THEN representative END AS stands_in
        FROM ranked
    )
    UPDATE integrations_commit commit
    SET set_apart = decided.set_apart, stands_in_id = decided.stands_in, squashed = decided.squashed
    FROM decided, integrations_commit before
    WHERE decided.id = commit.id AND before.id = commit.id
      AND (commit.set_apart, commit.squashed, commit.stands_in_id)
          IS DISTINCT FROM (decided.set_apart, decided.squashed, decided.stands_in)
    RETURNING commit.id, commit.stands_in_id, before.stands_in_id
"""


def recompute_changes(commits: Iterable[int]) -> None:
    """Recompute which commit counts, for these commits and all copies of their changes.

    A commit on a default branch counts, or else the one that was committed first.  Commits that a squash represents
    stay represented when their branch is deleted, and count again when the squash is gone.
    """
    ids = sorted(commits)
    if not ids:
        return
    organisation = Organisation.current()
    rows = sql.rows(
        RECOMPUTE,
        {
            "commits": ids,
            "most_lines": organisation.bulk_commit_lines,
            "most_files": organisation.bulk_commit_files,
        },
    )
    changed = {id_ for row in rows for id_ in row if id_ is not None}
    # Appended now, because other commits count, and again when attribution is recomputed.
    append_changes_of_commits(changed | set(ids))
    enqueue_commits(changed | set(ids))

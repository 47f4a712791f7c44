"""Which pull requests take back which others, whichever of the two was told first.

Code hosts write it into what they propose: GitHub names the branch `revert-<number>-<branch>`, GitLab
`revert-<sha>`, and both put the title between quotes behind “Revert”.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from django.db import connection as database

# The surest sign decides: the number, or the id of the commit, that the branch names, the number at the end of the
# quoted title (a squash adds it), an id of a commit in a title or subject, and else the quoted title, of the last one
# that was merged before.  Reverts that are asked for, or of which what they take back is, look at all of the
# repository, the others there whether one of those asked for is what they mean.
_SETTLE: LiteralString = r"""
    WITH taking_back AS MATERIALIZED (
        SELECT figures.pull_request_id AS id, figures.repository_id, figures.reverts_id AS before, figures.is_revert,
               figures.pull_request_id = ANY (%(ids)s) OR figures.reverts_id = ANY (%(ids)s) IS TRUE AS anew,
               pull_request.created_at, pull_request.title, pull_request.source_branch AS branch
        FROM (
            SELECT * FROM integrations_pullrequestfigures
            WHERE is_revert AND repository_id IN (
                SELECT repository_id FROM integrations_pullrequest WHERE id = ANY (%(ids)s)
            )
            UNION ALL
            SELECT * FROM integrations_pullrequestfigures
            WHERE NOT is_revert AND reverts_id IS NOT NULL AND pull_request_id = ANY (%(ids)s)
        ) AS figures
        JOIN integrations_pullrequest pull_request ON pull_request.id = figures.pull_request_id
    ), sign AS MATERIALIZED (
        SELECT taking_back.*, told.rank, told.number::int AS number, lower(told.sha) AS sha, told.quoted
        FROM taking_back
        CROSS JOIN LATERAL (
            SELECT 1, substring(branch FROM '(?i)^revert-(\d{1,9})-'), NULL, NULL
            UNION ALL
            SELECT 2, NULL, substring(branch FROM '(?i)^revert-([0-9a-f]{7,40})(?:-|$)'), NULL
            UNION ALL
            SELECT 3, substring(title FROM '(?i)revert\w*\W+["“].*[(][#!](\d{1,9})[)]["”]'), NULL, NULL
            UNION ALL
            SELECT 4, NULL, substring(subject FROM '(?i)revert\w*\W+(?:commit\W+)?([0-9a-f]{7,40})\y'), NULL
            FROM (
                SELECT title
                UNION ALL
                SELECT commit.subject
                FROM integrations_pullrequestcommit commit WHERE commit.pull_request_id = taking_back.id
            ) AS line (subject)
            UNION ALL
            SELECT 5, NULL, NULL, substring(title FROM '(?i)revert\w*\W+["“](.*)["”]')
        ) AS told (rank, number, sha, quoted)
        WHERE taking_back.is_revert AND coalesce(told.number, told.sha, told.quoted) IS NOT NULL
    ), near AS MATERIALIZED (
        SELECT id, repository_id, number, merge_sha, title, merged_at
        FROM integrations_pullrequest
        WHERE id IN (SELECT unnest(%(ids)s::bigint[]) UNION SELECT before FROM taking_back)
          AND merged_at IS NOT NULL AND deleted_at IS NULL
    ), meant AS (
        SELECT sign.id, sign.rank, near.id AS target_id, near.merged_at
        FROM sign
        JOIN near ON near.repository_id = sign.repository_id
        WHERE near.number = sign.number OR starts_with(near.merge_sha, sign.sha)
           OR near.title = sign.quoted AND near.merged_at <= sign.created_at
        UNION ALL
        SELECT sign.id, sign.rank, target.id, target.merged_at
        FROM sign
        JOIN integrations_pullrequest target
          ON target.repository_id = sign.repository_id AND target.number = sign.number
        WHERE sign.anew AND target.merged_at IS NOT NULL AND target.deleted_at IS NULL
        UNION ALL
        SELECT sign.id, sign.rank, target.id, target.merged_at
        FROM sign
        JOIN integrations_pullrequest target
          ON target.merge_sha <> '' AND target.merge_sha >= sign.sha AND target.merge_sha <= sign.sha || repeat('f', 64)
        WHERE sign.anew AND target.repository_id = sign.repository_id AND starts_with(target.merge_sha, sign.sha)
          AND target.merged_at IS NOT NULL AND target.deleted_at IS NULL
        UNION ALL
        SELECT sign.id, sign.rank, target.id, target.merged_at
        FROM sign
        JOIN integrations_pullrequest target
          ON target.repository_id = sign.repository_id AND target.title = sign.quoted
        WHERE sign.anew AND target.merged_at <= sign.created_at AND target.deleted_at IS NULL
    ), best AS (
        SELECT DISTINCT ON (id) id, target_id
        FROM meant
        WHERE target_id <> id
        ORDER BY id, rank, merged_at DESC, target_id
    ), pointed AS (
        UPDATE integrations_pullrequestfigures figures SET reverts_id = best.target_id
        FROM taking_back
        LEFT JOIN best USING (id)
        WHERE figures.pull_request_id = taking_back.id AND taking_back.before IS DISTINCT FROM best.target_id
        RETURNING taking_back.id, taking_back.before, best.target_id
    )
    SELECT before FROM pointed UNION SELECT target_id FROM pointed
    UNION SELECT before FROM taking_back WHERE anew UNION SELECT id FROM pointed
    UNION SELECT unnest(%(ids)s::bigint[])
"""
# Taken back is what a merged pull request that counts takes back.
_TAKEN_BACK: LiteralString = """
    UPDATE integrations_pullrequestfigures figures SET reverted_by_id = taken_back.by_id
    FROM (
        SELECT concerned.pull_request_id AS id, (
            SELECT revert.pull_request_id
            FROM integrations_pullrequestfigures revert
            WHERE revert.is_revert AND revert.repository_id = concerned.repository_id
              AND revert.reverts_id = concerned.pull_request_id
              AND revert.merged_at IS NOT NULL AND revert.set_apart <> 'deleted'
            ORDER BY revert.merged_at, revert.pull_request_id LIMIT 1
        ) AS by_id
        FROM integrations_pullrequestfigures concerned
        WHERE concerned.pull_request_id = ANY (%s)
    ) AS taken_back
    WHERE figures.pull_request_id = taken_back.id AND figures.reverted_by_id IS DISTINCT FROM taken_back.by_id
    RETURNING figures.pull_request_id
"""


def settle_reverts(ids: Sequence[int]) -> set[int]:
    """Find what these pull requests take back, and what takes them back; those of which that changed."""
    with database.cursor() as cursor:
        cursor.execute(_SETTLE, {"ids": list(ids)})
        concerned = sorted(row[0] for row in cursor.fetchall() if row[0] is not None)
        cursor.execute(_TAKEN_BACK, [concerned])
        return {row[0] for row in cursor.fetchall()}

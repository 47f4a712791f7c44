"""Reverts among pull requests, in whatever order they were stored.

Code hosts mark reverts: GitHub names the branch `revert-<number>-<branch>`, GitLab `revert-<sha>`, and both quote the
title after “Revert”.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from core import sql
from core.batches import batched
from integrations.models import RevertMethod

AT_ONCE = 10_000

# The surest sign decides: the number or commit id in the branch name, the number at the end of the quoted title (a
# squash adds it), a commit id in a title or subject, else the quoted title, matched to the last pull request merged
# before. Reverts among the given pull requests, and reverts of them, search the whole repository; other reverts there
# only check whether they mean a given one.  OFFSET 0 makes the planner look up non-keys within the repository, where a
# join would read all pull requests.
_RECOMPUTE: LiteralString = r"""
    WITH taking_back AS MATERIALIZED (
        SELECT figures.pull_request_id AS id, figures.repository_id, figures.reverts_id AS before, figures.is_revert,
               figures.revert_method AS method_before,
               figures.pull_request_id = ANY (%(ids)s) OR figures.reverts_id = ANY (%(ids)s) IS TRUE AS anew,
               pull_request.created_at, pull_request.title, pull_request.source_branch AS branch
        FROM (
            SELECT * FROM integrations_pullrequestfigures
            WHERE is_revert AND repository_id = ANY (ARRAY(
                SELECT DISTINCT repository_id FROM integrations_pullrequest WHERE id = ANY (%(ids)s)
            ))
            UNION ALL
            SELECT * FROM integrations_pullrequestfigures
            WHERE NOT is_revert AND reverts_id IS NOT NULL AND pull_request_id = ANY (%(ids)s)
        ) AS figures
        JOIN integrations_pullrequest pull_request ON pull_request.id = figures.pull_request_id
    ), sign AS MATERIALIZED (
        SELECT taking_back.*, stated.rank, stated.number::int AS number, lower(stated.sha) AS sha, stated.quoted
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
        ) AS stated (rank, number, sha, quoted)
        WHERE taking_back.is_revert AND coalesce(stated.number, stated.sha, stated.quoted) IS NOT NULL
    ), near AS MATERIALIZED (
        SELECT id, repository_id, number, merge_sha, title, merged_at
        FROM integrations_pullrequest
        WHERE id IN (SELECT unnest(%(ids)s::bigint[]) UNION SELECT before FROM taking_back)
          AND merged_at IS NOT NULL AND deleted_at IS NULL
    ), meant AS (
        SELECT sign.id, sign.rank, near.id AS target_id, near.merged_at
        FROM sign
        JOIN near ON near.repository_id = sign.repository_id
        WHERE NOT sign.anew AND (
            near.number = sign.number OR starts_with(near.merge_sha, sign.sha)
            OR near.title = sign.quoted AND near.merged_at <= sign.created_at
        )
        UNION ALL
        SELECT sign.id, sign.rank, target.id, target.merged_at
        FROM sign
        JOIN integrations_pullrequest target
          ON target.repository_id = sign.repository_id AND target.number = sign.number
        WHERE sign.anew AND target.merged_at IS NOT NULL AND target.deleted_at IS NULL
        UNION ALL
        SELECT sign.id, sign.rank, target.id, target.merged_at
        FROM sign
        CROSS JOIN LATERAL (
            SELECT id, merged_at FROM integrations_pullrequest
            WHERE repository_id = sign.repository_id AND merge_sha <> '' AND starts_with(merge_sha, sign.sha)
              AND merged_at IS NOT NULL AND deleted_at IS NULL
            OFFSET 0
        ) AS target
        WHERE sign.anew AND sign.sha IS NOT NULL
        UNION ALL
        SELECT sign.id, sign.rank, target.id, target.merged_at
        FROM sign
        CROSS JOIN LATERAL (
            SELECT id, merged_at FROM integrations_pullrequest
            WHERE repository_id = sign.repository_id AND title = sign.quoted
              AND merged_at <= sign.created_at AND deleted_at IS NULL
            OFFSET 0
        ) AS target
        WHERE sign.anew AND sign.quoted IS NOT NULL
    ), best AS (
        SELECT DISTINCT ON (id) id, target_id, (%(methods)s::text[])[rank] AS method
        FROM meant
        WHERE target_id <> id
        ORDER BY id, rank, merged_at DESC, target_id
    ), pointed AS (
        UPDATE integrations_pullrequestfigures figures
        SET reverts_id = best.target_id, revert_method = coalesce(best.method, '')
        FROM taking_back
        LEFT JOIN best USING (id)
        WHERE figures.pull_request_id = taking_back.id
          AND (taking_back.before, taking_back.method_before)
              IS DISTINCT FROM (best.target_id, coalesce(best.method, ''))
        RETURNING taking_back.id, taking_back.before, best.target_id
    )
    SELECT before FROM pointed UNION SELECT target_id FROM pointed
    UNION SELECT before FROM taking_back WHERE anew UNION SELECT id FROM pointed
    UNION SELECT unnest(%(ids)s::bigint[])
"""
# Only merged pull requests that count revert others.
_TAKEN_BACK: LiteralString = """
    WITH concerned AS MATERIALIZED (
        SELECT pull_request_id AS id, repository_id, reverted_by_id
        FROM integrations_pullrequestfigures WHERE pull_request_id = ANY (%s)
    ), taken_back AS (
        SELECT DISTINCT ON (reverts_id) reverts_id AS id, repository_id, pull_request_id AS by_id
        FROM integrations_pullrequestfigures
        WHERE is_revert AND repository_id = ANY (ARRAY(SELECT DISTINCT repository_id FROM concerned))
          AND reverts_id IS NOT NULL AND merged_at IS NOT NULL AND set_apart <> 'deleted'
        ORDER BY reverts_id, merged_at, pull_request_id
    )
    UPDATE integrations_pullrequestfigures figures SET reverted_by_id = taken_back.by_id
    FROM concerned
    LEFT JOIN taken_back USING (id, repository_id)
    WHERE figures.pull_request_id = concerned.id AND concerned.reverted_by_id IS DISTINCT FROM taken_back.by_id
    RETURNING figures.pull_request_id
"""


def recompute_reverts(ids: Collection[int]) -> set[int]:
    """Recompute the reverts of and by these pull requests; return those that changed.

    Pass the pull requests of a repository together: each call reads all reverts of their repositories.
    """
    changed: set[int] = set()
    reverting = sql.column(
        "SELECT id FROM integrations_pullrequest WHERE id = ANY (%s) ORDER BY repository_id", [list(ids)]
    )
    for some in batched(reverting, AT_ONCE):
        concerned = sorted(
            row[0] for row in sql.rows(_RECOMPUTE, {"ids": some, "methods": list(RevertMethod)}) if row[0] is not None
        )
        changed.update(sql.column(_TAKEN_BACK, [concerned]))
    return changed

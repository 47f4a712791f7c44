"""Pull requests that a merge bot closed: merged, if their change is on the default branch.

A queue such as bors brings branches to the default branch itself and closes their pull requests, which the host then
reports as closed.  Such a pull request counts as merged at the time it was closed if the default branch has one of its
commits, or a commit that names its number, as queues and squashes do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from core import sql
from integrations.bots import MERGE_BOTS
from integrations.outbox.pull_request_queue import CLOSED_BY_MERGE_BOT

# "Change 3 (#3)", "Merge #3 #5", "Merge pull request #3 from …", "Auto merge of #3 - …"; a revert names it in quotes.
_MERGED: LiteralString = rf"""
    WITH closing AS MATERIALIZED (
        SELECT pull_request.id, pull_request.repository_id, pull_request.number, pull_request.created_at,
               pull_request.closed_at,
               (SELECT event.by_id FROM integrations_pullrequestevent event
                WHERE event.pull_request_id = pull_request.id AND event.kind = 'closed'
                ORDER BY event.at DESC, event.position DESC, event.id DESC LIMIT 1) AS closed_by
        FROM integrations_pullrequest pull_request
        WHERE pull_request.id = ANY (%(ids)s) AND pull_request.merged_at IS NULL AND pull_request.state <> 'open'
          AND pull_request.closed_at IS NOT NULL AND pull_request.deleted_at IS NULL AND {CLOSED_BY_MERGE_BOT}
    ), brought AS (
        SELECT closing.id, commit.sha, commit.committed_at
        FROM closing
        JOIN integrations_commitinrepository link
             ON link.repository_id = closing.repository_id AND link.on_default_branch
        JOIN integrations_commit commit ON commit.id = link.commit_id
        WHERE commit.committed_at BETWEEN closing.created_at AND closing.closed_at + interval '1 hour'
          AND (commit.subject ~ ('\(#' || closing.number || '\)$')
               OR commit.subject ~ ('^(Merge( pull request)?|Auto merge of)( #[0-9]+)* #' || closing.number || '\M'))
        UNION
        SELECT closing.id, commit.sha, commit.committed_at
        FROM closing
        JOIN integrations_pullrequestcommit listed ON listed.pull_request_id = closing.id
        JOIN integrations_commit commit ON commit.sha = listed.sha
        JOIN integrations_commitinrepository link
             ON link.commit_id = commit.id AND link.repository_id = closing.repository_id AND link.on_default_branch
    )
    UPDATE integrations_pullrequest pull_request
    SET state = 'merged', merged_at = last.closed_at, merged_by_id = last.closed_by, merge_sha = last.sha
    FROM (
        SELECT DISTINCT ON (closing.id) closing.id, closing.closed_at, closing.closed_by, brought.sha
        FROM closing JOIN brought ON brought.id = closing.id
        ORDER BY closing.id, brought.committed_at DESC, brought.sha
    ) AS last
    WHERE pull_request.id = last.id
    RETURNING pull_request.id
"""  # noqa: S608  # a constant
# Restores the provider's state if it was reopened or the commit that merged it is gone: a merge has its time.
_NOT_MERGED: LiteralString = r"""
    UPDATE integrations_pullrequest pull_request
    SET state = CASE WHEN closed_at IS NULL THEN 'open' ELSE 'closed' END
    WHERE id = ANY (%(ids)s) AND state = 'merged' AND merged_at IS NULL AND EXISTS (
        SELECT FROM integrations_pullrequestevent event
        JOIN orgtree_identity identity ON identity.id = event.by_id
        WHERE event.pull_request_id = pull_request.id AND event.kind = 'closed'
          AND regexp_replace(lower(identity.value), '\[bot\]$', '') = ANY (%(merge_bots)s)
    )
    RETURNING id
"""


def recompute_merges_of_bots(ids: Iterable[int]) -> set[int]:
    """Recompute which of these pull requests merge bots merged; return those that changed."""
    parameters: dict[str, list[int] | list[str]] = {"ids": sorted(ids), "merge_bots": sorted(MERGE_BOTS)}
    changed: set[int] = set()
    for statement in (_MERGED, _NOT_MERGED):
        changed.update(sql.column(statement, parameters))
    return changed

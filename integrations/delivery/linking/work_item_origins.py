"""Pull request → creation and start of the first of its linked work items.

These begin the path of a change to production: created → in progress → first commit → … (docs/delivery.md, idea to
production).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from core import sql

_SELECTED: LiteralString = "link.pull_request_id = ANY (%(ids)s)"
_STORED: LiteralString = "stored.pull_request_id = ANY (%(ids)s)"
_RECOMPUTE: LiteralString = """
    WITH origin AS MATERIALIZED (
        SELECT link.pull_request_id, min(item.created_at) AS created_at, min(started.at) AS started_at
        FROM integrations_workitemlink link
        JOIN integrations_workitem item ON item.id = link.work_item_id
             AND item.deleted_at IS NULL AND item.created_at IS NOT NULL
        LEFT JOIN LATERAL (
            SELECT CASE WHEN item.first_category = 'in_progress' THEN item.created_at ELSE (
                SELECT min(transition.at) FROM integrations_workitemtransition transition
                WHERE transition.work_item_id = item.id AND transition.category = 'in_progress'
            ) END AS at
        ) AS started ON true
        WHERE {scope}
        GROUP BY link.pull_request_id
    ), gone AS (
        DELETE FROM integrations_pullrequestorigin stored
        WHERE {stored} AND NOT EXISTS (SELECT FROM origin WHERE origin.pull_request_id = stored.pull_request_id)
        RETURNING stored.pull_request_id
    ), put AS (
        {upsert}
        RETURNING stored.pull_request_id
    )
    SELECT pull_request_id FROM gone UNION SELECT pull_request_id FROM put
"""
_UPSERT = sql.upsert("integrations_pullrequestorigin", "pull_request_id", ["created_at", "started_at"], "origin")


def recompute_work_item_origins(pull_requests: Collection[int]) -> set[int]:
    """Recompute the origins of these pull requests; return those that changed."""
    if not pull_requests:
        return set()
    return _recompute(_SELECTED, _STORED, pull_requests)


def recompute_all_work_item_origins() -> set[int]:
    """Recompute the origins of all pull requests; return those that changed."""
    return _recompute("true", "true", ())


def linked_to(work_items: Collection[int]) -> set[int]:
    """The pull requests that are linked to these work items."""
    return sql.ids(
        "SELECT DISTINCT pull_request_id FROM integrations_workitemlink WHERE work_item_id = ANY (%s)",
        [sorted(work_items)],
    )


def _recompute(scope: LiteralString, stored: LiteralString, pull_requests: Collection[int]) -> set[int]:
    return sql.ids(_RECOMPUTE.format(scope=scope, stored=stored, upsert=_UPSERT), {"ids": sorted(pull_requests)})

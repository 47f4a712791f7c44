"""Links pull requests to the work items that they name by key, in whatever order both were stored."""

from __future__ import annotations

from collections.abc import Iterable

from core import sql
from integrations.delivery.work_items.changed_days import note_unlinked

_RECOMPUTE = """
    WITH named AS (
        SELECT link.id, link.key, link.work_item_id, pull_request.connection_id
        FROM integrations_workitemlink link
        JOIN integrations_pullrequest pull_request ON pull_request.id = link.pull_request_id
        WHERE link.id IN (
            SELECT id FROM integrations_workitemlink WHERE pull_request_id = ANY (%(pull_requests)s)
            UNION
            SELECT id FROM integrations_workitemlink WHERE work_item_id = ANY (%(work_items)s)
            UNION
            SELECT other.id
            FROM integrations_workitem item
            JOIN integrations_workitemlink other ON other.key = ANY (item.former_keys || item.key::text)
            WHERE item.id = ANY (%(work_items)s)
        )
    ), meant AS (
        SELECT named.id, named.work_item_id AS before, coalesce(own.id, other.id) AS work_item_id
        FROM named
        LEFT JOIN LATERAL (
            SELECT min(item.id) AS id FROM integrations_workitem item
            WHERE (item.key = named.key OR item.former_keys @> ARRAY[named.key::text])
              AND item.connection_id = named.connection_id AND item.deleted_at IS NULL
        ) AS own ON true
        LEFT JOIN LATERAL (
            SELECT CASE WHEN count(*) = 1 THEN min(item.id) END AS id FROM integrations_workitem item
            WHERE (item.key = named.key OR item.former_keys @> ARRAY[named.key::text]) AND item.deleted_at IS NULL
        ) AS other ON true
    )
    UPDATE integrations_workitemlink link SET work_item_id = meant.work_item_id
    FROM meant
    WHERE link.id = meant.id AND meant.before IS DISTINCT FROM meant.work_item_id
    RETURNING link.pull_request_id, meant.before
"""


def recompute_work_item_links(*, pull_requests: Iterable[int] = (), work_items: Iterable[int] = ()) -> set[int]:
    """Relink these pull requests, and those that name these work items; return the pull requests that changed.

    A key means the item of the pull request's own connection, else the only item that has it anywhere, or had it before
    it was moved.
    """
    changed = sql.rows(_RECOMPUTE, {"pull_requests": sorted(pull_requests), "work_items": sorted(work_items)})
    note_unlinked({before for _, before in changed if before is not None})
    return {pull_request for pull_request, _ in changed}

"""Outbox entries for pull requests and work items whose cost changed.

Their cost is the spend of the sessions behind them, and it counts on the day of the merge or of completion, not on the
days of the sessions (integrations/facts/costs.py).
"""

from __future__ import annotations

from collections.abc import Collection

from integrations.models import FactFamily
from integrations.outbox.fact_changes import append_days

_DAYS = """
    WITH behind AS (
        SELECT pull_request_id FROM integrations_pullrequestshare
        WHERE session_id = ANY (%(sessions)s) AND pull_request_id IS NOT NULL
        UNION
        SELECT unnest(%(left)s::bigint[])
    ), item AS (
        SELECT link.work_item_id
        FROM behind JOIN integrations_workitemlink link USING (pull_request_id)
        WHERE link.work_item_id IS NOT NULL
        UNION
        SELECT work_item_id FROM integrations_agentsession
        WHERE id = ANY (%(sessions)s) AND work_item_id IS NOT NULL
    ), concerned AS (
        SELECT pull_request_id FROM behind
        UNION
        -- the cost of one that was given up counts for another one of the item
        SELECT link.pull_request_id FROM item JOIN integrations_workitemlink link USING (work_item_id)
    )
    SELECT day, day + 1
    FROM (
        SELECT coalesce(figures.merged_on, pull_request.closed_at::date)
        FROM concerned
        JOIN integrations_pullrequest pull_request ON pull_request.id = concerned.pull_request_id
        JOIN integrations_pullrequestfigures figures ON figures.pull_request_id = pull_request.id
        UNION
        SELECT done_on FROM item JOIN integrations_workitemfigures figures USING (work_item_id)
    ) AS counting (day)
"""


def append_changes_of_costs(sessions: Collection[int], *, left: Collection[int] = ()) -> None:
    """Append the days on which pull requests and items behind these sessions count, in the caller's transaction.

    `left` are pull requests to which one of the sessions contributed until now.
    """
    append_days({FactFamily.AI: _DAYS}, {"sessions": sorted(sessions), "left": sorted(left)})

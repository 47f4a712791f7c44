"""What pull requests and work items cost in AI, as relations for the metric engine.

A session's spend is behind the pull requests that brought its AI lines into counted commits; of several, each has the
share of its lines.  A session without such lines is behind the pull request of the branch that its telemetry names,
else behind those that list its lost commits (`PullRequestShare`, integrations/code/attribution/session_outcomes.py).
Shares are rounded so that they sum to the session's spend exactly; a part that no pull request brings stays with none.

A pull request's spend is divided equally over the items that it is linked to, and a session's part without a pull
request belongs to the item that the session itself names.

A pull request that was closed without a merge is abandoned.  Its spend counts for the merged one of the same item that
took its place: the first that was merged after it was opened, else the last.  Without such an item it counts for none.

Spend is in US dollars; that of models without a price is missing in every sum.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts import pull_requests, work_items
from integrations.facts.relation import Relation
from integrations.models import FactFamily

SPEND_OF_SHARE: LiteralString = """
    round(spent.spend * (share.lines_before + share.lines) / share.lines_of_session, 10)
        - round(spent.spend * share.lines_before / share.lines_of_session, 10)
"""
"""A share's part of `spent.spend`, the spend of its session: the parts sum to it to the last digit."""

_SHARES: LiteralString = """
            FROM integrations_pullrequestshare share
            CROSS JOIN LATERAL (
                SELECT sum(day.spend) AS spend FROM integrations_agentsessionday day
                WHERE day.session_id = share.session_id AND day.counted
            ) AS spent
"""
# The pull requests that were closed without a merge and whose place the merged one `figures` took.
_REPLACED: LiteralString = """
            SELECT closed.id
            FROM integrations_workitemlink own
            JOIN integrations_workitemlink beside ON beside.work_item_id = own.work_item_id
            JOIN integrations_pullrequest closed
              ON closed.id = beside.pull_request_id AND closed.state = 'closed' AND closed.merged_at IS NULL
            CROSS JOIN LATERAL (
                SELECT successor.pull_request_id
                FROM integrations_workitemlink its_item
                JOIN integrations_workitemlink of_item ON of_item.work_item_id = its_item.work_item_id
                JOIN integrations_pullrequestfigures successor
                  ON successor.pull_request_id = of_item.pull_request_id AND successor.merged_on IS NOT NULL
                 AND successor.set_apart = ''
                WHERE its_item.pull_request_id = closed.id
                ORDER BY successor.merged_at < closed.created_at,
                         CASE WHEN successor.merged_at >= closed.created_at THEN successor.merged_at END,
                         successor.merged_at DESC, successor.pull_request_id
                LIMIT 1
            ) AS first
            WHERE own.pull_request_id = figures.pull_request_id AND own.work_item_id IS NOT NULL
              AND first.pull_request_id = figures.pull_request_id
"""

MERGED_PULL_REQUESTS_WITH_SPEND = Relation(
    name="merged_pull_requests_with_spend",
    family=FactFamily.PULL_REQUEST,
    also=frozenset({FactFamily.AI, FactFamily.WORK_ITEM}),
    day="day",
    person="person_id",
    credited_to_owner=True,
    fact="pull_request_id",
    fact_is_row=True,
    columns=pull_requests.DESCRIBED | {"day", "spend", "abandoned_spend"},
    sql=f"""
        SELECT {pull_requests.DESCRIPTION},
               figures.merged_on AS day,
               coalesce(own.spend, 0) + coalesce(replaced.spend, 0) AS spend,
               coalesce(replaced.spend, 0) AS abandoned_spend
        {pull_requests.FROM_FIGURES}
        CROSS JOIN LATERAL (
            SELECT sum({SPEND_OF_SHARE}) {_SHARES} WHERE share.pull_request_id = figures.pull_request_id
        ) AS own (spend)
        CROSS JOIN LATERAL (
            SELECT sum({SPEND_OF_SHARE}) {_SHARES} WHERE share.pull_request_id IN ({_REPLACED})
        ) AS replaced (spend)
        WHERE figures.merged_on IS NOT NULL AND figures.set_apart = ''
          AND (own.spend IS NOT NULL OR replaced.spend IS NOT NULL)
    """,
)
"""One row per merged pull request with any spend behind it, on the local day of its merge.

spend is that of the sessions behind it and of the abandoned pull requests whose place it took, which abandoned_spend
has alone.
"""

ABANDONED_PULL_REQUESTS_WITH_SPEND = Relation(
    name="abandoned_pull_requests_with_spend",
    family=FactFamily.PULL_REQUEST,
    also=frozenset({FactFamily.AI}),
    day="day",
    person="person_id",
    credited_to_owner=True,
    fact="pull_request_id",
    fact_is_row=True,
    columns=pull_requests.DESCRIBED | {"day", "spend"},
    sql=f"""
        SELECT {pull_requests.DESCRIPTION}, pull_request.closed_at::date AS day, own.spend
        {pull_requests.FROM_FIGURES}
        CROSS JOIN LATERAL (
            SELECT sum({SPEND_OF_SHARE}) {_SHARES} WHERE share.pull_request_id = figures.pull_request_id
        ) AS own (spend)
        WHERE pull_request.state = 'closed' AND pull_request.merged_at IS NULL AND pull_request.closed_at IS NOT NULL
          AND figures.set_apart = '' AND own.spend IS NOT NULL
    """,
)
"""One row per pull request that was closed without a merge and has any spend behind it, on the local day of its end."""

# The nearest of an item's ancestors whose type names it so, by key; the item itself does not count.
_ANCESTORS: LiteralString = """
        LEFT JOIN LATERAL (
            WITH RECURSIVE above (depth, connection_id, key, native_type, parent_key) AS (
                SELECT 1, parent.connection_id, parent.key, parent.native_type, parent.parent_key
                FROM integrations_workitem parent
                WHERE parent.connection_id = item.connection_id AND parent.key = item.parent_key
                  AND item.parent_key <> ''
                UNION ALL
                SELECT above.depth + 1, parent.connection_id, parent.key, parent.native_type, parent.parent_key
                FROM above
                JOIN integrations_workitem parent
                  ON parent.connection_id = above.connection_id AND parent.key = above.parent_key
                WHERE above.parent_key <> '' AND above.depth < 8
            )
            SELECT (array_agg(key ORDER BY depth) FILTER (WHERE native_type ILIKE '%epic%'))[1] AS epic,
                   (array_agg(key ORDER BY depth) FILTER (WHERE native_type ILIKE '%initiative%'))[1] AS initiative
            FROM above
        ) AS ancestors ON true
"""

DONE_WORK_ITEMS_WITH_SPEND = Relation(
    name="done_work_items_with_spend",
    family=FactFamily.WORK_ITEM,
    also=frozenset({FactFamily.AI, FactFamily.PULL_REQUEST}),
    day="day",
    person="person_id",
    fact="item_id",
    fact_is_row=True,
    columns=work_items.DESCRIBED | {"day", "spend", "abandoned_spend", "epic", "initiative"},
    sql=f"""
        SELECT {work_items.DESCRIPTION},
               figures.done_on AS day,
               behind.spend,
               behind.abandoned_spend,
               ancestors.epic,
               ancestors.initiative
        {work_items.FROM_FIGURES}
        CROSS JOIN LATERAL (
            SELECT sum(part.spend), coalesce(sum(part.spend) FILTER (WHERE part.is_abandoned), 0)
            FROM (
                SELECT round(of_one.spend * linked.position / linked.items, 10)
                           - round(of_one.spend * (linked.position - 1) / linked.items, 10),
                       linked.is_abandoned
                FROM (
                    SELECT item_of.pull_request_id, item_of.position, item_of.items,
                           closed.state = 'closed' AND closed.merged_at IS NULL
                    FROM (
                        SELECT link.pull_request_id, link.work_item_id,
                               dense_rank() OVER of_pull_request AS position,
                               count(*) OVER (PARTITION BY link.pull_request_id) AS items
                        FROM (
                            SELECT DISTINCT other.pull_request_id, other.work_item_id
                            FROM integrations_workitemlink own
                            JOIN integrations_workitemlink other USING (pull_request_id)
                            WHERE own.work_item_id = figures.work_item_id AND other.work_item_id IS NOT NULL
                        ) AS link
                        WINDOW of_pull_request AS (PARTITION BY link.pull_request_id ORDER BY link.work_item_id)
                    ) AS item_of
                    JOIN integrations_pullrequest closed ON closed.id = item_of.pull_request_id
                    WHERE item_of.work_item_id = figures.work_item_id
                ) AS linked (pull_request_id, position, items, is_abandoned)
                CROSS JOIN LATERAL (
                    SELECT sum({SPEND_OF_SHARE}) {_SHARES} WHERE share.pull_request_id = linked.pull_request_id
                ) AS of_one (spend)
                UNION ALL
                SELECT nullif(sum(direct.spend), 0), false
                FROM (
                    SELECT spent.spend - coalesce(sum({SPEND_OF_SHARE}) FILTER (
                               WHERE share.pull_request_id IS NOT NULL), 0) AS spend
                    FROM integrations_agentsession session
                    CROSS JOIN LATERAL (
                        SELECT sum(day.spend) AS spend FROM integrations_agentsessionday day
                        WHERE day.session_id = session.id AND day.counted
                    ) AS spent
                    LEFT JOIN integrations_pullrequestshare share ON share.session_id = session.id
                    WHERE session.work_item_id = figures.work_item_id
                    GROUP BY session.id, spent.spend
                ) AS direct
            ) AS part (spend, is_abandoned)
        ) AS behind (spend, abandoned_spend)
        {_ANCESTORS}
        WHERE figures.done_on IS NOT NULL AND behind.spend IS NOT NULL
    """,  # noqa: S608  # this module's own
)
"""One row per work item that is done and has any spend behind it, on the day of its last entry into done.

spend is the item's part of its pull requests' spend, whatever became of them, and of sessions that name the item and
have no pull request; abandoned_spend is that of pull requests closed without a merge.  epic and initiative are the keys
of the nearest ancestors whose type says so, null where there is none.
"""

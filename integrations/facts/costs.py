"""The AI cost of pull requests and work items, as relations for the metric engine.

A session's spend is assigned to the pull requests that brought its AI lines into counted commits; if there are several,
in proportion to its lines.  A session without such lines is assigned to the pull request of the branch that its
telemetry names, else to those that list its lost commits (`PullRequestShare`,
integrations/code/attribution/session_outcomes.py).  Shares are rounded so that they sum to the session's spend exactly;
a part that no pull request brings stays without one.

A pull request's spend is divided equally over the items that it is linked to, and a session's part without a pull
request belongs to the item that the session itself names.

A pull request that was closed without a merge is abandoned.  Its spend counts for the merged one of the same item that
replaced it: the first that was merged after it was opened, else the last.  Without such an item it counts for none.

Spend is in US dollars; that of models without a price is missing in every sum.

A cost is placed by its pull request or work item.  Its people are those of the sessions, whose spend it reveals, not
the author of the pull request (`Relation.people`).
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts import pull_requests, work_items
from integrations.facts.relation import Relation
from integrations.models import FactFamily

_SHARE: LiteralString = """share.session_id, share.repository_id, share.pull_request_id, share.via,
               share.lines_before, share.lines, share.lines_of_session"""


def _spend_of(shares: LiteralString) -> LiteralString:
    """One row for each share: session_id, repository_id, pull_request_id, via, spend and unpriced_tokens.

    The parts of a session sum to its spend to the last digit, as those of a pull request's items sum to the share.
    Sessions without a day that counts have no row; unpriced_tokens are those of the whole session.
    """
    return f"""
            SELECT share.session_id, share.repository_id, share.pull_request_id, share.via,
                   round(part.spend * share.position / share.items, 10)
                       - round(part.spend * (share.position - 1) / share.items, 10) AS spend,
                   spent.unpriced_tokens
            FROM ({shares}) AS share
            CROSS JOIN LATERAL (
                SELECT sum(day.spend) AS spend, sum(day.unpriced_tokens) AS unpriced_tokens
                FROM integrations_agentsessionday day
                WHERE day.session_id = share.session_id AND day.counted
                HAVING count(*) > 0
            ) AS spent
            CROSS JOIN LATERAL (
                SELECT round(spent.spend * (share.lines_before + share.lines) / share.lines_of_session, 10)
                           - round(spent.spend * share.lines_before / share.lines_of_session, 10) AS spend
            ) AS part
    """  # noqa: S608  # this module's own


def spend_behind_pull_requests(ids: LiteralString) -> LiteralString:
    """The rows of `_spend_of` behind these pull requests: a SELECT of their ids, or one id."""
    return _spend_of(
        f"""
        SELECT {_SHARE}, 1 AS position, 1 AS items
        FROM ({ids}) AS chosen (id)
        JOIN integrations_pullrequestshare share ON share.pull_request_id = chosen.id
        """  # noqa: S608  # this module's own
    )


def spend_behind_item(item: LiteralString) -> LiteralString:
    """The rows of `_spend_of` behind a work item: its part of its pull requests, and sessions that name only it."""
    return _spend_of(
        f"""
        SELECT {_SHARE}, linked.position, linked.items
        FROM (
            SELECT link.pull_request_id, link.work_item_id,
                   dense_rank() OVER (PARTITION BY link.pull_request_id ORDER BY link.work_item_id) AS position,
                   count(*) OVER (PARTITION BY link.pull_request_id) AS items
            FROM (
                SELECT DISTINCT other.pull_request_id, other.work_item_id
                FROM integrations_workitemlink own
                JOIN integrations_workitemlink other USING (pull_request_id)
                WHERE own.work_item_id = {item} AND other.work_item_id IS NOT NULL
            ) AS link
        ) AS linked
        JOIN integrations_pullrequestshare share ON share.pull_request_id = linked.pull_request_id
        WHERE linked.work_item_id = {item}
        UNION ALL
        SELECT session.id, share.repository_id, NULL::bigint, share.via,
               coalesce(share.lines_before, 0), coalesce(share.lines, 1), coalesce(share.lines_of_session, 1), 1, 1
        FROM integrations_agentsession session
        LEFT JOIN integrations_pullrequestshare share ON share.session_id = session.id
        WHERE session.work_item_id = {item} AND share.pull_request_id IS NULL
        """  # noqa: S608  # this module's own
    )


# For rows of `_spend_of`, named cost: the person for whom they count, and the people who spent anything.
_WHOSE: LiteralString = """
            JOIN integrations_agentsession session ON session.id = cost.session_id
            JOIN orgtree_identity identity ON identity.id = session.identity_id
"""
_PEOPLE: LiteralString = """coalesce(string_agg(DISTINCT identity.person_id::text, ',')
                                FILTER (WHERE cost.spend > 0), '')"""
# The pull requests that were closed without a merge and replaced by the merged one, `figures`.
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
    people="people",
    credited_to_owner=True,
    fact="pull_request_id",
    fact_is_row=True,
    sql=f"""
        SELECT {pull_requests.DESCRIPTION},
               figures.merged_on AS day,
               behind.spend,
               behind.abandoned_spend,
               behind.people
        {pull_requests.FROM_FIGURES}
        CROSS JOIN LATERAL (
            SELECT sum(cost.spend),
                   coalesce(sum(cost.spend) FILTER (WHERE cost.pull_request_id <> figures.pull_request_id), 0),
                   {_PEOPLE}
            FROM ({spend_behind_pull_requests(f"SELECT figures.pull_request_id UNION {_REPLACED}")}) AS cost
            {_WHOSE}
        ) AS behind (spend, abandoned_spend, people)
        WHERE figures.merged_on IS NOT NULL AND figures.set_apart = '' AND behind.spend IS NOT NULL
    """,  # noqa: S608  # this module's own
)
"""One row per merged pull request with any spend behind it, on the local day of its merge.

spend is that of the sessions behind it and of the abandoned pull requests whose place it took, which abandoned_spend
has alone.
"""

ABANDONED_PULL_REQUESTS_WITH_SPEND = Relation(
    name="abandoned_pull_requests_with_spend",
    family=FactFamily.PULL_REQUEST,
    also=frozenset({FactFamily.AI}),
    people="people",
    credited_to_owner=True,
    fact="pull_request_id",
    fact_is_row=True,
    sql=f"""
        SELECT {pull_requests.DESCRIPTION}, pull_request.closed_at::date AS day, own.spend, own.people
        {pull_requests.FROM_FIGURES}
        CROSS JOIN LATERAL (
            SELECT sum(cost.spend), {_PEOPLE}
            FROM ({spend_behind_pull_requests("SELECT figures.pull_request_id")}) AS cost
            {_WHOSE}
        ) AS own (spend, people)
        WHERE pull_request.state = 'closed' AND pull_request.merged_at IS NULL AND pull_request.closed_at IS NOT NULL
          AND figures.set_apart = '' AND own.spend IS NOT NULL
    """,  # noqa: S608  # this module's own
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
    people="people",
    fact="item_id",
    fact_is_row=True,
    sql=f"""
        SELECT {work_items.DESCRIPTION},
               figures.done_on AS day,
               behind.spend,
               behind.abandoned_spend,
               behind.people,
               ancestors.epic,
               ancestors.initiative
        {work_items.FROM_FIGURES}
        CROSS JOIN LATERAL (
            SELECT sum(cost.spend),
                   coalesce(sum(cost.spend) FILTER (WHERE closed.state = 'closed' AND closed.merged_at IS NULL), 0),
                   {_PEOPLE}
            FROM ({spend_behind_item("figures.work_item_id")}) AS cost
            {_WHOSE}
            LEFT JOIN integrations_pullrequest closed ON closed.id = cost.pull_request_id
        ) AS behind (spend, abandoned_spend, people)
        {_ANCESTORS}
        WHERE figures.done_on IS NOT NULL AND behind.spend IS NOT NULL
    """,  # noqa: S608  # this module's own
)
"""One row per work item that is done and has any spend behind it, on the day of its last entry into done.

spend is the item's part of its pull requests' spend, whatever became of them, and of sessions that name the item and
have no pull request; abandoned_spend is that of pull requests closed without a merge.  epic and initiative are the keys
of the nearest ancestors whose type says so, null where there is none.
"""

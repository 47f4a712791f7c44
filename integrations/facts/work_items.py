"""Work items, as relations for the metric engine.

They count for the assignee at completion, else the last one.

`assistance` is AI if an agent contributed to any of the item's pull requests, Non-AI if none did, and empty without a
linked pull request.  It is computed only by queries that use it.

Optional columns come from LEFT JOINs by primary key, which the planner drops from queries that do not use them.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import STOCK_DAY, Relation, Stock
from integrations.models import FactFamily

EPIC_TYPES: LiteralString = "(epic|initiative|feature)"  # regular expression for their native types

DESCRIPTION: LiteralString = """
               figures.work_item_id AS item_id,
               identity.person_id,
               item.key AS reference,
               item.title,
               item.url,
               project.name AS project,
               repository.name AS repository,
               figures.work_type
"""
FROM_FIGURES: LiteralString = """
        FROM integrations_workitemfigures figures
        LEFT JOIN orgtree_identity identity ON identity.id = figures.credited_id
        LEFT JOIN integrations_repository repository ON repository.id = figures.repository_id
        LEFT JOIN integrations_workitem item ON item.id = figures.work_item_id
        LEFT JOIN integrations_project project ON project.id = item.project_id
"""
_PULL_REQUESTS: LiteralString = """
                   FROM integrations_workitemlink link
                   JOIN integrations_pullrequestfigures pull_request
                     ON pull_request.pull_request_id = link.pull_request_id AND pull_request.set_apart = ''
"""
_DONE_COLUMNS: LiteralString = """
               figures.done_on AS day,
               figures.lead_seconds,
               figures.cycle_seconds,
               figures.active_seconds,
               (figures.work_type = 'bug')::int AS bugs,
               (figures.work_type = 'feature')::int AS features,
               (figures.work_type = 'bug' AND figures.reopened > 0)::int AS reopened_bugs,
               linked.assistance
"""
# Computed once per item, whether it is shown, filtered by, or both.
_FROM_DONE: LiteralString = f"""
        {FROM_FIGURES}
        LEFT JOIN LATERAL (
            SELECT CASE WHEN bool_or(pull_request.agents <> '{{}}') THEN 'AI' WHEN count(*) > 0 THEN 'Non-AI' END
            {_PULL_REQUESTS}
            WHERE link.work_item_id = figures.work_item_id
        ) AS linked (assistance) ON true
"""

DONE_WORK_ITEMS = Relation(
    name="done_work_items",
    family=FactFamily.WORK_ITEM,
    open_as_in_tools=True,
    fact="item_id",
    fact_is_row=True,
    sql=f"SELECT {DESCRIPTION}, {_DONE_COLUMNS} {_FROM_DONE} WHERE figures.done_on IS NOT NULL",
).split_by(
    "agent",
    sql=f"""
        SELECT {DESCRIPTION}, {_DONE_COLUMNS}, agent.name AS agent
        {_FROM_DONE}
        CROSS JOIN LATERAL (
            SELECT unnest(CASE WHEN count(*) = 0 THEN '{{NULL}}' WHEN count(part.agent) = 0 THEN '{{Non-AI}}'
                               ELSE array_agg(DISTINCT part.agent) FILTER (WHERE part.agent IS NOT NULL) END::text[])
            {_PULL_REQUESTS}
            LEFT JOIN LATERAL unnest(pull_request.agents) AS part (agent) ON true
            WHERE link.work_item_id = figures.work_item_id
        ) AS agent (name)
        WHERE figures.done_on IS NOT NULL
    """,
)
"""One row per item that is done; it counts on the day of its last entry into done.

lead_seconds (created → done) and cycle_seconds (first in progress → done) are null where an end point is missing;
active_seconds is the part of the cycle in active in-progress statuses.  bugs, features and reopened_bugs (bugs that had
left done before) are 1 or 0.  By agent: a row for each that had a part in the item's pull requests, `Non-AI` where none
had, and null where none is linked.
"""

CREATED_WORK_ITEMS = Relation(
    name="created_work_items",
    family=FactFamily.WORK_ITEM,
    open_as_in_tools=True,
    fact="item_id",
    fact_is_row=True,
    sql=f"""
        SELECT {DESCRIPTION}, figures.created_on AS day,
               (figures.work_type = 'bug')::int AS bugs,
               (figures.work_type = 'feature')::int AS features,
               (figures.work_type = 'bug' AND figures.found_in_production)::int AS escaped_bugs,
               (figures.work_type = 'bug' AND figures.found_by_customer)::int AS bugs_of_customers
        {FROM_FIGURES}
        WHERE figures.created_on IS NOT NULL
    """,
)
"""One row per item; it counts on the day on which it was created.

bugs, features, escaped_bugs (found in production) and bugs_of_customers, which are escaped too, are 1 or 0.
"""

_AGE: LiteralString = "(standing.day - source.since) * 86400.0"

WORK_IN_PROGRESS = Relation(
    name="work_in_progress",
    family=FactFamily.WORK_ITEM,
    open_as_in_tools=True,
    day=STOCK_DAY,
    stock=Stock("days", (("age_seconds", _AGE),)),
    fact="item_id",
    fact_is_row=True,
    sql=f"""
        SELECT {DESCRIPTION}, figures.in_progress_days AS days, figures.started_on AS since
        {FROM_FIGURES}
    """,
)
"""A stock of items in progress at the end of a day.

age_seconds are the local days since it first was in progress; null where unknown.
"""

BACKLOG = Relation(
    name="backlog",
    family=FactFamily.WORK_ITEM,
    open_as_in_tools=True,
    day=STOCK_DAY,
    stock=Stock(
        "days",
        (("age_seconds", _AGE), ("healthy_items", "multirange_contains_elem(source.healthy_days, standing.day)::int")),
    ),
    fact="item_id",
    fact_is_row=True,
    sql=f"""
        SELECT {DESCRIPTION}, figures.todo_days AS days, figures.created_on AS since, figures.healthy_days
        {FROM_FIGURES}
    """,
)
"""A stock of items to do at the end of a day.

age_seconds are the local days since creation.  healthy_items is 1 where the item had an assignee and a recent change on
that day, and has an estimate and a description, else 0: the history of these two is not known.  Items of tools that do
not send descriptions count as having one.
"""

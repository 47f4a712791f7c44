"""Active developers by day, by activity and by agent."""

from __future__ import annotations

from dataclasses import replace

from integrations.facts.relation import Relation
from integrations.models import FactFamily

DEVELOPER_DAYS = Relation(
    name="developer_days",
    family=FactFamily.PULL_REQUEST,
    also=frozenset({FactFamily.CODE, FactFamily.WORK_ITEM, FactFamily.AI}),
    fact="activity",
    fact_is_row=True,
    sql="""
        SELECT identity.person_id, active.day, active.activity
        FROM (
            SELECT credited_id, counted_on, 'commit' FROM integrations_commit WHERE set_apart = ''
            UNION ALL
            SELECT credited_id, opened_on, 'opened' FROM integrations_pullrequestfigures WHERE set_apart = ''
            UNION ALL
            SELECT credited_id, merged_on, 'merged' FROM integrations_pullrequestfigures WHERE set_apart = ''
            UNION ALL
            SELECT reviewer_id, submitted_on, 'review' FROM integrations_countedreview
            UNION ALL
            SELECT credited_id, done_on, 'item' FROM integrations_workitemfigures
            UNION ALL
            SELECT identity_id, started_on, 'session' FROM integrations_agentsession WHERE has_work
        ) AS active (identity_id, day, activity)
        JOIN orgtree_identity identity ON identity.id = active.identity_id AND identity.person_id IS NOT NULL
    """,
)
"""A row for each commit, pull request opened or merged, review given, work item done and agent session of a person.

activity says which.  Unmatched identities are left out: these rows are for counting people.
"""

COMMITTING_DEVELOPER_DAYS = replace(
    DEVELOPER_DAYS,
    name="committing_developer_days",
    family=FactFamily.CODE,
    also=frozenset({FactFamily.PULL_REQUEST, FactFamily.WORK_ITEM, FactFamily.AI}),
)
"""DEVELOPER_DAYS under another family, for metrics that only need a repository."""

ON_LINE, AT_WORK, IN_SESSION = 1, 2, 4

DEVELOPERS_ON_LINES = Relation(
    name="developers_on_lines",
    family=FactFamily.PULL_REQUEST,
    also=frozenset({FactFamily.CODE, FactFamily.WORK_ITEM, FactFamily.AI}),
    fact="signs",
    fact_is_row=True,
    sql="""
        SELECT identity.person_id, seen.day, seen.agent,
               CASE WHEN seen.agent = 'Non-AI' THEN 'Non-AI' ELSE 'AI' END AS assistance, seen.signs
        FROM (
            SELECT credited_id, counted_on, 'Non-AI'::text, 2 FROM integrations_commit WHERE set_apart = ''
            UNION ALL
            SELECT credited_id, opened_on, 'Non-AI', 2 FROM integrations_pullrequestfigures WHERE set_apart = ''
            UNION ALL
            SELECT credited_id, merged_on, 'Non-AI', CASE WHEN agents = '{}' THEN 3 ELSE 2 END
            FROM integrations_pullrequestfigures WHERE set_apart = ''
            UNION ALL
            SELECT credited_id, merged_on, unnest(agents)::text, 1
            FROM integrations_pullrequestfigures WHERE set_apart = '' AND agents <> '{}'
            UNION ALL
            SELECT reviewer_id, submitted_on, 'Non-AI', 2 FROM integrations_countedreview
            UNION ALL
            SELECT credited_id, done_on, 'Non-AI', 2 FROM integrations_workitemfigures
            UNION ALL
            SELECT identity_id, started_on, agent::text, 1 FROM integrations_agentsession WHERE has_work
            UNION ALL
            SELECT identity_id, started_on, 'Non-AI', 4 FROM integrations_agentsession WHERE has_work
        ) AS seen (identity_id, day, agent, signs)
        JOIN orgtree_identity identity ON identity.id = seen.identity_id AND identity.person_id IS NOT NULL
    """,
)
"""Activities of people by series (an agent, or `Non-AI`), with signs as bits.

ON_LINE: a session of the agent, or a merged pull request to which it contributed; for Non-AI a merged pull request
without agents.  AT_WORK (Non-AI): a commit, a pull request opened or merged, a review, or an item done.  IN_SESSION
(Non-AI): a session of any agent.  A person is active in a series within a window if they have ON_LINE there, or AT_WORK
without IN_SESSION; the same rule over all series together gives everybody who was active.
"""

"""Who was active on which day, whatever it was that they did."""

from __future__ import annotations

from dataclasses import replace

from integrations.facts.relation import Relation
from integrations.models import FactFamily

DEVELOPER_DAYS = Relation(
    name="developer_days",
    family=FactFamily.PULL_REQUEST,
    also=frozenset({FactFamily.CODE, FactFamily.WORK_ITEM, FactFamily.AI}),
    day="day",
    person="person_id",
    fact="activity",
    fact_is_row=True,
    columns=frozenset({"person_id", "day", "activity"}),
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

activity says which of these it is.  What nobody could be matched to is not here: these rows are for counting people.
"""

COMMITTING_DEVELOPER_DAYS = replace(
    DEVELOPER_DAYS,
    name="committing_developer_days",
    family=FactFamily.CODE,
    also=frozenset({FactFamily.PULL_REQUEST, FactFamily.WORK_ITEM, FactFamily.AI}),
)
"""DEVELOPER_DAYS once more, for figures that need nothing but a repository."""

"""Stale branches, as a relation for the metric engine."""

from __future__ import annotations

from integrations.facts.relation import STOCK_DAY, Relation, Stock
from integrations.models import FactFamily

STALE_BRANCHES = Relation(
    name="stale_branches",
    family=FactFamily.CLONE,
    open_as_in_tools=True,
    day=STOCK_DAY,
    stock=Stock("days"),
    owner="owned_id",
    fact="branch_id",
    fact_is_row=True,
    sql="""
        SELECT branch.id AS branch_id,
               NULL::bigint AS person_id,
               owned.id AS owned_id,
               branch.name AS reference,
               tip.subject AS title,
               tip.sha,
               repository.name AS repository,
               datemultirange(daterange(tip.counted_on + 31, branch.gone_on)) AS days
        FROM integrations_unmergedbranch branch
        JOIN integrations_commit tip ON tip.id = branch.tip_id AND tip.set_apart <> 'squashed'
        JOIN integrations_repositorysource source ON source.id = branch.source_id
        JOIN integrations_repository own ON own.id = source.repository_id
        JOIN integrations_repository repository ON repository.id = coalesce(own.joined_into_id, own.id)
        LEFT JOIN integrations_owned owned ON owned.repository_id = repository.id
        WHERE (branch.gone_on IS NULL OR branch.gone_on > tip.counted_on + 31)
          AND source.id = (SELECT min(first.id) FROM integrations_repositorysource first
                           JOIN integrations_repository held ON held.id = first.repository_id
                           WHERE coalesce(held.joined_into_id, held.id) = repository.id AND first.refs <> '{}')
    """,
)
"""One row per unmerged branch and tip, for the days on which the tip was over 30 days old.

A branch with a squash on the default branch counts as merged.  Of several clones of a repository, the first counts.
"""

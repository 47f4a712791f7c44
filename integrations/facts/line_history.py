"""Line history of default branches and stale branches, as relations for the metric engine.

Repositories without a clone have no rows.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import STOCK_DAY, Relation, Stock
from integrations.models import FactFamily

FROM_CHANGES: LiteralString = """
        FROM integrations_changedlines lines
        JOIN integrations_commit commit ON commit.id = lines.commit_id
        JOIN integrations_commit author ON author.id = lines.author_id
        CROSS JOIN (SELECT max(bulk_commit_lines) AS lines, max(bulk_commit_files) AS files FROM orgtree_organisation)
            AS most
"""
WHERE_COUNTED: LiteralString = """
        WHERE NOT author.by_bot
          AND (commit.set_apart = ''
               OR commit.set_apart = 'merge' AND lines.files <= most.files
                  AND lines.added + lines.reworked + lines.refactored <= most.lines)
"""
"""Of FROM_CHANGES those that count: no bot's, and no bulk commits."""

CHANGED_LINES = Relation(
    name="changed_lines",
    family=FactFamily.CLONE,
    open_as_in_tools=True,
    credited_to_owner=True,
    fact="commit_id",
    fact_is_row=True,
    sql=f"""
        SELECT commit.id AS commit_id,
               identity.person_id,
               lines.repository_id,
               author.credited_id IS NULL AS is_autonomous,
               commit.counted_on AS day,
               commit.sha,
               commit.subject,
               repository.name AS repository,
               CASE WHEN EXISTS (
                   SELECT FROM integrations_fileattribution attribution
                   WHERE attribution.commit_id IN (commit.id, author.id)
               ) THEN 'AI' ELSE 'Non-AI' END AS assistance,
               lines.added + lines.reworked + lines.refactored AS lines_changed,
               lines.reworked AS lines_reworked,
               lines.refactored AS lines_refactored
        {FROM_CHANGES}
        LEFT JOIN orgtree_identity identity ON identity.id = author.credited_id
        LEFT JOIN integrations_repository repository ON repository.id = lines.repository_id
        {WHERE_COUNTED}
    """,  # noqa: S608  # this module's own
)
"""One row per commit of a default branch's first-parent chain, on its day, credited to the author of most of it.

A replaced line is one changed line.  lines_reworked were at most 21 days old, lines_refactored older; the rest of
lines_changed is new.  Bulk commits are left out.
"""


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

"""Line history of default branches, as a relation for the metric engine.

Repositories without a clone have no rows.
"""

from __future__ import annotations

from typing import LiteralString

from integrations.facts.relation import Relation
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

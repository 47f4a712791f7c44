"""Outbox entries for changed commits."""

from __future__ import annotations

from collections.abc import Iterable

from integrations.models import FactFamily
from integrations.outbox.fact_changes import append_days

_DAYS = {
    FactFamily.CODE: """
        SELECT counted_on, counted_on + 1 FROM integrations_commit WHERE id = ANY (%(commits)s)
    """,
    # The days of the changed lines that are credited to their authors, and of unmerged branches with this tip.
    FactFamily.CLONE: """
        SELECT chain.counted_on, chain.counted_on + 1
        FROM (
            SELECT commit_id FROM integrations_changedlines WHERE commit_id = ANY (%(commits)s)
            UNION
            SELECT commit_id FROM integrations_changedlines WHERE author_id = ANY (%(commits)s)
        ) AS lines
        JOIN integrations_commit chain ON chain.id = lines.commit_id
        UNION ALL
        SELECT tip.counted_on, coalesce(branch.gone_on, current_date + 1)
        FROM integrations_unmergedbranch branch
        JOIN integrations_commit tip ON tip.id = branch.tip_id
        WHERE tip.id = ANY (%(commits)s)
    """,
    # Deployments that brought them, if they are pushes.
    FactFamily.DEPLOYMENT: """
        SELECT push.deployed_on, push.deployed_on + 1
        FROM integrations_commit part
        JOIN integrations_commitplace place ON place.repository_id = part.home_id AND place.sha = part.sha
        JOIN integrations_commitplace head
             ON head.repository_id = place.repository_id AND head.position = place.position AND head.on_chain
        JOIN integrations_commit commit ON commit.sha = head.sha
        JOIN integrations_deployedpush push ON push.commit_id = commit.id
        WHERE part.id = ANY (%(commits)s) AND EXISTS (SELECT FROM integrations_deployedpush)
    """,
}


def append_changes_of_commits(commit_ids: Iterable[int]) -> None:
    """Append the days on which these commits count to the outbox, in the caller's transaction."""
    append_days(_DAYS, {"commits": sorted(commit_ids)})

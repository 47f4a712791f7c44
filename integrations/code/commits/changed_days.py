"""Outbox entries for changed commits, and for the sessions whose spend they explain."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes


def append_changes_of_commits(commit_ids: Iterable[int]) -> None:
    """Append the days of these commits to the outbox, in the caller's transaction.

    Includes the days of the changed lines that are credited to the commits' authors, of unmerged branches whose tip
    they are, and of the deployments that brought them where they are pushes.  Commits of autonomous agents change for
    the owner of the repository.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_factchange (family, person_id, owned_id, day_from, day_to)
            SELECT DISTINCT %(code)s, identity.person_id, owned.id, commit.counted_on, commit.counted_on + 1
            FROM integrations_commit commit
            LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
            LEFT JOIN integrations_owned owned ON owned.repository_id = commit.home_id AND commit.credited_id IS NULL
            WHERE commit.id = ANY (%(commits)s)
            UNION
            SELECT %(clone)s, identity.person_id, owned.id, chain.counted_on, chain.counted_on + 1
            FROM (
                SELECT commit_id, author_id, repository_id
                FROM integrations_changedlines WHERE commit_id = ANY (%(commits)s)
                UNION
                SELECT commit_id, author_id, repository_id
                FROM integrations_changedlines WHERE author_id = ANY (%(commits)s)
            ) AS lines
            JOIN integrations_commit chain ON chain.id = lines.commit_id
            JOIN integrations_commit author ON author.id = lines.author_id
            LEFT JOIN orgtree_identity identity ON identity.id = author.credited_id
            LEFT JOIN integrations_owned owned
                 ON owned.repository_id = lines.repository_id AND author.credited_id IS NULL
            UNION
            SELECT %(clone)s, NULL, owned.id, tip.counted_on, coalesce(branch.gone_on, current_date + 1)
            FROM integrations_unmergedbranch branch
            JOIN integrations_commit tip ON tip.id = branch.tip_id
            JOIN integrations_repositorysource source ON source.id = branch.source_id
            JOIN integrations_repository own ON own.id = source.repository_id
            LEFT JOIN integrations_owned owned ON owned.repository_id = coalesce(own.joined_into_id, own.id)
            WHERE tip.id = ANY (%(commits)s) AND tip.counted_on < coalesce(branch.gone_on, current_date + 1)
            UNION
            SELECT %(deployment)s, identity.person_id, owned.id, push.deployed_on, push.deployed_on + 1
            FROM integrations_commit part
            JOIN integrations_commitplace place ON place.repository_id = part.home_id AND place.sha = part.sha
            JOIN integrations_commitplace head
                 ON head.repository_id = place.repository_id AND head.position = place.position AND head.on_chain
            JOIN integrations_commit commit ON commit.sha = head.sha
            JOIN integrations_deployedpush push ON push.commit_id = commit.id
            LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
            LEFT JOIN integrations_owned owned
                 ON owned.repository_id = push.repository_id AND commit.credited_id IS NULL
            WHERE part.id = ANY (%(commits)s) AND EXISTS (SELECT FROM integrations_deployedpush)
            """,
            {
                "code": FactFamily.CODE.value,
                "clone": FactFamily.CLONE.value,
                "deployment": FactFamily.DEPLOYMENT.value,
                "commits": sorted(commit_ids),
            },
        )
    announce_changes()


def append_changes_of_sessions(session_ids: Iterable[int]) -> None:
    """Append all days on which these sessions count to the outbox, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
            SELECT %(family)s, person_id, lower(days), upper(days)
            FROM (
                SELECT identity.person_id, unnest(range_agg(daterange(counting.day, counting.day + 1))) AS days
                FROM integrations_agentsession session
                JOIN orgtree_identity identity ON identity.id = session.identity_id
                CROSS JOIN LATERAL (
                    SELECT figures.day FROM integrations_agentsessionday figures WHERE figures.session_id = session.id
                    UNION
                    SELECT session.started_on WHERE session.started_on IS NOT NULL
                ) AS counting
                WHERE session.id = ANY (%(sessions)s)
                GROUP BY identity.person_id
            ) AS coalesced
            """,
            {"family": FactFamily.AI.value, "sessions": sorted(session_ids)},
        )
    announce_changes()

"""Activity of identities, for matching them with people; registered with orgtree at start-up."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from core import sql
from orgtree.identities.activity import Activity


def activity_of_identities(identity_ids: Collection[int], since: date) -> dict[int, Activity]:
    """Activity by identity since that local day; inactive identities are left out."""
    rows = sql.rows(
        """
        SELECT identity_id, sum(commits), sum(sessions), sum(spend)
        FROM (
            SELECT credited_id AS identity_id, count(*) AS commits, 0 AS sessions, 0 AS spend
            FROM integrations_commit
            WHERE credited_id = ANY (%(identities)s) AND set_apart = '' AND counted_on >= %(since)s
            GROUP BY credited_id
            UNION ALL
            SELECT identity_id, 0, count(*), 0
            FROM integrations_agentsession
            WHERE identity_id = ANY (%(identities)s) AND has_work AND started_on >= %(since)s
            GROUP BY identity_id
            UNION ALL
            SELECT identity_id, 0, 0, coalesce(sum(spend), 0)
            FROM integrations_agentsessionday
            WHERE identity_id = ANY (%(identities)s) AND counted AND day >= %(since)s
            GROUP BY identity_id
        ) AS done
        GROUP BY identity_id
        """,
        {"identities": list(identity_ids), "since": since},
    )
    return {id_: Activity(int(commits), int(sessions), spend) for id_, commits, sessions, spend in rows}


def total_activity(since: date) -> tuple[Activity, Activity]:
    """(all, unmatched) activity since that local day.  Unmatched means without a person, as in the metrics.

    Commits of autonomous agents are not unmatched: they have no identity to match.
    """
    (row,) = sql.rows(
        """
        SELECT commits.total, sessions.total, days.total, commits.unmatched, sessions.unmatched, days.unmatched
        FROM (
            SELECT count(*) AS total,
                   count(*) FILTER (WHERE identity.person_id IS NULL AND commit.credited_id IS NOT NULL)
                       AS unmatched
            FROM integrations_commit commit LEFT JOIN orgtree_identity identity ON identity.id = commit.credited_id
            WHERE commit.set_apart = '' AND commit.counted_on >= %(since)s
        ) AS commits, (
            SELECT count(*) AS total, count(*) FILTER (WHERE identity.person_id IS NULL) AS unmatched
            FROM integrations_agentsession session
            JOIN orgtree_identity identity ON identity.id = session.identity_id
            WHERE session.has_work AND session.started_on >= %(since)s
        ) AS sessions, (
            SELECT coalesce(sum(spend), 0) AS total,
                   coalesce(sum(spend) FILTER (WHERE identity.person_id IS NULL), 0) AS unmatched
            FROM integrations_agentsessionday figures
            JOIN orgtree_identity identity ON identity.id = figures.identity_id
            WHERE figures.counted AND figures.day >= %(since)s
        ) AS days
        """,
        {"since": since},
    )
    return Activity(*row[:3]), Activity(*row[3:])

"""Append the changes of a fold to the outbox."""

from __future__ import annotations

from django.db import connection

from integrations.models import FactFamily
from integrations.outbox.attribution_queue import wake_attribution
from integrations.outbox.fact_changes import announce_changes
from integrations.telemetry.sessions.fold_tables import execute


def append_changes_of_fold() -> bool:
    """Append the changed days by person, and new enrolments.

    Returns whether anybody is newly enrolled: the caller then ends the transaction with `raise_people_version`.
    """
    _collect_changed_days()
    is_anybody_new = _enrol()
    _append()
    return is_anybody_new


def enqueue_folded_sessions() -> None:
    """Queue the sessions for attribution."""
    execute("INSERT INTO integrations_attributionwork (session_id) SELECT session_id FROM fold_session")
    wake_attribution()


def _collect_changed_days() -> None:
    """Collect the rebuilt days, the days on which sessions count (before and now), and all days of sessions whose
    counted source changed between events and metrics."""
    execute(
        """
        INSERT INTO fold_change
        SELECT %(family)s, fold_session.identity_id, changed.day, changed.day + 1
        FROM fold_session
        JOIN integrations_agentsession session ON session.id = fold_session.session_id
        CROSS JOIN LATERAL (
            SELECT day FROM fold_day WHERE fold_day.session_id = session.id
            UNION
            SELECT day FROM (VALUES (fold_session.started_on), (session.started_on)) AS starts (day)
            WHERE day IS NOT NULL
            UNION
            SELECT day FROM integrations_agentsessionday figures
            WHERE figures.session_id = session.id
              AND fold_session.events_counted <> (session.event_tokens >= session.metric_tokens)
        ) AS changed
        """,
        {"family": FactFamily.AI.value},
    )


def _enrol() -> bool:
    """Store since when each identity sends telemetry.  A new or earlier enrolment changes every day since.

    Returns whether there is a new one.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ENROL, {"family": FactFamily.ENROLMENT.value})
        return bool(cursor.fetchone()[0])


# xmax is 0 in inserted rows, not in updated ones.
_ENROL = """
    WITH seen AS (
        SELECT session.identity_id, min(session.started_at) AS first_at
        FROM fold_session
        JOIN integrations_agentsession session ON session.id = fold_session.session_id
        GROUP BY session.identity_id
    ), enrolled AS (
        INSERT INTO integrations_enrolment AS known (identity_id, first_at)
        SELECT seen.identity_id, seen.first_at
        FROM seen
        LEFT JOIN integrations_enrolment earlier ON earlier.identity_id = seen.identity_id
        WHERE earlier.first_at IS NULL OR seen.first_at < earlier.first_at
        ORDER BY seen.identity_id
        ON CONFLICT (identity_id) DO UPDATE SET first_at = LEAST(known.first_at, excluded.first_at)
        RETURNING identity_id, (first_at AT TIME ZONE current_setting('TimeZone'))::date AS first_day,
                  xmax = 0 AS is_new
    ), noted AS (
        INSERT INTO fold_change
        SELECT %(family)s, identity_id, first_day,
               GREATEST(first_day, (now() AT TIME ZONE current_setting('TimeZone'))::date) + 1
        FROM enrolled
    )
    SELECT EXISTS (SELECT FROM enrolled WHERE is_new)
"""


def _append() -> None:
    # Wait for concurrent moves of identities to another person: a move appends the days that it sees, which do not
    # include those of this fold yet.
    execute(
        """
        SELECT id FROM orgtree_identity
        WHERE id IN (SELECT identity_id FROM fold_change)
        ORDER BY id
        FOR SHARE
        """
    )
    execute(
        """
        INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
        SELECT family, person_id, lower(days), upper(days)
        FROM (
            SELECT family, person_id, unnest(range_agg(daterange(day_from, day_to))) AS days
            FROM fold_change
            JOIN orgtree_identity identity ON identity.id = fold_change.identity_id
            GROUP BY family, person_id
        ) AS coalesced
        """
    )
    announce_changes()

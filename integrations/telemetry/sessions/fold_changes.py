"""Append the changes of a fold to the outbox."""

from __future__ import annotations

from core import sql
from integrations.models import FactFamily
from integrations.outbox.attribution_queue import wake_attribution
from integrations.outbox.fact_changes import announce_changes, append_days
from integrations.telemetry.enrolment import enrol

_SEEN = """
    SELECT session.identity_id, min(session.started_at)
    FROM fold_session
    JOIN integrations_agentsession session ON session.id = fold_session.session_id
    GROUP BY session.identity_id
"""
# The rebuilt days, and all days on which the sessions count (before and now): every row has the session's end and its
# models.
_DAYS = """
    SELECT day, day + 1 FROM fold_day
    UNION
    SELECT figures.day, figures.day + 1 FROM fold_session JOIN integrations_agentsessionday figures USING (session_id)
    UNION
    SELECT day, day + 1
    FROM fold_session
    JOIN integrations_agentsession session ON session.id = fold_session.session_id
    CROSS JOIN unnest(ARRAY[fold_session.started_on, session.started_on]) AS day
"""


def append_changes_of_fold() -> bool:
    """Append the changed days, and new enrolments.

    Returns whether anybody is newly enrolled; if so, the caller ends the transaction with `raise_people_version`.
    """
    # Wait for concurrent moves of identities to another person: a move appends the days that it sees, which do not yet
    # include this fold's days.
    sql.execute(
        """
        SELECT id FROM orgtree_identity
        WHERE id IN (SELECT identity_id FROM fold_session)
        ORDER BY id
        FOR SHARE
        """
    )
    is_anybody_new = enrol(_SEEN)
    append_days({FactFamily.AI: _DAYS}, {})
    announce_changes()
    return is_anybody_new


def enqueue_folded_sessions() -> None:
    """Queue the sessions for attribution."""
    sql.execute("INSERT INTO integrations_attributionwork (session_id) SELECT session_id FROM fold_session")
    wake_attribution()

"""Outbox entries for sessions that are no longer pending."""

from __future__ import annotations

from datetime import datetime

from django.db import connection

from integrations.models import FactFamily
from integrations.outbox.fact_changes import announce_changes


def append_changes_of_sessions_that_ended(after: datetime, until: datetime) -> None:
    """Append to the outbox the days of sessions that ended in (after, until], in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
            SELECT DISTINCT %(family)s, identity.person_id, figures.day, figures.day + 1
            FROM integrations_agentsession session
            JOIN orgtree_identity identity ON identity.id = session.identity_id
            JOIN integrations_agentsessionday figures ON figures.session_id = session.id
            WHERE session.ended_at > %(after)s AND session.ended_at <= %(until)s
            """,
            {"family": FactFamily.AI.value, "after": after, "until": until},
        )
    announce_changes()

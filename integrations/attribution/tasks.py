"""Background derivation of attribution: nudged when evidence came in, and swept regularly."""

from __future__ import annotations

from celery import shared_task
from django.db import connection, transaction

from integrations.attribution.changes import append_changes_of_commits
from integrations.attribution.derive import derive

COMMITS_PER_TRANSACTION = 500


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def attribute() -> None:
    """Derive the attribution of all commits that wait for it."""
    attribute_waiting_commits()


def attribute_waiting_commits() -> int:
    """How many there were.  Several processes may do so at once: they claim different commits."""
    done = 0
    while claimed := _attribute_some():
        done += claimed
    return done


def _attribute_some() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            DELETE FROM integrations_attributionwork
            WHERE id = ANY (ARRAY(
                SELECT id FROM integrations_attributionwork ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
            ))
            RETURNING commit_id
            """,
            [COMMITS_PER_TRANSACTION],
        )
        ids = {row[0] for row in cursor.fetchall()}
        if ids:
            derive(ids)
            append_changes_of_commits(ids)
        return len(ids)

"""Background derivation of attribution: nudged when evidence came in, and swept regularly."""

from __future__ import annotations

from celery import shared_task
from django.db import connection, transaction

from integrations.attribution.changes import append_changes_of_commits, append_changes_of_sessions
from integrations.attribution.derive import derive
from integrations.attribution.outcomes import settle_outcomes
from integrations.attribution.overlap import commits_near, note_overlaps
from integrations.attribution.work import claim_work, standing_for

ROWS_PER_TRANSACTION = 500
_ADVISORY_LOCK = 0x4174_7472  # "Attr": commits that share a session's lines are derived by one at a time


@shared_task  # type: ignore[untyped-decorator]  # Celery has no types
def attribute() -> None:
    """Derive the attribution of all commits and sessions that wait for it."""
    attribute_what_waits()


def attribute_what_waits() -> int:
    """How many rows of work there were."""
    done = 0
    while claimed := _attribute_some():
        done += claimed
    return done


def _attribute_some() -> int:
    with transaction.atomic():
        _be_the_only_one()
        work = claim_work(ROWS_PER_TRANSACTION)
        if not work.rows:
            return 0
        commits = standing_for(work.commits | commits_near(work.sessions))
        sessions = work.sessions | note_overlaps(commits)
        derived = derive(commits, sessions)
        changed = settle_outcomes(work.commits, sessions | derived.sessions)
        append_changes_of_commits(work.commits | derived.changed)
        append_changes_of_sessions(changed)
        return work.rows


def _be_the_only_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])

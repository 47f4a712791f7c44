"""Counts of what was dropped and of what nobody reads: appended with each request, added up now and then."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection, transaction

from integrations.models import ReceivedTally
from integrations.telemetry.decode_reading import Counted, Tally

_ADVISORY_LOCK = 0x5461_6C6C  # "Tall": one process at a time adds up


def append_tallies(counts: Mapping[Tally, int]) -> None:
    """Runs in the caller's transaction."""
    ReceivedTally.objects.bulk_create(
        ReceivedTally(counted=tally.counted, agent=tally.agent, signal=tally.signal, name=tally.name, count=count)
        for tally, count in counts.items()
    )


def add_up_tallies() -> None:
    """Move what was appended into DroppedAttribute and UnreadEvent; each tally is added exactly once."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])
        cursor.execute(
            """
            WITH taken AS (
                DELETE FROM integrations_receivedtally
                RETURNING counted, agent, signal, name, count, at
            ), dropped AS (
                INSERT INTO integrations_droppedattribute AS sums (agent, name, count, last_at)
                SELECT agent, name, sum(count), max(at) FROM taken WHERE counted = %(dropped)s GROUP BY agent, name
                ON CONFLICT (agent, name) DO UPDATE
                SET count = sums.count + excluded.count, last_at = greatest(sums.last_at, excluded.last_at)
            )
            INSERT INTO integrations_unreadevent AS sums (agent, signal, name, known, count, first_at, last_at)
            SELECT agent, signal, name, bool_or(counted = %(not_kept)s), sum(count), min(at), max(at)
            FROM taken
            WHERE counted <> %(dropped)s
            GROUP BY agent, signal, name
            ON CONFLICT (agent, signal, name) DO UPDATE
            SET count = sums.count + excluded.count,
                known = excluded.known,
                first_at = least(sums.first_at, excluded.first_at),
                last_at = greatest(sums.last_at, excluded.last_at)
            """,
            {"dropped": Counted.DROPPED, "not_kept": Counted.NOT_KEPT},
        )

"""Events that nobody could read when they came, read again with today's vocabularies.

They were kept with their attributes, less content, for as long as raw telemetry is kept.  What stood in content (a
shell's exit code, the lines of a patch) is gone, and so are a span's ids; all else counts as if it came today.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, LiteralString, NamedTuple, cast

from django.db import connection, transaction

from integrations.models import ReceivedBatch, UnreadEvent
from integrations.telemetry.decode_figures import figures_of
from integrations.telemetry.decode_reading import Signal
from integrations.telemetry.decode_values import BadRecordError
from integrations.telemetry.sightings import SessionKey
from integrations.telemetry.store_rows import EVENT_COLUMNS, EVENT_TABLE, EventRow, encoded_events
from integrations.telemetry.store_sessions import YEAR_2000
from integrations.telemetry.store_transaction import FOLD_RECEIVED
from integrations.telemetry.vocabularies import vocabulary_of_agent
from integrations.telemetry.vocabularies.vocabulary import Event, EventReading
from orgtree.nudges import nudge_on_commit

ROWS_PER_TRANSACTION = 2_000
STAGING = f"{EVENT_TABLE}_read_again"


class _Row(NamedTuple):
    at: datetime
    digest: Any  # UUID
    session_id: int
    attributes: str


def read_unread_events_again() -> int:
    """Read what was kept of events that vocabularies know by now; how many are read."""
    listed = UnreadEvent.objects.filter(known=False).exclude(signal=Signal.METRICS)
    return sum(_read_again(unread) for unread in listed)


def _read_again(unread: UnreadEvent) -> int:
    vocabulary = vocabulary_of_agent(unread.agent)
    is_span = unread.signal == Signal.TRACES
    name = unread.name if is_span else unread.name.removeprefix(vocabulary.event_prefix)
    listed = (vocabulary.spans if is_span else vocabulary.events).get(name)
    if listed is None:
        return 0

    def reading_of(attributes: dict[str, Any]) -> EventReading:
        return listed(attributes) if callable(listed) else listed

    read, waits = 0, False
    found = _rows_of(unread)
    for start in range(0, len(found), ROWS_PER_TRANSACTION):
        rows = found[start : start + ROWS_PER_TRANSACTION]
        readings = [reading_of(json.loads(row.attributes)) for row in rows]
        waits = waits or any(map(_tells_nothing, rows, readings))
        with transaction.atomic():
            read += _store(name, rows, readings)
    if not waits:
        unread.known = True
        unread.save(update_fields=["known"])
    return read


def _tells_nothing(row: _Row, reading: EventReading) -> bool:
    """Of a version of which these words are still not known."""
    return isinstance(reading, Event) and bool(reading.tells) and reading.tells.isdisjoint(json.loads(row.attributes))


def _rows_of(unread: UnreadEvent) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT event.at, event.digest, event.session_id, event.attributes::text
            FROM integrations_agent_event event
            JOIN integrations_agentsession session ON session.id = event.session_id
            WHERE event.attributes IS NOT NULL AND event.name = %s AND session.agent = %s
            ORDER BY event.at, event.digest
            """,
            [unread.name, unread.agent],
        )
        return [_Row(*row) for row in cursor.fetchall()]


def _store(name: str, rows: Sequence[_Row], readings: Sequence[EventReading]) -> int:
    """Write the rows anew as what they mean, for the next fold; those that cannot be read stay as they are."""
    read = []
    for row, reading in zip(rows, readings, strict=True):
        if isinstance(reading, Event) and not _tells_nothing(row, reading):
            try:
                figures = figures_of(name, reading, json.loads(row.attributes))
            except BadRecordError:
                continue
            at = (row.at - YEAR_2000).total_seconds()
            session = cast(SessionKey, row.session_id)  # known already: encoded as it is
            read.append(EventRow(round(at * 1_000_000), row.digest.bytes, session, reading.kind, figures))
    if not read:
        return 0
    batch = ReceivedBatch.objects.create(at_from=rows[0].at, at_to=rows[-1].at)
    ids = {cast(SessionKey, row.session_id): row.session_id for row in rows}
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {STAGING} (LIKE {EVENT_TABLE}) ON COMMIT DELETE ROWS")
        with cursor.copy(f"COPY {STAGING} ({EVENT_COLUMNS}) FROM STDIN BINARY") as copy:
            copy.write(encoded_events(read, batch.pk, ids))
        cursor.execute(WRITE_ANEW)
    nudge_on_commit(FOLD_RECEIVED)
    return len(read)


WRITE_ANEW: LiteralString = f"""
    UPDATE {EVENT_TABLE} AS kept
    SET ({EVENT_COLUMNS}) = (SELECT {EVENT_COLUMNS} FROM {STAGING} again
                             WHERE again.at = kept.at AND again.digest = kept.digest)
    FROM {STAGING} chosen
    WHERE chosen.at = kept.at AND chosen.digest = kept.digest
"""  # noqa: S608  # this module's own constants

"""Replace reprocessed rows in the raw tables.

A merged request keeps the maximum of each figure.  If a record lacked its cached tokens, all its input counted as
uncached, and the maximum would preserve that; so the merged row is deleted, and the next fold rebuilds it from all of
its raw rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, LiteralString, NamedTuple, cast
from uuid import UUID

from django.db import connection, transaction
from psycopg import sql
from psycopg.types.numeric import Int8

from core.nudges import nudge_on_commit
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.otlp.session_keys import SessionKey
from integrations.telemetry.otlp.store import FOLD_RECEIVED, insert_staged
from integrations.telemetry.otlp.store_partitions import DAY, day_number, ensure_partitions, forget_partitions
from integrations.telemetry.otlp.store_rows import (
    EVENT_TABLE,
    EVENTS,
    POINTS,
    EventRow,
    PointRow,
    event_values,
    events_in_order,
    point_values,
    points_in_order,
    time_at,
)
from integrations.telemetry.otlp.store_sessions import open_batch
from integrations.telemetry.sessions.calendar import rebuild_days_of


class Reprocessed(NamedTuple):
    """The new interpretation of a row: an event (None: only points), points, and whether it stays unread."""

    event: EventRow | None
    points: tuple[PointRow, ...]
    is_still_unread: bool


@dataclass(frozen=True, slots=True)
class ReplacedRow:
    """A stored row, and its replacement."""

    at: int
    digest: bytes
    session_id: int | None
    key: str
    batch_id: int
    read: Reprocessed


def store_reprocessed(rows: Sequence[ReplacedRow]) -> None:
    """Replace the rows for the next fold, in the caller's transaction."""
    _wait_for_folds({row.batch_id for row in rows})
    events = events_in_order(row.read.event for row in rows if row.read.event is not None)
    points = points_in_order(point for row in rows for point in row.read.points)
    forget_partitions()  # old partitions may have been dropped meanwhile
    for table, new_rows in ((EVENTS, events), (POINTS, points)):
        ensure_partitions(table.name, {day_number(row.at) for row in new_rows})
    new: dict[SessionKey, int] = {}
    for at, session in [(event.at, event.session) for event in events] + [
        (point.at, point.session) for point in points
    ]:
        if isinstance(session, SessionKey):
            new[session] = min(at, new.get(session, at))
    times = [row.at for row in rows] + [event.at for event in events]
    bounds = {"earliest": max(min(times) - DAY, 0), "latest": max(times) + DAY}  # other records of the same requests
    batch = open_batch(new, **bounds)
    known = {row.session_id for row in rows if row.session_id is not None}
    sessions: Mapping[SessionKey, int] = {**batch.sessions, **{cast(SessionKey, id_): id_ for id_ in known}}
    with connection.cursor() as cursor:
        cursor.execute(LOCK_SESSIONS, [[Int8(id_) for id_ in sorted({*known, *batch.sessions.values()})]])
        cursor.execute(DELETE_ROWS, [[time_at(row.at) for row in rows], [UUID(bytes=row.digest) for row in rows]])
        insert_staged(EVENTS, event_values(events, batch.id, sessions))
        insert_staged(POINTS, point_values(points, batch.id, sessions), REPLACE_POINT)
        described = {
            (row.session_id, row.key or str(UUID(bytes=row.digest))) for row in rows if row.session_id is not None
        }
        batches = [Int8(batch_id) for batch_id in sorted({row.batch_id for row in rows})]
        cursor.execute(RECEIVED_BEFORE, [time_at(min(times)), time_at(max(times)), batch.id, batches])
        parameters: dict[str, Any] = {
            "sessions": [Int8(session) for session, _ in described],
            "keys": [key for _, key in described],
            "batch": batch.id,
            "kinds": [int(EventKind.REQUEST), int(EventKind.TOOL_CALL)],
            **{name: time_at(at) for name, at in bounds.items()},
        }
        taken_back: set[tuple[int, date]] = set()
        for merged in ("integrations_agentrequest", "integrations_agenttoolcall"):
            cursor.execute(DELETE_MERGED.format(merged=sql.Identifier(merged), described=_DESCRIBED), parameters)
            taken_back |= set(cursor.fetchall())
        cursor.execute(REASSIGN_ROWS, parameters)
        cursor.execute(DAYS_OF_BATCH, parameters)
        left_to_none = taken_back - set(cursor.fetchall())  # the next fold rebuilds the others
        left = {row.session_id for row in rows if row.read.event and isinstance(row.read.event.session, SessionKey)}
        left.discard(None)
        for statement in (REASSIGN_POINTS, DELETE_EMPTY_SLOTS, MARK_WITHOUT_WORK) if left else ():
            cursor.execute(statement, {**parameters, "left": [Int8(session) for session in sorted(filter(None, left))]})
    rebuilt = {session for session, _ in left_to_none} | {session for session in left if session is not None}
    if rebuilt:
        rebuild_days_of(sorted(rebuilt))
    transaction.on_commit(batch.remember)
    nudge_on_commit(FOLD_RECEIVED)


def _wait_for_folds(batches: set[int]) -> None:
    """Wait for folds of these rows to finish; the row locks prevent new folds from claiming their batches."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM integrations_receivedbatch WHERE id = ANY (%s::bigint[]) ORDER BY id FOR UPDATE",
            [[Int8(batch) for batch in sorted(batches)]],
        )


LOCK_SESSIONS: LiteralString = """
    SELECT id FROM integrations_agentsession WHERE id = ANY (%s::bigint[]) ORDER BY id FOR NO KEY UPDATE
"""
# Keep the time of receipt, so that retention of these days does not start over.
RECEIVED_BEFORE: LiteralString = """
    UPDATE integrations_receivedbatch batch SET received_at = coalesce(known.at, batch.received_at)
    FROM (
        SELECT min(last_received_at) AS at FROM integrations_rawday
        WHERE day BETWEEN (%s AT TIME ZONE 'UTC')::date AND (%s AT TIME ZONE 'UTC')::date
    ) AS known
    WHERE batch.id = %s
      AND NOT EXISTS (SELECT FROM integrations_receivedbatch unfolded WHERE unfolded.id = ANY (%s::bigint[]))
"""
_EVENT = {"event": sql.Identifier(EVENT_TABLE), "staged": sql.Identifier(f"{EVENT_TABLE}_staging")}
DELETE_ROWS = sql.SQL(
    """
    DELETE FROM {event} event USING unnest(%s::timestamptz[], %s::uuid[]) AS read (at, digest)
    WHERE event.at = read.at AND event.digest = read.digest
    """
).format(**_EVENT)
REPLACE_POINT = sql.SQL(
    """(at, series, start) DO UPDATE
    SET batch_id = excluded.batch_id, session_id = excluded.session_id, measure = excluded.measure,
        model = excluded.model, value = excluded.value
    """
)
# The requests and calls of these rows, before and now.
_DESCRIBED = sql.SQL(
    """
    SELECT * FROM unnest(%(sessions)s::bigint[], %(keys)s::text[]) AS before (session_id, key)
    UNION
    SELECT session_id, CASE key WHEN '' THEN digest::text ELSE key END FROM {staged}
    WHERE session_id IS NOT NULL
    """
).format(**_EVENT)
# Except if raw rows of the request may have been dropped: there the merged maxima stay.
DELETE_MERGED = sql.SQL(
    """
    DELETE FROM {merged} merged USING ({described}) AS described
    WHERE merged.session_id = described.session_id AND merged.key = described.key AND merged.at >= %(earliest)s
      AND NOT EXISTS (
          SELECT FROM integrations_rawday day
          WHERE day.day = (merged.at AT TIME ZONE 'UTC')::date AND day.closed_at IS NOT NULL
      )
    RETURNING merged.session_id, (merged.at AT TIME ZONE current_setting('TimeZone'))::date
    """
)
# Move all raw rows of the same requests and calls to the new batch.
REASSIGN_ROWS = sql.SQL(
    """
    UPDATE {event} event SET batch_id = %(batch)s
    FROM ({described}) AS described
    WHERE event.session_id = described.session_id AND event.key = described.key AND batch_id <> %(batch)s
      AND event.at BETWEEN %(earliest)s AND %(latest)s AND kind = ANY (%(kinds)s)
    """
).format(**_EVENT, described=_DESCRIBED)
# The substitute sessions of records whose session became known: the next fold sums up the points that stay there.
REASSIGN_POINTS: LiteralString = """
    UPDATE integrations_agent_point SET batch_id = %(batch)s
    WHERE session_id = ANY (%(left)s::bigint[]) AND at BETWEEN %(earliest)s AND %(latest)s
"""
DELETE_EMPTY_SLOTS: LiteralString = """
    DELETE FROM integrations_agentmeterslot slot
    WHERE slot.session_id = ANY (%(left)s::bigint[]) AND slot.slot BETWEEN %(earliest)s AND %(latest)s
      AND NOT EXISTS (
          SELECT FROM integrations_agent_point point
          WHERE point.session_id = slot.session_id AND point.at >= slot.slot
            AND point.at < slot.slot + interval '15 minutes'
      )
      AND NOT EXISTS (
          SELECT FROM integrations_rawday day
          WHERE day.day = (slot.slot AT TIME ZONE 'UTC')::date AND day.closed_at IS NOT NULL
      )
"""
MARK_WITHOUT_WORK: LiteralString = """
    UPDATE integrations_agentsession session SET has_work = false
    WHERE session.id = ANY (%(left)s::bigint[]) AND session.is_unnamed
      AND NOT EXISTS (SELECT FROM integrations_agentrequest request WHERE request.session_id = session.id)
      AND NOT EXISTS (SELECT FROM integrations_agenttoolcall call WHERE call.session_id = session.id)
      AND NOT EXISTS (SELECT FROM integrations_agentmeterslot slot WHERE slot.session_id = session.id)
"""
DAYS_OF_BATCH = sql.SQL(
    """
    SELECT session_id, (min(at) AT TIME ZONE current_setting('TimeZone'))::date
    FROM {event}
    WHERE batch_id = %(batch)s AND at BETWEEN %(earliest)s AND %(latest)s AND kind = ANY (%(kinds)s)
      AND session_id IS NOT NULL
    GROUP BY session_id, CASE key WHEN '' THEN digest::text ELSE key END
    """
).format(**_EVENT)

"""Store the places that the claimed rows name, and assign their sessions to them."""

from __future__ import annotations

from typing import LiteralString

from core import sql
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.places import place_sessions, store_places

# Limits the requests compared for a session in several places: reading all requests of an endless session would take
# longer with each fold.
MOST_REQUESTS = 10_000


def store_named_places() -> None:
    """Store the places of the claimed rows, before requests refer to them."""
    named = sql.rows(NAMED)
    if named:
        store_places(named)
        sql.execute(NOTE_PLACES, {"tool_call": int(EventKind.TOOL_CALL)})


def place_sessions_of_fold() -> None:
    """Assign a place to the sessions whose claimed rows name one."""
    sessions = sql.column(SESSIONS)
    if sessions:
        sql.execute(COUNT_TOKENS, {"sessions": sessions, "most": MOST_REQUESTS})
        place_sessions(sessions)


_PLACED: LiteralString = """
    SELECT session_id, at, place, kind FROM fold_event WHERE place <> ''
    UNION ALL
    SELECT session_id, at, place, NULL FROM fold_point WHERE place <> ''
"""
NAMED: LiteralString = f"""
    SELECT DISTINCT md5(place)::uuid, place::jsonb ->> 0, place::jsonb ->> 1, place::jsonb ->> 2
    FROM ({_PLACED}) AS placed
"""  # noqa: S608  # a constant

# Only the fold writes here, holding the locks of the sessions.
NOTE_PLACES: LiteralString = f"""
    INSERT INTO integrations_sessionplace AS known (session_id, place_id, first_at, last_at, called_at)
    SELECT placed.session_id, place.id, min(placed.at), max(placed.at),
           min(placed.at) FILTER (WHERE placed.kind = %(tool_call)s)
    FROM ({_PLACED}) AS placed
    JOIN integrations_telemetryplace place ON place.key = md5(placed.place)::uuid
    GROUP BY placed.session_id, place.id
    ON CONFLICT (session_id, place_id) DO UPDATE
    SET first_at = LEAST(known.first_at, excluded.first_at), last_at = GREATEST(known.last_at, excluded.last_at),
        called_at = LEAST(known.called_at, excluded.called_at)
"""  # noqa: S608  # a constant

SESSIONS: LiteralString = f"SELECT DISTINCT session_id FROM ({_PLACED}) AS placed"  # noqa: S608  # a constant

COUNT_TOKENS: LiteralString = """
    UPDATE integrations_sessionplace stored SET tokens = counted.tokens
    FROM (
        SELECT several.session_id, request.place_id,
               sum(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens)::bigint AS tokens
        FROM (
            SELECT session_id FROM integrations_sessionplace
            WHERE session_id = ANY (%(sessions)s) GROUP BY session_id HAVING count(*) > 1
        ) AS several
        CROSS JOIN LATERAL (
            SELECT * FROM integrations_agentrequest
            WHERE session_id = several.session_id ORDER BY at DESC LIMIT %(most)s
        ) AS request
        WHERE request.place_id IS NOT NULL
        GROUP BY several.session_id, request.place_id
    ) AS counted
    WHERE stored.session_id = counted.session_id AND stored.place_id = counted.place_id
      AND stored.tokens <> counted.tokens
"""

"""Temporary tables of a fold: claimed rows, and what they affect."""

from __future__ import annotations

from typing import LiteralString

from core import sql

COLLECTOR = "headway-agent"  # the sender of the collector's events
LARGE_BYTES = 500_000  # some 5,000 rows

# ON COMMIT DELETE ROWS: folds that share a connection create them once and find them empty.
TABLES: LiteralString = """
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_event (
        session_id bigint, at timestamptz, kind smallint, key text, model text, tool text, outcome text,
        error_type text, input_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint,
        output_tokens bigint, duration_ms bigint, reported_cost numeric, cache_write_1h_tokens bigint,
        service_tier text, sender text, subtracted_tokens bigint, place text, parts jsonb, span text, parent_span text
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_point (
        session_id bigint, at timestamptz, series uuid, start timestamptz, cumulative boolean, place text
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_touched (session_id bigint) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_neighbour (
        session_id bigint, neighbour_id bigint
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_handed (
        session_id bigint, process_id bigint, slot timestamptz, model text
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_session (
        session_id bigint, identity_id bigint, agent text, started_on date, is_unnamed boolean, began timestamptz
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_request (
        session_id bigint, key text, stored_at timestamptz, at timestamptz, model text, input_tokens bigint,
        cache_read_tokens bigint, cache_write_tokens bigint, output_tokens bigint, duration_ms bigint,
        reported_cost numeric, cache_write_1h_tokens bigint, service_tier text, sender text, subtracted_tokens bigint,
        place_id bigint, reports_1h_tokens boolean, span text, parent_span text,
        skill text, sub_agent text, plugin text, mcp_server text, effort text, query_source text, provider text
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_slot (session_id bigint, slot timestamptz) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_day (
        session_id bigint, source text, day date, switched boolean DEFAULT false
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_family (
        identity_id bigint, agent text, first timestamptz, last timestamptz,
        reach_first timestamptz, reach_last timestamptz
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_quarter (
        identity_id bigint, agent text, is_unnamed boolean, began timestamptz,
        session_id bigint, slot timestamptz, is_touched boolean, covers_from timestamptz, covers_to timestamptz,
        tokens bigint, event_tokens bigint, tokens_before bigint, chain bigint
    ) ON COMMIT DELETE ROWS;
    CREATE INDEX IF NOT EXISTS fold_quarter_of_identity ON fold_quarter (identity_id, slot);
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_assigned (
        request_id bigint, tokens bigint, session_id bigint, slot timestamptz
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_rebuilt_day (
        session_id bigint, identity_id bigint, agent text, source text, day date,
        after timestamptz, before timestamptz
    ) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_large_day (session_id bigint, day date) ON COMMIT DELETE ROWS;
    CREATE TEMPORARY TABLE IF NOT EXISTS fold_difference (
        sign int, session_id bigint, day date, tool text, prompt_above int, service_tier text, model text,
        counted boolean, requests int, input_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint,
        cache_write_1h_tokens bigint, output_tokens bigint, spend numeric, unpriced_tokens bigint,
        reported_cost numeric, surcharge_1h numeric, compared boolean, calls int, failures int, refusals int
    ) ON COMMIT DELETE ROWS;
    TRUNCATE fold_event, fold_point, fold_touched, fold_neighbour, fold_handed, fold_session, fold_request, fold_slot,
             fold_day, fold_rebuilt_day, fold_large_day, fold_difference, fold_family, fold_quarter, fold_assigned;
"""


def create_tables() -> None:
    """Create the tables if this connection has none yet, and truncate them."""
    sql.execute(TABLES)


def lock_touched_sessions() -> None:
    """Lock the sessions of `fold_touched` in a fixed order, and copy their state: `began` with their first event."""
    sql.execute(
        """
        INSERT INTO fold_session
        SELECT session.id, session.identity_id, session.agent, session.started_on, session.is_unnamed,
               LEAST(lower(session.event_stretches), staged.at)
        FROM integrations_agentsession session
        LEFT JOIN (SELECT session_id, min(at) AS at FROM fold_event GROUP BY session_id) AS staged
          ON staged.session_id = session.id
        WHERE session.id IN (SELECT session_id FROM fold_touched)
        ORDER BY session.id
        FOR NO KEY UPDATE OF session
        """
    )


def is_any(table: LiteralString, condition: LiteralString = "true") -> bool:
    """Whether the table has a row that satisfies the condition."""
    return bool(sql.value(f"SELECT EXISTS (SELECT FROM {table} WHERE {condition})"))  # noqa: S608  # this package's constants


def analyse_where_large(table: LiteralString) -> None:
    """Analyse a temporary table if it is large.

    For small tables the planner's default is good enough, and statistics every second would bloat the catalogue.
    """
    if sql.value("SELECT pg_relation_size(%s::regclass)", [table]) > LARGE_BYTES:
        sql.execute(f"ANALYZE {table}")

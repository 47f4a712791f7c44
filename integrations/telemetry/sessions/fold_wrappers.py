"""Requests that other programs report as well: each call counts once.

An agent's own telemetry and a library for its model's provider may both have a span for one call, with one span as the
parent of the other.  A parent span of several requests may repeat their sums.  So if a request and its child have the
same model and the child is within the parent's time, one of them is left out as a wrapper:

- If both report the same output, they are the same call: the one with more cached tokens counts, or else the child.
- If the child reports no prompt, and no output or the same output, it does not know the call's tokens and is left out.
- Otherwise the parent is left out.

A request that only a transcript names, under an id of the collector's own, cannot be compared with telemetry.  It is
left out within a quarter of an hour of a request that telemetry reports for its session.
"""

from __future__ import annotations

from typing import LiteralString

from core import sql
from integrations.telemetry.sessions.fold_tables import is_any


def find_wrappers() -> None:
    """Mark the wrappers among the merged requests, their parents and children, and add their days to fold_day."""
    if is_any("fold_request", "span IS NOT NULL"):
        sql.execute(MARK_WRAPPERS)
    sql.execute(MARK_TRANSCRIBED)


# Spans end about when their calls do; programs may date a child's end a moment after its parent's.  Perhaps only one of
# both names the seller of the model.
_PAIR: LiteralString = """
    above.session_id = below.session_id AND above.span = below.parent_span AND above.id <> below.id
    AND below.at <= above.at + interval '1 second'
    AND below.at >= above.at - coalesce(above.duration_ms, 0) * interval '1 millisecond' - interval '1 second'
    AND (regexp_replace(above.model, '.*/', '') = regexp_replace(below.model, '.*/', '')
         OR above.model = '' OR below.model = ''
         OR above.output_tokens = below.output_tokens AND below.output_tokens > 0)
"""
_ABOVE_KNOWS_MORE: LiteralString = """
    (
        above.output_tokens = below.output_tokens
        AND above.cache_read_tokens + above.cache_write_tokens > below.cache_read_tokens + below.cache_write_tokens
        OR above.input_tokens + above.cache_read_tokens + above.cache_write_tokens + above.output_tokens > 0
        AND below.input_tokens + below.cache_read_tokens + below.cache_write_tokens = 0
        AND below.output_tokens IN (0, above.output_tokens)
    )
"""

MARK_WRAPPERS: LiteralString = f"""
    WITH touched AS (
        SELECT request.id, request.session_id, request.span, request.parent_span
        FROM fold_request JOIN integrations_agentrequest request USING (session_id, key)
        WHERE request.span IS NOT NULL
    ), candidate AS (
        SELECT id FROM touched
        UNION
        SELECT request.id FROM touched
        JOIN integrations_agentrequest request
          ON request.session_id = touched.session_id AND request.parent_span = touched.span
        UNION
        SELECT request.id FROM touched
        JOIN integrations_agentrequest request
          ON request.session_id = touched.session_id AND request.span = touched.parent_span
    ), judged AS (
        SELECT request.id,
               EXISTS (
                   SELECT FROM integrations_agentrequest below, (SELECT request.*) AS above
                   WHERE {_PAIR} AND NOT ({_ABOVE_KNOWS_MORE})
               ) OR EXISTS (
                   SELECT FROM integrations_agentrequest above, (SELECT request.*) AS below
                   WHERE {_PAIR} AND {_ABOVE_KNOWS_MORE}
               ) AS is_wrapper
        FROM candidate JOIN integrations_agentrequest request USING (id)
    ), switched AS (
        UPDATE integrations_agentrequest stored
        SET is_wrapper = judged.is_wrapper, counted = NOT judged.is_wrapper
        FROM judged
        WHERE stored.id = judged.id AND stored.is_wrapper <> judged.is_wrapper
        RETURNING stored.session_id, stored.at
    )
    INSERT INTO fold_day
    SELECT DISTINCT session_id, 'events', (at AT TIME ZONE current_setting('TimeZone'))::date, true FROM switched
"""  # noqa: S608  # constants

# agent_request_of_transcript is an index of these alone: sessions without any cost nothing.
MARK_TRANSCRIBED: LiteralString = """
    WITH judged AS (
        SELECT own.id, EXISTS (
            SELECT FROM integrations_agentrequest other
            WHERE other.session_id = own.session_id AND NOT other.is_wrapper
              AND NOT starts_with(other.key, 'transcript:')
              AND other.at BETWEEN own.at - interval '15 minutes' AND own.at + interval '15 minutes'
        ) AS is_wrapper
        FROM (SELECT DISTINCT session_id FROM fold_request) AS touched
        JOIN integrations_agentrequest own
          ON own.session_id = touched.session_id AND own.key LIKE 'transcript:%'
    ), switched AS (
        UPDATE integrations_agentrequest stored
        SET is_wrapper = judged.is_wrapper, counted = NOT judged.is_wrapper
        FROM judged
        WHERE stored.id = judged.id AND stored.is_wrapper <> judged.is_wrapper
        RETURNING stored.session_id, stored.at
    )
    INSERT INTO fold_day
    SELECT DISTINCT session_id, 'events', (at AT TIME ZONE current_setting('TimeZone'))::date, true FROM switched
"""

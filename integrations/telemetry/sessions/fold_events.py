"""Merge claimed events into requests and tool calls.

Several records may describe the same request or call (a log event, a span, a repetition): they are merged by key, and
each column by a rule that is independent of their order.
"""

from __future__ import annotations

from typing import Any, LiteralString

from core import sql
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.prices.rates import HOUR, MINUTE, RATES, SPEND, SURCHARGE, RateKey, rate_parameters
from integrations.telemetry.sessions.fold_tables import is_any


def merge_requests() -> None:
    """Merge completed requests: the maximum of each figure, the earliest time, and the price.

    They are merged with stored rows in a temporary table, and priced on insert, so that each is written once.  What was
    subtracted from the input of a sender that counts cached tokens apart is added again (cached_apart.py).
    """
    sql.execute(
        """
        INSERT INTO fold_request (
            session_id, key, stored_at, at, model, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
            duration_ms, reported_cost, cache_write_1h_tokens, service_tier, sender, subtracted_tokens, place_id,
            skill, sub_agent, plugin, mcp_server, effort, query_source, provider
        )
        SELECT fresh.session_id, fresh.key, stored.at, LEAST(stored.at, fresh.at), GREATEST(stored.model, fresh.model),
               GREATEST(
                   stored.input_tokens + CASE WHEN apart.sender IS NULL THEN 0 ELSE stored.subtracted_tokens END,
                   fresh.input_tokens, 0
               ),
               GREATEST(stored.cache_read_tokens, fresh.cache_read_tokens, 0),
               GREATEST(stored.cache_write_tokens, fresh.cache_write_tokens, 0),
               GREATEST(stored.output_tokens, fresh.output_tokens, 0),
               GREATEST(stored.duration_ms, fresh.duration_ms),
               GREATEST(stored.reported_cost, fresh.reported_cost),
               GREATEST(stored.cache_write_1h_tokens, fresh.cache_write_1h_tokens, 0),
               GREATEST(stored.service_tier, fresh.service_tier),
               GREATEST(stored.sender, fresh.sender),
               GREATEST(CASE WHEN apart.sender IS NULL THEN stored.subtracted_tokens END, fresh.subtracted_tokens, 0),
               coalesce(stored.place_id, place.id),
               GREATEST(stored.skill, fresh.skill, ''), GREATEST(stored.sub_agent, fresh.sub_agent, ''),
               GREATEST(stored.plugin, fresh.plugin, ''), GREATEST(stored.mcp_server, fresh.mcp_server, ''),
               GREATEST(stored.effort, fresh.effort, ''), GREATEST(stored.query_source, fresh.query_source, ''),
               GREATEST(stored.provider, fresh.provider, '')
        FROM (
            SELECT session_id, key, min(at) AS at, max(model) AS model,
                   max(input_tokens + CASE WHEN apart.sender IS NULL THEN 0 ELSE subtracted_tokens END) AS input_tokens,
                   max(cache_read_tokens) AS cache_read_tokens, max(cache_write_tokens) AS cache_write_tokens,
                   max(output_tokens) AS output_tokens, max(duration_ms) AS duration_ms,
                   max(reported_cost) AS reported_cost, max(cache_write_1h_tokens) AS cache_write_1h_tokens,
                   max(service_tier) AS service_tier, max(sender) AS sender,
                   max(subtracted_tokens) FILTER (WHERE apart.sender IS NULL) AS subtracted_tokens,
                   max(place) AS place,
                   max(parts ->> 'skill') AS skill, max(parts ->> 'sub_agent') AS sub_agent,
                   max(parts ->> 'plugin') AS plugin, max(parts ->> 'mcp_server') AS mcp_server,
                   max(parts ->> 'effort') AS effort, max(parts ->> 'query_source') AS query_source,
                   max(parts ->> 'provider') AS provider
            FROM fold_event
            LEFT JOIN integrations_apartsender apart USING (sender)
            WHERE kind = %(kind)s
            GROUP BY session_id, key
        ) AS fresh
        LEFT JOIN integrations_agentrequest stored USING (session_id, key)
        LEFT JOIN integrations_apartsender apart ON apart.sender = stored.sender
        LEFT JOIN integrations_telemetryplace place
          ON fresh.place <> '' AND place.key = md5(fresh.place)::uuid
        """,
        {"kind": int(EventKind.REQUEST)},
    )
    rates = _rates_of_requests()
    sql.execute(f"{INSERT_PRICED_REQUESTS} WHERE request.stored_at IS NULL", rates)
    if is_any("fold_request", "stored_at IS NOT NULL"):
        sql.execute(f"{INSERT_PRICED_REQUESTS} WHERE request.stored_at IS NOT NULL {UPDATE_STORED}", rates)
    sql.execute(
        """
        INSERT INTO fold_day
        SELECT session_id, 'events', (at AT TIME ZONE current_setting('TimeZone'))::date FROM fold_request
        UNION
        SELECT session_id, 'events', (stored_at AT TIME ZONE current_setting('TimeZone'))::date FROM fold_request
        WHERE stored_at IS NOT NULL
        """
    )


# Requests are usually new.  Only the fold inserts them, holding the locks of their sessions, so rows that were missing
# before still are; checking each row again with ON CONFLICT would cost a third more.
INSERT_PRICED_REQUESTS: LiteralString = f"""
    INSERT INTO integrations_agentrequest AS stored (
        session_id, key, at, model, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
        duration_ms, reported_cost, spend, surcharge_1h, cache_write_1h_tokens, inferred_1h_tokens, service_tier,
        price_version_id, sender, subtracted_tokens, place_id,
        skill, sub_agent, plugin, mcp_server, effort, query_source, provider
    )
    SELECT request.session_id, request.key, request.at, request.model, request.input_tokens,
           request.cache_read_tokens, request.cache_write_tokens, request.output_tokens, request.duration_ms,
           request.reported_cost, {SPEND}, {SURCHARGE}, request.cache_write_1h_tokens, hour.inferred,
           request.service_tier, rate.version, request.sender, request.subtracted_tokens,
           request.place_id, request.skill, request.sub_agent, request.plugin, request.mcp_server, request.effort,
           request.query_source, request.provider
    FROM fold_request request
    JOIN fold_session session USING (session_id)
    LEFT JOIN {RATES}
    {HOUR}
"""  # noqa: S608  # constants of rates.py

UPDATE_STORED: LiteralString = """
    ON CONFLICT (session_id, key) DO UPDATE
    SET at = excluded.at,
        model = excluded.model,
        input_tokens = excluded.input_tokens,
        cache_read_tokens = excluded.cache_read_tokens,
        cache_write_tokens = excluded.cache_write_tokens,
        output_tokens = excluded.output_tokens,
        duration_ms = excluded.duration_ms,
        reported_cost = excluded.reported_cost,
        spend = excluded.spend,
        surcharge_1h = excluded.surcharge_1h,
        inferred_1h_tokens = excluded.inferred_1h_tokens,
        sender = excluded.sender,
        subtracted_tokens = excluded.subtracted_tokens,
        cache_write_1h_tokens = excluded.cache_write_1h_tokens,
        service_tier = excluded.service_tier,
        price_version_id = excluded.price_version_id,
        place_id = excluded.place_id,
        skill = excluded.skill,
        sub_agent = excluded.sub_agent,
        plugin = excluded.plugin,
        mcp_server = excluded.mcp_server,
        effort = excluded.effort,
        query_source = excluded.query_source,
        provider = excluded.provider
"""


def _rates_of_requests() -> dict[str, list[Any]]:
    rows = sql.rows(
        f"""
        SELECT DISTINCT request.model, session.agent, request.service_tier, {MINUTE}
        FROM fold_request request JOIN fold_session session USING (session_id)
        """  # noqa: S608  # a constant
    )
    return rate_parameters([RateKey(*row) for row in rows])


def merge_tool_calls() -> None:
    """Merge tool calls.  A refusal wins over other outcomes, and a failure over a success.

    An agent may also report a refused call as failed; a span may have the exit code that the log event lacks.
    """
    parameters = {"kind": int(EventKind.TOOL_CALL), "outcomes": ["succeeded", "failed", "refused"]}
    sql.execute(
        """
        INSERT INTO fold_day
        SELECT session_id, 'events', (at AT TIME ZONE current_setting('TimeZone'))::date
        FROM fold_event WHERE kind = %(kind)s AND outcome = ANY (%(outcomes)s)
        UNION
        SELECT session_id, 'events', (stored.at AT TIME ZONE current_setting('TimeZone'))::date
        FROM fold_event JOIN integrations_agenttoolcall stored USING (session_id, key)
        WHERE kind = %(kind)s
        """,
        parameters,
    )
    sql.execute(
        """
        INSERT INTO integrations_agenttoolcall AS stored (
            session_id, key, at, tool, outcome, error_type, duration_ms
        )
        SELECT session_id, key, min(at), max(tool),
               (%(outcomes)s::text[])[max(array_position(%(outcomes)s, outcome))],
               max(error_type), max(duration_ms)
        FROM fold_event
        WHERE kind = %(kind)s AND outcome = ANY (%(outcomes)s)
        GROUP BY session_id, key
        ON CONFLICT (session_id, key) DO UPDATE
        SET at = LEAST(stored.at, excluded.at),
            tool = GREATEST(stored.tool, excluded.tool),
            outcome = (%(outcomes)s::text[])[GREATEST(
                array_position(%(outcomes)s, stored.outcome::text),
                array_position(%(outcomes)s, excluded.outcome::text)
            )],
            error_type = GREATEST(stored.error_type, excluded.error_type),
            duration_ms = GREATEST(stored.duration_ms, excluded.duration_ms)
        """,
        parameters,
    )

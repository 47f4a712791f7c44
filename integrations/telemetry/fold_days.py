"""Requests, tool calls and quarters of an hour → the figures of each session's local days.

A day is rebuilt whole from what is merged, never added to: so it can be done any number of times, for the days that
a fold touched as well as for all of them.
"""

from __future__ import annotations

from typing import LiteralString

from django.db import connection

from integrations.telemetry.fold_tables import execute
from integrations.telemetry.prices import TokenCounts, price_of_day


def rebuild_days() -> None:
    """Rebuild the days named in fold_day, each source for itself."""
    execute("ANALYZE fold_day")
    execute(DELETE_DAYS)
    execute(INSERT_EVENT_DAYS)
    execute(INSERT_METRIC_DAYS)
    execute(DELETE_TOOL_DAYS)
    execute(INSERT_TOOL_DAYS)
    _price_metric_days()


DELETE_DAYS: LiteralString = """
    DELETE FROM integrations_agentsessionday stored USING fold_day touched
    WHERE stored.session_id = touched.session_id AND stored.day = touched.day AND stored.source = touched.source
"""

# Absurd sums of money stop at what the column holds: one sender's nonsense must not keep others' days from being built.
# What belongs to a day is decided by the last condition alone.  The one before it lets the index find the rows; it
# reaches two hours further, because a local midnight may come twice.
# CASE, because LEAST passes over a null: no cost would become the greatest one.
INSERT_EVENT_DAYS: LiteralString = """
    INSERT INTO integrations_agentsessionday (
        session_id, source, day, model, requests, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
        spend, unpriced_tokens, reported_cost, lines_added, lines_removed, tool_calls, tool_failures, tool_refusals,
        commits
    )
    WITH touched AS (
        SELECT DISTINCT session_id, day,
               (day::timestamp AT TIME ZONE current_setting('TimeZone')) - interval '2 hours' AS after,
               ((day + 1)::timestamp AT TIME ZONE current_setting('TimeZone')) + interval '2 hours' AS before
        FROM fold_day
        WHERE source = 'events'
    )
    SELECT session_id, 'events', day, model, sum(requests), sum(input_tokens), sum(cache_read_tokens),
           sum(cache_write_tokens), sum(output_tokens),
           CASE WHEN sum(spend) > 9999999999 THEN 9999999999 ELSE sum(spend) END, sum(unpriced_tokens),
           CASE WHEN sum(reported_cost) > 9999999999 THEN 9999999999 ELSE sum(reported_cost) END, 0, 0,
           sum(calls), sum(failures), sum(refusals), 0
    FROM (
        SELECT touched.session_id, touched.day, request.model, 1 AS requests, request.input_tokens,
               request.cache_read_tokens, request.cache_write_tokens, request.output_tokens, request.spend,
               CASE WHEN request.spend IS NULL THEN request.input_tokens + request.cache_read_tokens
                    + request.cache_write_tokens + request.output_tokens ELSE 0 END AS unpriced_tokens,
               request.reported_cost, 0 AS calls, 0 AS failures, 0 AS refusals
        FROM touched
        JOIN integrations_agentrequest request
          ON request.session_id = touched.session_id AND request.at BETWEEN touched.after AND touched.before
         AND (request.at AT TIME ZONE current_setting('TimeZone'))::date = touched.day
        UNION ALL
        SELECT touched.session_id, touched.day, '', 0, 0, 0, 0, 0, NULL, 0, NULL,
               (call.outcome <> 'refused')::int, (call.outcome = 'failed')::int, (call.outcome = 'refused')::int
        FROM touched
        JOIN integrations_agenttoolcall call
          ON call.session_id = touched.session_id AND call.at BETWEEN touched.after AND touched.before
         AND (call.at AT TIME ZONE current_setting('TimeZone'))::date = touched.day
    ) AS figures
    GROUP BY session_id, day, model
"""

INSERT_METRIC_DAYS: LiteralString = """
    INSERT INTO integrations_agentsessionday (
        session_id, source, day, model, requests, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
        spend, unpriced_tokens, reported_cost, lines_added, lines_removed, tool_calls, tool_failures, tool_refusals,
        commits
    )
    SELECT touched.session_id, 'metrics', touched.day, slot.model, 0,
           sum(slot.input_tokens), sum(slot.cache_read_tokens),
           sum(slot.cache_write_tokens), sum(slot.output_tokens),
           NULL,
           sum(slot.input_tokens + slot.cache_read_tokens + slot.cache_write_tokens + slot.output_tokens),
           CASE WHEN sum(slot.reported_cost) > 9999999999 THEN 9999999999 ELSE sum(slot.reported_cost) END,
           sum(slot.lines_added), sum(slot.lines_removed), 0, 0, 0,
           sum(slot.commits)
    FROM (SELECT DISTINCT session_id, day FROM fold_day WHERE source = 'metrics') AS touched
    JOIN integrations_agentmeterslot slot
      ON slot.session_id = touched.session_id
     AND slot.slot BETWEEN (touched.day::timestamp AT TIME ZONE current_setting('TimeZone')) - interval '2 hours'
                       AND ((touched.day + 1)::timestamp AT TIME ZONE current_setting('TimeZone')) + interval '2 hours'
     AND (slot.slot AT TIME ZONE current_setting('TimeZone'))::date = touched.day
    WHERE slot.active_from IS NOT NULL
    GROUP BY touched.session_id, touched.day, slot.model
"""

DELETE_TOOL_DAYS: LiteralString = """
    DELETE FROM integrations_agenttoolday stored USING fold_day touched
    WHERE stored.session_id = touched.session_id AND stored.day = touched.day AND touched.source = 'events'
"""

INSERT_TOOL_DAYS: LiteralString = """
    INSERT INTO integrations_agenttoolday (session_id, day, tool, calls, failures, refusals)
    SELECT touched.session_id, touched.day, call.tool,
           count(*) FILTER (WHERE call.outcome <> 'refused'),
           count(*) FILTER (WHERE call.outcome = 'failed'),
           count(*) FILTER (WHERE call.outcome = 'refused')
    FROM (SELECT DISTINCT session_id, day FROM fold_day WHERE source = 'events') AS touched
    JOIN integrations_agenttoolcall call
      ON call.session_id = touched.session_id
     AND call.at BETWEEN (touched.day::timestamp AT TIME ZONE current_setting('TimeZone')) - interval '2 hours'
                     AND ((touched.day + 1)::timestamp AT TIME ZONE current_setting('TimeZone')) + interval '2 hours'
     AND (call.at AT TIME ZONE current_setting('TimeZone'))::date = touched.day
    GROUP BY touched.session_id, touched.day, call.tool
"""


def _price_metric_days() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, model, day, input_tokens, cache_read_tokens, cache_write_tokens, output_tokens
            FROM integrations_agentsessionday
            WHERE (session_id, day) IN (SELECT session_id, day FROM fold_day WHERE source = 'metrics')
              AND source = 'metrics' AND unpriced_tokens > 0
            """
        )
        priced = [
            (row, spend)
            for row, model, day, *tokens in cursor.fetchall()
            if (spend := price_of_day(model, day, TokenCounts(*tokens))) is not None
        ]
        if priced:
            cursor.execute(
                """
                UPDATE integrations_agentsessionday figures SET spend = priced.spend, unpriced_tokens = 0
                FROM unnest(%s::bigint[], %s::numeric[]) AS priced (id, spend)
                WHERE figures.id = priced.id
                """,
                [[row for row, _ in priced], [spend for _, spend in priced]],
            )

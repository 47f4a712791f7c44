"""Incremental updates of days with very many requests and calls.

Other days are rebuilt completely (fold_days.py), which reads all their rows.  A service that names no conversation may
make millions of requests a day in one session: reading them again every second is not feasible.  So the old figures of
affected requests and calls are subtracted from such a day, and the new ones added.
"""

from __future__ import annotations

from typing import LiteralString

from django.db import connection

from core import sql
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.prices.lists import PROMPT_BOUNDS
from integrations.telemetry.sessions.fold_days import CALL_FIGURES, PROMPT_ABOVE, REQUEST_FIGURES, REQUEST_NAME
from integrations.telemetry.sessions.fold_tables import analyse_where_large

LARGE_DAY = 10_000  # requests and calls: rebuilding fewer takes some hundredths of a second
HALF_OF_MONEY = 5_000_000_000  # half the limit of a column: two such sums fit in


def find_large_days() -> bool:
    """Fill fold_large_day with the large days of sessions in fold_session; returns whether there are any.

    Days whose sums of money may exceed their column are left to rebuilding, which caps them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO fold_large_day
            SELECT session_id, day
            FROM integrations_agentsessionday
            WHERE session_id IN (SELECT session_id FROM fold_session) AND source = 'events'
            GROUP BY session_id, day
            HAVING sum(requests + tool_calls + tool_refusals) >= %(large)s
               AND coalesce(
                   max(GREATEST(spend, reported_cost, compared_cost, compared_spend, surcharge_1h)), 0
               ) < %(half)s
            """,
            {"large": LARGE_DAY, "half": HALF_OF_MONEY},
        )
        return bool(cursor.rowcount)


def note_figures_before() -> None:
    """Store the current figures of staged requests and calls on large days."""
    _note(-1)


def add_differences_to_large_days() -> None:
    """Add the differences of the merged requests and calls to large days.

    If values were removed from a nullable sum, only the whole day can tell whether it becomes null: such a day is
    rebuilt.
    """
    _note(1)
    analyse_where_large("fold_difference")
    sql.execute(EXCLUDE_UNCERTAIN_DAYS, {"half": HALF_OF_MONEY})
    for statement in (ADD_TO_DAYS, ADD_TO_TIER_DAYS, ADD_TO_TOOL_DAYS, *DELETE_EMPTY):
        sql.execute(statement)


def _note(sign: int) -> None:
    sql.execute(NOTE_REQUESTS, {"sign": sign, "kind": int(EventKind.REQUEST), "bounds": list(PROMPT_BOUNDS)})
    sql.execute(NOTE_CALLS, {"sign": sign, "kind": int(EventKind.TOOL_CALL)})


NOTE_REQUESTS: LiteralString = f"""
    INSERT INTO fold_difference
    SELECT %(sign)s, large.session_id, large.day, '', size.above, request.service_tier, {REQUEST_FIGURES}
    FROM (SELECT DISTINCT session_id, key FROM fold_event WHERE kind = %(kind)s) AS staged
    JOIN integrations_agentrequest request USING (session_id, key)
    JOIN fold_large_day large
      ON large.session_id = request.session_id
     AND large.day = (request.at AT TIME ZONE current_setting('TimeZone'))::date
    {REQUEST_NAME}
    CROSS JOIN LATERAL ({PROMPT_ABOVE}) AS size
"""  # noqa: S608  # put together from constants of fold_days.py; no value of a parameter

NOTE_CALLS: LiteralString = f"""
    INSERT INTO fold_difference
    SELECT %(sign)s, large.session_id, large.day, call.tool, 0, '', {CALL_FIGURES}
    FROM (SELECT DISTINCT session_id, key FROM fold_event WHERE kind = %(kind)s) AS staged
    JOIN integrations_agenttoolcall call USING (session_id, key)
    JOIN fold_large_day large
      ON large.session_id = call.session_id
     AND large.day = (call.at AT TIME ZONE current_setting('TimeZone'))::date
"""  # noqa: S608  # put together from constants of fold_days.py; no value of a parameter

EXCLUDE_UNCERTAIN_DAYS: LiteralString = """
    DELETE FROM fold_large_day large
    USING (
        SELECT session_id, day
        FROM fold_difference
        GROUP BY session_id, day, model
        HAVING sum(sign) FILTER (WHERE spend IS NOT NULL) < 0
            OR sum(sign) FILTER (WHERE reported_cost IS NOT NULL) < 0
            OR sum(sign) FILTER (WHERE compared) < 0
            OR sum(sign) FILTER (WHERE surcharge_1h IS NOT NULL) < 0
            OR sum(GREATEST(spend, reported_cost, surcharge_1h)) >= %(half)s
    ) AS uncertain
    WHERE large.session_id = uncertain.session_id AND large.day = uncertain.day
"""

# Sums over no rows are null.
ADD_TO_DAYS: LiteralString = """
    INSERT INTO integrations_agentsessionday AS stored (
        session_id, identity_id, agent, source, counted, day, model, requests, input_tokens, cache_read_tokens,
        cache_write_tokens, cache_write_1h_tokens, output_tokens, spend, unpriced_tokens, reported_cost, compared_cost,
        compared_spend, surcharge_1h, tool_calls, tool_failures, tool_refusals, lines_added, lines_removed, commits
    )
    SELECT session_id, session.identity_id, session.agent, 'events', session.events_counted, day, model,
           sum(sign * requests), sum(sign * input_tokens), sum(sign * cache_read_tokens),
           sum(sign * cache_write_tokens), sum(sign * cache_write_1h_tokens), sum(sign * output_tokens),
           sum(sign * spend), sum(sign * unpriced_tokens), sum(sign * reported_cost),
           sum(sign * reported_cost) FILTER (WHERE compared), sum(sign * spend) FILTER (WHERE compared),
           sum(sign * surcharge_1h), sum(sign * calls), sum(sign * failures), sum(sign * refusals), 0, 0, 0
    FROM fold_difference
    JOIN fold_large_day USING (session_id, day)
    JOIN fold_session session USING (session_id)
    GROUP BY session_id, session.identity_id, session.agent, session.events_counted, day, model
    ON CONFLICT (session_id, day, source, model) DO UPDATE
    SET requests = stored.requests + excluded.requests,
        input_tokens = stored.input_tokens + excluded.input_tokens,
        cache_read_tokens = stored.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = stored.cache_write_tokens + excluded.cache_write_tokens,
        cache_write_1h_tokens = stored.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
        output_tokens = stored.output_tokens + excluded.output_tokens,
        spend = coalesce(stored.spend + excluded.spend, stored.spend, excluded.spend),
        unpriced_tokens = stored.unpriced_tokens + excluded.unpriced_tokens,
        reported_cost = coalesce(stored.reported_cost + excluded.reported_cost, stored.reported_cost,
                                 excluded.reported_cost),
        compared_cost = coalesce(stored.compared_cost + excluded.compared_cost, stored.compared_cost,
                                 excluded.compared_cost),
        compared_spend = coalesce(stored.compared_spend + excluded.compared_spend, stored.compared_spend,
                                  excluded.compared_spend),
        surcharge_1h = coalesce(stored.surcharge_1h + excluded.surcharge_1h, stored.surcharge_1h,
                                excluded.surcharge_1h),
        tool_calls = stored.tool_calls + excluded.tool_calls,
        tool_failures = stored.tool_failures + excluded.tool_failures,
        tool_refusals = stored.tool_refusals + excluded.tool_refusals
"""

ADD_TO_TIER_DAYS: LiteralString = """
    INSERT INTO integrations_agenttierday AS stored (
        session_id, identity_id, agent, day, model, prompt_above, service_tier, requests, input_tokens,
        cache_read_tokens, cache_write_tokens, cache_write_1h_tokens, output_tokens
    )
    SELECT session_id, session.identity_id, session.agent, day, model, prompt_above, service_tier,
           sum(sign * requests), sum(sign * input_tokens), sum(sign * cache_read_tokens),
           sum(sign * cache_write_tokens), sum(sign * cache_write_1h_tokens), sum(sign * output_tokens)
    FROM fold_difference
    JOIN fold_large_day USING (session_id, day)
    JOIN fold_session session USING (session_id)
    WHERE requests > 0 AND (service_tier <> '' OR prompt_above > 0)
    GROUP BY session_id, session.identity_id, session.agent, day, model, prompt_above, service_tier
    ON CONFLICT (session_id, day, model, prompt_above, service_tier) DO UPDATE
    SET requests = stored.requests + excluded.requests,
        input_tokens = stored.input_tokens + excluded.input_tokens,
        cache_read_tokens = stored.cache_read_tokens + excluded.cache_read_tokens,
        cache_write_tokens = stored.cache_write_tokens + excluded.cache_write_tokens,
        cache_write_1h_tokens = stored.cache_write_1h_tokens + excluded.cache_write_1h_tokens,
        output_tokens = stored.output_tokens + excluded.output_tokens
"""

ADD_TO_TOOL_DAYS: LiteralString = """
    INSERT INTO integrations_agenttoolday AS stored (
        session_id, identity_id, agent, day, tool, calls, failures, refusals
    )
    SELECT session_id, session.identity_id, session.agent, day, tool,
           sum(sign * calls), sum(sign * failures), sum(sign * refusals)
    FROM fold_difference
    JOIN fold_large_day USING (session_id, day)
    JOIN fold_session session USING (session_id)
    WHERE requests = 0
    GROUP BY session_id, session.identity_id, session.agent, day, tool
    ON CONFLICT (session_id, day, tool) DO UPDATE
    SET calls = stored.calls + excluded.calls,
        failures = stored.failures + excluded.failures,
        refusals = stored.refusals + excluded.refusals
"""

# Delete rows that became empty.
DELETE_EMPTY: tuple[LiteralString, ...] = (
    """
    DELETE FROM integrations_agentsessionday stored USING fold_large_day large
    WHERE stored.session_id = large.session_id AND stored.day = large.day AND stored.source = 'events'
      AND stored.requests + stored.tool_calls + stored.tool_refusals = 0
    """,
    """
    DELETE FROM integrations_agenttierday stored USING fold_large_day large
    WHERE stored.session_id = large.session_id AND stored.day = large.day AND stored.requests = 0
    """,
    """
    DELETE FROM integrations_agenttoolday stored USING fold_large_day large
    WHERE stored.session_id = large.session_id AND stored.day = large.day AND stored.calls + stored.refusals = 0
    """,
)

"""Rebuild the figures of sessions' local days from requests, tool calls and meter slots.

A day is always rebuilt completely, never incremented, so rebuilding is idempotent, both for the days that a fold
affects and for all days.  Days with very many requests are an exception: fold_large_days.py.
"""

from __future__ import annotations

from typing import LiteralString

from core import sql
from integrations.telemetry.prices.lists import PROMPT_BOUNDS
from integrations.telemetry.prices.summed_days import price_summed_days
from integrations.telemetry.sessions.fold_tables import analyse_where_large


def rebuild_days() -> None:
    """Rebuild the days in fold_day of sessions in fold_session, per source, except for large ones."""
    sql.execute(FIND_BOUNDS)
    analyse_where_large("fold_rebuilt_day")
    sql.execute(DELETE_DAYS)
    sql.execute(INSERT_EVENT_DAYS)
    sql.execute(INSERT_METRIC_DAYS)
    sql.execute(DELETE_TIER_DAYS)
    sql.execute(INSERT_TIER_DAYS, {"bounds": list(PROMPT_BOUNDS)})
    sql.execute(DELETE_TOOL_DAYS)
    sql.execute(INSERT_TOOL_DAYS)
    _price_metric_days()


# The local date alone decides which rows belong to a day.  The bounds are for the index; they extend by two hours,
# because a local midnight may occur twice.
FIND_BOUNDS: LiteralString = """
    INSERT INTO fold_rebuilt_day
    SELECT session_id, identity_id, agent, source, day,
           (day::timestamp AT TIME ZONE current_setting('TimeZone')) - interval '2 hours',
           ((day + 1)::timestamp AT TIME ZONE current_setting('TimeZone')) + interval '2 hours'
    FROM (SELECT DISTINCT session_id, source, day FROM fold_day) AS touched
    JOIN fold_session USING (session_id)
    WHERE source <> 'events' OR (session_id, day) NOT IN (SELECT session_id, day FROM fold_large_day)
"""

DELETE_DAYS: LiteralString = """
    DELETE FROM integrations_agentsessionday stored USING fold_rebuilt_day rebuilt
    WHERE stored.session_id = rebuilt.session_id AND stored.day = rebuilt.day AND stored.source = rebuilt.source
"""

# The figures of a request, by model, and of a tool call.
REQUEST_FIGURES: LiteralString = """
    coalesce(named.name, request.model) AS model, request.counted, 1 AS requests, request.input_tokens,
    request.cache_read_tokens, request.cache_write_tokens,
    CASE WHEN request.reports_1h_tokens
         THEN LEAST(request.cache_write_1h_tokens, request.cache_write_tokens)
         ELSE coalesce(request.inferred_1h_tokens, 0) END AS cache_write_1h_tokens,
    request.output_tokens, request.spend,
    CASE WHEN request.spend IS NULL THEN request.input_tokens + request.cache_read_tokens
         + request.cache_write_tokens + request.output_tokens ELSE 0 END AS unpriced_tokens,
    request.reported_cost, request.surcharge_1h,
    request.reported_cost IS NOT NULL AND request.spend IS NOT NULL
        AND request.input_tokens + request.cache_read_tokens + request.cache_write_tokens
            + request.output_tokens > 0 AS compared,
    0 AS calls, 0 AS failures, 0 AS refusals
"""
CALL_FIGURES: LiteralString = """
    '', true, 0, 0, 0, 0, 0, 0, NULL::numeric, 0, NULL::numeric, NULL::numeric, false,
    (call.outcome <> 'refused')::int, (call.outcome = 'failed')::int, (call.outcome = 'refused')::int
"""

# Joins the normal form of a model's name (integrations/model_names.py) to rows named `request` or `slot`, which keep
# the name that was sent.
REQUEST_NAME: LiteralString = """
    LEFT JOIN integrations_keptpricelist named ON named.model = request.model AND named.name <> ''
"""
SLOT_NAME: LiteralString = """
    LEFT JOIN integrations_keptpricelist named ON named.model = slot.model AND named.name <> ''
"""

# The greatest bound that a request's prompt size exceeds.
PROMPT_ABOVE: LiteralString = """
    SELECT coalesce(max(bound), 0) AS above FROM unnest(%(bounds)s::int[]) AS bound
    WHERE bound < request.input_tokens + request.cache_read_tokens + request.cache_write_tokens
"""

# Columns of days, and the figures of requests and calls that they sum.
TIER_COUNTS = (
    *("requests", "input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
    "output_tokens",
)
DAY_COUNTS = {
    **{name: name for name in (*TIER_COUNTS, "unpriced_tokens")},
    "tool_calls": "calls",
    "tool_failures": "failures",
    "tool_refusals": "refusals",
}
DAY_AMOUNTS = {
    "spend": "sum({sign} spend)",
    "reported_cost": "sum({sign} reported_cost)",
    "compared_cost": "sum({sign} reported_cost) FILTER (WHERE compared)",
    "compared_spend": "sum({sign} spend) FILTER (WHERE compared)",
    "surcharge_1h": "sum({sign} surcharge_1h)",
}


def _capped(total: str) -> str:
    """A sum of money, capped at the limit of the column: implausible values of one sender must not block others' days.

    It uses CASE because LEAST ignores nulls: a missing cost would become the maximum.
    """
    return f"CASE WHEN {total} > 9999999999 THEN 9999999999 ELSE {total} END"


INSERT_EVENT_DAYS = f"""
    INSERT INTO integrations_agentsessionday (
        session_id, identity_id, agent, source, counted, day, model, {", ".join((*DAY_COUNTS, *DAY_AMOUNTS))},
        lines_added, lines_removed, commits
    )
    SELECT session_id, identity_id, agent, 'events', counted, day, model,
           {", ".join(f"sum({figure})" for figure in DAY_COUNTS.values())},
           {", ".join(_capped(total.format(sign="")) for total in DAY_AMOUNTS.values())}, 0, 0, 0
    FROM (
        SELECT rebuilt.session_id, rebuilt.identity_id, rebuilt.agent, rebuilt.day,
               {REQUEST_FIGURES}
        FROM fold_rebuilt_day rebuilt
        JOIN integrations_agentrequest request
          ON request.session_id = rebuilt.session_id AND request.at BETWEEN rebuilt.after AND rebuilt.before
         AND (request.at AT TIME ZONE current_setting('TimeZone'))::date = rebuilt.day
        {REQUEST_NAME}
        WHERE rebuilt.source = 'events' AND NOT request.is_wrapper
        UNION ALL
        SELECT rebuilt.session_id, rebuilt.identity_id, rebuilt.agent, rebuilt.day,
               {CALL_FIGURES}
        FROM fold_rebuilt_day rebuilt
        JOIN integrations_agenttoolcall call
          ON call.session_id = rebuilt.session_id AND call.at BETWEEN rebuilt.after AND rebuilt.before
         AND (call.at AT TIME ZONE current_setting('TimeZone'))::date = rebuilt.day
        WHERE rebuilt.source = 'events'
    ) AS figures
    GROUP BY session_id, identity_id, agent, counted, day, model
"""  # noqa: S608  # put together from REQUEST_FIGURES and CALL_FIGURES; no value of a parameter

INSERT_METRIC_DAYS: LiteralString = f"""
    INSERT INTO integrations_agentsessionday (
        session_id, identity_id, agent, source, counted, day, model, requests, input_tokens, cache_read_tokens,
        cache_write_tokens, output_tokens, spend, unpriced_tokens, reported_cost, tool_calls, tool_failures,
        tool_refusals, lines_added, lines_removed, commits, both_tokens
    )
    SELECT rebuilt.session_id, rebuilt.identity_id, rebuilt.agent, 'metrics', slot.counted, rebuilt.day,
           coalesce(named.name, slot.model), 0, sum(slot.input_tokens), sum(slot.cache_read_tokens),
           sum(slot.cache_write_tokens), sum(slot.output_tokens), NULL,
           sum(slot.input_tokens + slot.cache_read_tokens + slot.cache_write_tokens + slot.output_tokens),
           {_capped("sum(slot.reported_cost)")},
           0, 0, 0, sum(slot.lines_added), sum(slot.lines_removed), sum(slot.commits), sum(slot.both_tokens)
    FROM fold_rebuilt_day rebuilt
    JOIN integrations_agentmeterslot slot
      ON slot.session_id = rebuilt.session_id AND slot.slot BETWEEN rebuilt.after AND rebuilt.before
     AND (slot.slot AT TIME ZONE current_setting('TimeZone'))::date = rebuilt.day
    {SLOT_NAME}
    WHERE rebuilt.source = 'metrics' AND slot.active_from IS NOT NULL
    GROUP BY rebuilt.session_id, rebuilt.identity_id, rebuilt.agent, slot.counted, rebuilt.day,
             coalesce(named.name, slot.model)
"""  # noqa: S608  # a constant

DELETE_TIER_DAYS: LiteralString = """
    DELETE FROM integrations_agenttierday stored USING fold_rebuilt_day rebuilt
    WHERE stored.session_id = rebuilt.session_id AND stored.day = rebuilt.day AND rebuilt.source = 'events'
"""

INSERT_TIER_DAYS = f"""
    INSERT INTO integrations_agenttierday (
        session_id, identity_id, agent, day, model, prompt_above, service_tier, {", ".join(TIER_COUNTS)}
    )
    SELECT session_id, identity_id, agent, day, model, above, service_tier,
           {", ".join(f"sum({name})" for name in TIER_COUNTS)}
    FROM (
        SELECT rebuilt.session_id, rebuilt.identity_id, rebuilt.agent, rebuilt.day, size.above, request.service_tier,
               {REQUEST_FIGURES}
        FROM fold_rebuilt_day rebuilt
        JOIN integrations_agentrequest request
          ON request.session_id = rebuilt.session_id AND request.at BETWEEN rebuilt.after AND rebuilt.before
         AND (request.at AT TIME ZONE current_setting('TimeZone'))::date = rebuilt.day
        {REQUEST_NAME}
        CROSS JOIN LATERAL ({PROMPT_ABOVE}) AS size
        WHERE rebuilt.source = 'events' AND request.counted
          AND (request.service_tier <> ''
               OR request.input_tokens + request.cache_read_tokens + request.cache_write_tokens
                  > (%(bounds)s::int[])[1])
    ) AS figures
    GROUP BY session_id, identity_id, agent, day, model, above, service_tier
"""  # noqa: S608  # put together from constants; no value of a parameter

DELETE_TOOL_DAYS: LiteralString = """
    DELETE FROM integrations_agenttoolday stored USING fold_rebuilt_day rebuilt
    WHERE stored.session_id = rebuilt.session_id AND stored.day = rebuilt.day AND rebuilt.source = 'events'
"""

INSERT_TOOL_DAYS: LiteralString = """
    INSERT INTO integrations_agenttoolday (session_id, identity_id, agent, day, tool, calls, failures, refusals)
    SELECT rebuilt.session_id, rebuilt.identity_id, rebuilt.agent, rebuilt.day, call.tool,
           count(*) FILTER (WHERE call.outcome <> 'refused'),
           count(*) FILTER (WHERE call.outcome = 'failed'),
           count(*) FILTER (WHERE call.outcome = 'refused')
    FROM fold_rebuilt_day rebuilt
    JOIN integrations_agenttoolcall call
      ON call.session_id = rebuilt.session_id AND call.at BETWEEN rebuilt.after AND rebuilt.before
     AND (call.at AT TIME ZONE current_setting('TimeZone'))::date = rebuilt.day
    WHERE rebuilt.source = 'events'
    GROUP BY rebuilt.session_id, rebuilt.identity_id, rebuilt.agent, rebuilt.day, call.tool
"""


def _price_metric_days() -> None:
    ids = sql.column(
        """
        SELECT figures.id
        FROM fold_rebuilt_day rebuilt
        JOIN integrations_agentsessionday figures USING (session_id, day, source)
        WHERE figures.source = 'metrics' AND figures.unpriced_tokens > 0
        """
    )
    if ids:
        price_summed_days(ids)

"""Merge claimed events into requests and tool calls.

Several records may describe the same request or call (a log event, a span, a repetition): they are merged by key, and
each column by a rule that does not depend on their order.
"""

from __future__ import annotations

from typing import Any

from core import sql
from integrations.enums import RequestPart
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.prices.rates import HOUR, MINUTE, RATES, SPEND, SURCHARGE, RateKey, rate_parameters
from integrations.telemetry.sessions.fold_tables import is_any


def merge_requests() -> None:
    """Merge completed requests: the maximum of each figure, the earliest time, and the price.

    Uncached input is the largest prompt minus the cached tokens: if two programs report a call, one of them may not
    know its cached tokens.  Requests are merged with stored rows in a temporary table, and priced on insert, so that
    each is written once.  Tokens subtracted from the input of a sender that counts cached tokens separately are added
    again (cache_exclusive.py).
    """
    sql.execute(MERGE_REQUESTS, {"kind": int(EventKind.REQUEST)})
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


def _with_seller(model: str) -> str:
    """SQL for the name if it has a path, otherwise null: of two records of a request, the one that names the seller
    decides the price.
    """
    return f"CASE WHEN strpos({model}, '/') > 0 THEN {model} END"


_PARTS = tuple(part.value for part in RequestPart)
_GREATEST = ("duration_ms", "reported_cost", "service_tier", "sender", "span", "parent_span")
_GREATEST_COUNTS = ("cache_read_tokens", "cache_write_tokens", "output_tokens", "cache_write_1h_tokens")

# Column → value for each staged request: of its events in this fold, and merged with the stored row.
_FRESH = {
    "at": "min(at)",
    "prompt_tokens": """max(
        coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_tokens, 0)
        + CASE WHEN apart.sender IS NULL THEN 0 ELSE subtracted_tokens END
    )""",
    "subtracted_tokens": "max(subtracted_tokens) FILTER (WHERE apart.sender IS NULL)",
    "place": "max(place)",
    "reports_1h_tokens": "bool_or(cache_write_1h_tokens IS NOT NULL)",
    "model": f"coalesce(max({_with_seller('model')}), max(model))",
    **{name: f"max({name})" for name in (*_GREATEST, *_GREATEST_COUNTS)},
    # The sender whose tokens were subtracted: other senders that count separately do not affect them.
    "sender": "coalesce(max(sender) FILTER (WHERE apart.sender IS NULL AND subtracted_tokens > 0), '')",
    **{part: f"max(parts ->> '{part}')" for part in _PARTS},
}
_MERGED = {
    "session_id": "fresh.session_id",
    "key": "fresh.key",
    "at": "LEAST(stored.at, fresh.at)",
    "input_tokens": """GREATEST(
        GREATEST(
            stored.input_tokens + stored.cache_read_tokens + stored.cache_write_tokens
            + CASE WHEN apart.sender IS NULL THEN 0 ELSE stored.subtracted_tokens END,
            fresh.prompt_tokens
        )
        - GREATEST(stored.cache_read_tokens, fresh.cache_read_tokens, 0)
        - GREATEST(stored.cache_write_tokens, fresh.cache_write_tokens, 0), 0
    )""",
    "subtracted_tokens": """GREATEST(
        CASE WHEN apart.sender IS NULL THEN stored.subtracted_tokens END, fresh.subtracted_tokens, 0
    )""",
    "place_id": "coalesce(stored.place_id, place.id)",
    "model": f"""coalesce(
        GREATEST({_with_seller("stored.model")}, {_with_seller("fresh.model")}), GREATEST(stored.model, fresh.model)
    )""",
    "reports_1h_tokens": "coalesce(stored.reports_1h_tokens, false) OR fresh.reports_1h_tokens",
    **{name: f"GREATEST(stored.{name}, fresh.{name})" for name in _GREATEST},
    **{name: f"GREATEST(stored.{name}, fresh.{name}, 0)" for name in _GREATEST_COUNTS},
    **{part: f"GREATEST(stored.{part}, fresh.{part}, '')" for part in _PARTS},
}
MERGE_REQUESTS = f"""
    INSERT INTO fold_request (stored_at, {", ".join(_MERGED)})
    SELECT stored.at, {", ".join(_MERGED.values())}
    FROM (
        SELECT session_id, key, {", ".join(f"{value} AS {name}" for name, value in _FRESH.items())}
        FROM fold_event
        LEFT JOIN integrations_apartsender apart USING (sender)
        WHERE kind = %(kind)s
        GROUP BY session_id, key
    ) AS fresh
    LEFT JOIN integrations_agentrequest stored USING (session_id, key)
    LEFT JOIN integrations_apartsender apart ON apart.sender = stored.sender
    LEFT JOIN integrations_telemetryplace place ON fresh.place <> '' AND place.key = md5(fresh.place)::uuid
"""  # noqa: S608  # constants of this module

# Requests are usually new.  Only the fold inserts them, holding the locks of their sessions, so rows that were missing
# before still are; checking each row again with ON CONFLICT would cost a third more.
_PRICED = {
    **{name: f"request.{name}" for name in _MERGED},
    "spend": SPEND,
    "surcharge_1h": SURCHARGE,
    "inferred_1h_tokens": "hour.inferred",
    "price_version_id": "rate.version",
}
INSERT_PRICED_REQUESTS = f"""
    INSERT INTO integrations_agentrequest AS stored ({", ".join(_PRICED)})
    SELECT {", ".join(_PRICED.values())}
    FROM fold_request request
    JOIN fold_session session USING (session_id)
    LEFT JOIN {RATES}
    {HOUR}
"""  # noqa: S608  # constants of rates.py
UPDATE_STORED = sql.update_changed("session_id, key", (name for name in _PRICED if name not in ("session_id", "key")))


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

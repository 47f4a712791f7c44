"""Incremental updates of days with very many requests and calls.

Other days are rebuilt completely (fold_days.py), which reads all their rows.  A service that names no conversation may
make millions of requests a day in one session, and reading them again every second is not feasible.  So the old figures
of affected requests and calls are subtracted from such a day, and the new ones added.
"""

from __future__ import annotations

from typing import LiteralString

from core import sql
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.prices.lists import PROMPT_BOUNDS
from integrations.telemetry.sessions.fold_days import (
    CALL_FIGURES,
    DAY_AMOUNTS,
    DAY_COUNTS,
    PROMPT_ABOVE,
    REQUEST_FIGURES,
    REQUEST_NAME,
    TIER_COUNTS,
)
from integrations.telemetry.sessions.fold_tables import analyse_where_large

LARGE_DAY = 10_000  # requests and calls: rebuilding fewer takes some hundredths of a second
HALF_OF_MONEY = 5_000_000_000  # half the limit of a column, so that two such sums fit


def find_large_days() -> bool:
    """Fill fold_large_day with the large days of sessions in fold_session; returns whether there are any.

    Days whose sums of money may exceed their column are left to rebuilding, which caps them.
    """
    found = sql.execute(
        """
        INSERT INTO fold_large_day
        SELECT session_id, day
        FROM integrations_agentsessionday
        WHERE session_id IN (SELECT session_id FROM fold_session) AND source = 'events'
        GROUP BY session_id, day
        HAVING sum(requests + tool_calls + tool_refusals) >= %(large)s AND bool_and(counted)
           AND coalesce(
               max(GREATEST(spend, reported_cost, compared_cost, compared_spend, surcharge_1h)), 0
           ) < %(half)s
        """,
        {"large": LARGE_DAY, "half": HALF_OF_MONEY},
    )
    return bool(found)


def note_figures_before() -> None:
    """Store the current figures of staged requests and calls on large days."""
    _note(-1)


def add_differences_to_large_days() -> None:
    """Add the differences of the merged requests and calls to large days.

    If values were removed from a nullable sum, only the whole day shows whether it becomes null, so such a day is
    rebuilt.
    """
    _note(1)
    analyse_where_large("fold_difference")
    sql.execute(EXCLUDE_UNCERTAIN_DAYS, {"half": HALF_OF_MONEY})
    for statement in (ADD_TO_DAYS, ADD_TO_TIER_DAYS, ADD_TO_TOOL_DAYS, *DELETE_EMPTY):
        sql.execute(statement)


def rebuild_switched_large_days() -> None:
    """Rebuild days with requests that began or ceased to count, because their differences are unknown."""
    sql.execute(
        """
        DELETE FROM fold_large_day large USING fold_day day
        WHERE day.switched AND day.session_id = large.session_id AND day.day = large.day
        """
    )


def _note(sign: int) -> None:
    sql.execute(NOTE_REQUESTS, {"sign": sign, "kind": int(EventKind.REQUEST), "bounds": list(PROMPT_BOUNDS)})
    sql.execute(NOTE_CALLS, {"sign": sign, "kind": int(EventKind.TOOL_CALL)})


NOTE_REQUESTS: LiteralString = f"""
    INSERT INTO fold_difference
    SELECT %(sign)s, large.session_id, large.day, '', size.above, request.service_tier, {REQUEST_FIGURES}
    FROM (SELECT DISTINCT session_id, key FROM fold_event WHERE kind = %(kind)s) AS staged
    JOIN integrations_agentrequest request USING (session_id, key)
    JOIN fold_large_day large
      ON large.session_id = request.session_id AND NOT request.is_wrapper
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

TOOL_COUNTS = ("calls", "failures", "refusals")


def _added(*names: str) -> str:
    return ", ".join(f"{name} = stored.{name} + excluded.{name}" for name in names)


def _added_if_any(*names: str) -> str:
    """SQL that adds sums, either of which is null if it has no rows."""
    return ", ".join(
        f"{name} = coalesce(stored.{name} + excluded.{name}, stored.{name}, excluded.{name})" for name in names
    )


ADD_TO_DAYS = f"""
    INSERT INTO integrations_agentsessionday AS stored (
        session_id, identity_id, agent, source, counted, day, model, {", ".join((*DAY_COUNTS, *DAY_AMOUNTS))},
        lines_added, lines_removed, commits
    )
    SELECT session_id, session.identity_id, session.agent, 'events', counted, day, model,
           {", ".join(f"sum(sign * {figure})" for figure in DAY_COUNTS.values())},
           {", ".join(total.format(sign="sign *") for total in DAY_AMOUNTS.values())}, 0, 0, 0
    FROM fold_difference
    JOIN fold_large_day USING (session_id, day)
    JOIN fold_session session USING (session_id)
    GROUP BY session_id, session.identity_id, session.agent, counted, day, model
    ON CONFLICT (session_id, day, source, model, counted) DO UPDATE
    SET {_added(*DAY_COUNTS)}, {_added_if_any(*DAY_AMOUNTS)}
"""  # noqa: S608  # constants

ADD_TO_TIER_DAYS = f"""
    INSERT INTO integrations_agenttierday AS stored (
        session_id, identity_id, agent, day, model, prompt_above, service_tier, {", ".join(TIER_COUNTS)}
    )
    SELECT session_id, session.identity_id, session.agent, day, model, prompt_above, service_tier,
           {", ".join(f"sum(sign * {name})" for name in TIER_COUNTS)}
    FROM fold_difference
    JOIN fold_large_day USING (session_id, day)
    JOIN fold_session session USING (session_id)
    WHERE requests > 0 AND (service_tier <> '' OR prompt_above > 0)
    GROUP BY session_id, session.identity_id, session.agent, day, model, prompt_above, service_tier
    ON CONFLICT (session_id, day, model, prompt_above, service_tier) DO UPDATE SET {_added(*TIER_COUNTS)}
"""  # noqa: S608  # constants

ADD_TO_TOOL_DAYS = f"""
    INSERT INTO integrations_agenttoolday AS stored (
        session_id, identity_id, agent, day, tool, {", ".join(TOOL_COUNTS)}
    )
    SELECT session_id, session.identity_id, session.agent, day, tool,
           {", ".join(f"sum(sign * {name})" for name in TOOL_COUNTS)}
    FROM fold_difference
    JOIN fold_large_day USING (session_id, day)
    JOIN fold_session session USING (session_id)
    WHERE requests = 0
    GROUP BY session_id, session.identity_id, session.agent, day, tool
    ON CONFLICT (session_id, day, tool) DO UPDATE SET {_added(*TOOL_COUNTS)}
"""  # noqa: S608  # constants

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

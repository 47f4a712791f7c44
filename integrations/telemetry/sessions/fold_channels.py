"""Choose between a session's events and its metrics, for each quarter of an hour.

Both channels report the same tokens, and each may fall silent in the middle of a session.  So the one that reports more
counts, and the choice is made for each meter slot with the requests that it covers:

- A reading tells of the time since the one before, so a slot also covers requests of shortly before its quarter.  A
  request that no slot covers belongs to the slot of its own quarter.
- An agent that begins another session may go on sending metrics under the id of the session before, or under none.
  Such a slot covers requests of the person's other sessions with the agent, too: where they have no slot of their own,
  and the session before made no request since they began.

A person's sessions with an agent are therefore compared together, near the times that a fold touches.
"""

from __future__ import annotations

from typing import LiteralString

from core import sql
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.fold_tables import analyse_where_large, is_any


def find_sessions_nearby() -> None:
    """Fill fold_family with the people and agents that send metrics, and add their sessions nearby to fold_touched."""
    sql.execute(FIND_FAMILIES, {"request": int(EventKind.REQUEST)})
    if is_any("fold_family"):
        sql.execute(ADD_SESSIONS_NEARBY)


def compare_all_slots() -> None:
    """Fill fold_family for the sessions of fold_touched, with all their time."""
    sql.execute(FIND_FAMILIES_OF_SESSIONS)
    sql.execute(ADD_SESSIONS_NEARBY)


def choose_channels() -> None:
    """Choose the channel of each slot near the touched times, and add the days that it changes to fold_day."""
    if not is_any("fold_family"):
        return
    sql.execute(FIND_QUARTERS)
    if is_any("fold_quarter"):
        analyse_where_large("fold_quarter")
        sql.execute(ASSIGN_REQUESTS)
        analyse_where_large("fold_assigned")
        sql.execute(SUM_REQUESTS)
        sql.execute(UPDATE_SLOTS)
        sql.execute(UPDATE_REQUESTS)


# A cumulative point also changes the increase of the next one, whenever that was, and an earlier begin of a session
# which sessions came before others.
FIND_FAMILIES: LiteralString = """
    INSERT INTO fold_family
    WITH came AS (
        SELECT session_id, at, at AS until, false AS is_point FROM fold_event WHERE kind = %(request)s
        UNION ALL
        SELECT session_id, at, CASE WHEN cumulative THEN 'infinity' ELSE at END, true FROM fold_point
        UNION ALL
        SELECT session.id, LEAST(session.started_at, slots.first), GREATEST(session.ended_at, slots.last), false
        FROM (SELECT session_id, min(at) AS at FROM fold_event GROUP BY session_id) AS began
        JOIN integrations_agentsession session ON session.id = began.session_id
        CROSS JOIN LATERAL (
            SELECT min(slot) AS first, max(slot) AS last
            FROM integrations_agentmeterslot slot WHERE slot.session_id = session.id
        ) AS slots
        WHERE isempty(session.event_stretches) OR began.at < lower(session.event_stretches)
    ), family AS (
        SELECT session.identity_id, session.agent, min(came.at) AS first, max(came.until) AS last,
               bool_or(came.is_point) AS has_points
        FROM (
            SELECT session_id, min(at) AS at, max(until) AS until, bool_or(is_point) AS is_point
            FROM came GROUP BY session_id
        ) AS came
        JOIN integrations_agentsession session ON session.id = came.session_id
        GROUP BY session.identity_id, session.agent
    ), metered AS (
        SELECT * FROM family
        WHERE has_points OR EXISTS (
            SELECT FROM integrations_agentsession metered
            WHERE metered.identity_id = family.identity_id AND metered.agent = family.agent
              AND metered.metric_tokens > 0
        )
    )
    SELECT metered.identity_id, metered.agent, LEAST(metered.first, moved.first), GREATEST(metered.last, moved.last)
    FROM metered
    LEFT JOIN LATERAL (
        SELECT min(stored.at) AS first, max(stored.at) AS last
        FROM (SELECT DISTINCT session_id, key FROM fold_event WHERE kind = %(request)s) AS staged
        JOIN integrations_agentsession session
          ON session.id = staged.session_id AND session.identity_id = metered.identity_id
         AND session.agent = metered.agent
        JOIN integrations_agentrequest stored ON stored.session_id = staged.session_id AND stored.key = staged.key
    ) AS moved ON true
"""
FIND_FAMILIES_OF_SESSIONS: LiteralString = """
    INSERT INTO fold_family
    SELECT session.identity_id, session.agent, min(slot.slot), max(slot.slot)
    FROM fold_touched
    JOIN integrations_agentsession session ON session.id = fold_touched.session_id
    JOIN integrations_agentmeterslot slot ON slot.session_id = session.id
    GROUP BY session.identity_id, session.agent
"""
ADD_SESSIONS_NEARBY: LiteralString = """
    INSERT INTO fold_touched
    SELECT other.id
    FROM fold_family family
    JOIN integrations_agentsession other
      ON other.identity_id = family.identity_id AND other.agent = family.agent
     AND other.ended_at >= family.first - interval '3 hours' AND other.started_at <= family.last + interval '3 hours'
    WHERE NOT other.is_process
    UNION
    -- those whose own events ended before
    SELECT other.id
    FROM fold_family family
    JOIN integrations_agentsession other
      ON other.identity_id = family.identity_id AND other.agent = family.agent AND other.metric_tokens > 0
     AND other.ended_at >= family.first - interval '2 days' AND other.started_at <= family.last + interval '3 hours'
    WHERE EXISTS (
        SELECT FROM integrations_agentmeterslot slot
        WHERE slot.session_id = other.id
          AND slot.slot BETWEEN family.first - interval '3 hours' AND family.last + interval '3 hours'
    )
    EXCEPT SELECT session_id FROM fold_touched
"""

# One row per slot with tokens.  A program exports its metrics each minute, unless told otherwise, and its points need
# not say since when they count.  A slot covers at most 31 minutes before it, so a request belongs to one from its own
# quarter to 31 minutes later: what a fold touches between two times changes the choice of slots from 15 minutes before
# the first to 31 after the last, and these depend on the requests of 46 minutes around.
FIND_QUARTERS: LiteralString = """
    INSERT INTO fold_quarter
    SELECT identity_id, agent, is_unnamed, began, session_id, slot,
           slot BETWEEN first - interval '15 minutes' AND last + interval '31 minutes',
           min(covers_from) - interval '1 minute', max(active_to), sum(tokens), 0
    FROM (
        SELECT session.identity_id, session.agent, session.is_unnamed, session.began, family.first, family.last,
               slot.session_id, slot.slot, coalesce(slot.covers_from, slot.active_from) AS covers_from, slot.active_to,
               slot.input_tokens + slot.cache_read_tokens + slot.cache_write_tokens + slot.output_tokens AS tokens
        FROM fold_family family
        JOIN fold_session session USING (identity_id, agent)
        JOIN integrations_agentmeterslot slot
          ON slot.session_id = session.session_id
         AND slot.slot BETWEEN family.first - interval '61 minutes' AND family.last + interval '77 minutes'
    ) AS metered
    WHERE tokens > 0
    GROUP BY identity_id, agent, is_unnamed, began, session_id, slot, first, last
"""

ASSIGN_REQUESTS: LiteralString = """
    INSERT INTO fold_assigned
    SELECT request.id,
           request.input_tokens + request.cache_read_tokens + request.cache_write_tokens + request.output_tokens,
           chosen.session_id, chosen.slot
    FROM fold_family family
    JOIN fold_session worked USING (identity_id, agent)
    JOIN integrations_agentrequest request
      ON request.session_id = worked.session_id AND NOT request.is_wrapper
     AND request.at BETWEEN family.first - interval '46 minutes' AND family.last + interval '46 minutes'
    LEFT JOIN LATERAL (
        SELECT quarter.session_id, quarter.slot, quarter.is_touched
        FROM fold_quarter quarter
        WHERE quarter.identity_id = worked.identity_id AND quarter.agent = worked.agent
          AND quarter.slot BETWEEN date_bin('15 minutes', request.at, 'epoch') AND request.at + interval '31 minutes'
          AND (request.at BETWEEN quarter.covers_from AND quarter.covers_to
               OR quarter.slot = date_bin('15 minutes', request.at, 'epoch'))
          AND (quarter.session_id = worked.session_id OR quarter.is_unnamed OR (
              quarter.began < worked.began AND NOT EXISTS (
                  SELECT FROM integrations_agentrequest own
                  WHERE own.session_id = quarter.session_id AND own.at BETWEEN worked.began AND quarter.covers_to
                    AND NOT own.is_wrapper
              )
          ))
        ORDER BY quarter.session_id <> worked.session_id,
                 request.at NOT BETWEEN quarter.covers_from AND quarter.covers_to,
                 quarter.is_unnamed, quarter.began DESC, quarter.slot, quarter.session_id
        LIMIT 1
    ) AS chosen ON true
    WHERE coalesce(chosen.is_touched, true)
"""

SUM_REQUESTS: LiteralString = """
    UPDATE fold_quarter quarter SET event_tokens = assigned.tokens
    FROM (
        SELECT session_id, slot, sum(tokens) AS tokens FROM fold_assigned
        WHERE slot IS NOT NULL GROUP BY session_id, slot
    ) AS assigned
    WHERE quarter.session_id = assigned.session_id AND quarter.slot = assigned.slot
"""

# What both channels reported is given to the models in order, each at most its own tokens.
UPDATE_SLOTS: LiteralString = """
    WITH switched AS (
        UPDATE integrations_agentmeterslot stored SET counted = chosen.counted, both_tokens = chosen.both_tokens
        FROM (
            SELECT slot.id, quarter.tokens > quarter.event_tokens AND slot.tokens > 0 AS counted,
                   GREATEST(LEAST(slot.tokens, quarter.event_tokens - slot.tokens_before), 0) AS both_tokens
            FROM fold_quarter quarter
            CROSS JOIN LATERAL (
                SELECT id, tokens, coalesce(sum(tokens) OVER before, 0) AS tokens_before
                FROM (
                    SELECT id, model, input_tokens + cache_read_tokens + cache_write_tokens + output_tokens AS tokens
                    FROM integrations_agentmeterslot same
                    WHERE same.session_id = quarter.session_id AND same.slot = quarter.slot
                ) AS of_quarter
                WINDOW before AS (ORDER BY model ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
            ) AS slot
            WHERE quarter.is_touched
        ) AS chosen
        WHERE stored.id = chosen.id
          AND (stored.counted, stored.both_tokens) IS DISTINCT FROM (chosen.counted, chosen.both_tokens)
        RETURNING stored.session_id, stored.slot
    )
    INSERT INTO fold_day
    SELECT DISTINCT session_id, 'metrics', (slot AT TIME ZONE current_setting('TimeZone'))::date, false FROM switched
"""

UPDATE_REQUESTS: LiteralString = """
    WITH switched AS (
        UPDATE integrations_agentrequest stored SET counted = NOT stored.counted
        FROM (
            SELECT assigned.request_id, coalesce(quarter.tokens <= quarter.event_tokens, true) AS counted
            FROM fold_assigned assigned
            LEFT JOIN fold_quarter quarter
              ON quarter.session_id = assigned.session_id AND quarter.slot = assigned.slot
        ) AS chosen
        WHERE stored.id = chosen.request_id AND stored.counted <> chosen.counted
        RETURNING stored.session_id, stored.at
    )
    INSERT INTO fold_day
    SELECT DISTINCT session_id, 'events', (at AT TIME ZONE current_setting('TimeZone'))::date, true FROM switched
"""

"""Choose between a session's events and its metrics, for each quarter of an hour.

Both channels report the same tokens, and each may fall silent in the middle of a session.  So the channel that reports
more counts, and the choice is made for each meter slot together with the requests that it covers:

- A reading covers the time since the previous one, whether that was a minute or, after an outage, hours.  So a slot
covers that time, up to a day, and not only its quarter.  A request that no slot covers belongs to the slot of its own
quarter.
- An agent that begins another session may continue to send metrics under the id of the previous session, or under none.
Such a slot also covers requests of the person's other sessions with the agent, if they have no slot of their own and
the previous session made no request after they began.
- Sessions that each began after the last request of the previous one are therefore compared as one within a quarter of
an hour: if metrics lag behind, each of their slots covers requests of another session.
- A record may be dated up to a minute after the reading that covers it.

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
        sql.execute(FIND_REACH)
        sql.execute(ADD_SESSIONS_NEARBY)


def compare_all_slots() -> None:
    """Fill fold_family for the sessions of fold_touched, with all their time.

    Slots of earlier versions lack the time from which their readings count: they are rebuilt as long as points exist.
    """
    sql.execute(FIND_SLOTS_TO_REBUILD)
    sql.execute(FIND_FAMILIES_OF_SESSIONS)
    sql.execute(FIND_REACH)
    sql.execute(ADD_SESSIONS_NEARBY)


def choose_channels() -> None:
    """Choose the channel of each slot near the touched times, and add the days that it changes to fold_day."""
    if not is_any("fold_family"):
        return
    sql.execute(FIND_QUARTERS)
    if is_any("fold_quarter"):
        analyse_where_large("fold_quarter")
        sql.execute(FIND_CHAINS)
        sql.execute(ASSIGN_REQUESTS)
        analyse_where_large("fold_assigned")
        sql.execute(SUM_REQUESTS)
        sql.execute(UPDATE_SLOTS)
        sql.execute(UPDATE_REQUESTS)


# A cumulative point also changes the increase of the next one, whenever that was.  A request shows that a session was
# still active, so that its later slots cover no other session; an earlier start changes the order of sessions.
FIND_FAMILIES: LiteralString = """
    INSERT INTO fold_family (identity_id, agent, first, last)
    WITH came AS (
        SELECT session_id, at, CASE WHEN cumulative THEN 'infinity' ELSE at END AS until, true AS is_point
        FROM fold_point
        UNION ALL
        SELECT session.id,
               CASE WHEN isempty(session.event_stretches) OR staged.first < lower(session.event_stretches)
                    THEN LEAST(staged.first_request, session.started_at, slots.first)
                    ELSE staged.first_request END,
               GREATEST(
                   staged.last_request, slots.last,
                   CASE WHEN isempty(session.event_stretches) OR staged.first < lower(session.event_stretches)
                        THEN session.ended_at END
               ), false
        FROM (
            SELECT session_id, min(at) AS first,
                   min(at) FILTER (WHERE kind = %(request)s) AS first_request,
                   max(at) FILTER (WHERE kind = %(request)s) AS last_request
            FROM fold_event GROUP BY session_id
        ) AS staged
        JOIN integrations_agentsession session ON session.id = staged.session_id
        CROSS JOIN LATERAL (
            SELECT min(slot) AS first, max(slot) AS last
            FROM integrations_agentmeterslot slot WHERE slot.session_id = session.id
        ) AS slots
        WHERE staged.first_request IS NOT NULL
           OR isempty(session.event_stretches) OR staged.first < lower(session.event_stretches)
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
    SELECT metered.identity_id, metered.agent, LEAST(metered.first, moved.first),
           GREATEST(metered.first, metered.last, moved.last)
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
FIND_SLOTS_TO_REBUILD: LiteralString = """
    INSERT INTO fold_slot
    SELECT DISTINCT slot.session_id, slot.slot
    FROM fold_touched
    JOIN integrations_agentsession session ON session.id = fold_touched.session_id AND NOT session.is_unnamed
    JOIN integrations_agentmeterslot slot ON slot.session_id = session.id
    JOIN integrations_rawday known ON known.day = (slot.slot AT TIME ZONE 'UTC')::date AND known.closed_at IS NULL
    WHERE slot.covers_from IS NULL AND slot.active_from IS NOT NULL
"""
FIND_FAMILIES_OF_SESSIONS: LiteralString = """
    INSERT INTO fold_family (identity_id, agent, first, last)
    SELECT session.identity_id, session.agent, LEAST(min(slot.slot), min(session.started_at)),
           GREATEST(max(slot.slot), max(session.ended_at))
    FROM fold_touched
    JOIN integrations_agentsession session ON session.id = fold_touched.session_id
    JOIN integrations_agentmeterslot slot ON slot.session_id = session.id
    GROUP BY session.identity_id, session.agent
"""

# The times of the requests that must be compared again: those that a fold touches, and those covered by slots that
# overlap them.  The slots of the claimed points are not built yet, so the previous readings are looked up.
FIND_REACH: LiteralString = """
    WITH reading AS (
        SELECT session.identity_id, session.agent, point.session_id, point.series, point.start, point.cumulative,
               min(point.at) AS at
        FROM fold_point point
        JOIN integrations_agentsession session ON session.id = point.session_id
        GROUP BY session.identity_id, session.agent, point.session_id, point.series, point.start, point.cumulative
    ), since AS (
        SELECT reading.identity_id, reading.agent,
               GREATEST(coalesce(previous.at, reading.start), reading.at - interval '1 day') AS at, reading.at AS until
        FROM reading
        LEFT JOIN LATERAL (
            SELECT max(at) AS at
            FROM (
                SELECT max(point.at) AS at
                FROM integrations_agent_point point
                WHERE reading.cumulative AND point.session_id = reading.session_id
                  AND point.series = reading.series AND point.start = reading.start
                  AND point.at >= reading.at - interval '1 day' AND point.at < reading.at
                UNION ALL
                SELECT max(point.at)
                FROM fold_neighbour
                JOIN integrations_agent_point point ON point.session_id = fold_neighbour.neighbour_id
                WHERE reading.cumulative AND fold_neighbour.session_id = reading.session_id
                  AND point.series = reading.series AND point.start = reading.start
                  AND point.at >= reading.at - interval '1 day' AND point.at < reading.at
                UNION ALL
                SELECT base.at
                FROM integrations_seriesbase base
                WHERE reading.cumulative AND base.series = reading.series AND base.start = reading.start
                  AND base.at < reading.at
            ) AS earlier
        ) AS previous ON true
        UNION ALL
        SELECT family.identity_id, family.agent, min(coalesce(slot.covers_from, slot.active_from)),
               max(slot.slot) + interval '15 minutes'
        FROM fold_family family
        JOIN integrations_agentsession metered
          ON metered.identity_id = family.identity_id AND metered.agent = family.agent AND metered.metric_tokens > 0
         AND metered.ended_at >= family.first - interval '7 days'
         AND metered.started_at <= family.last + interval '25 hours'  -- its readings may cover the time before
        JOIN integrations_agentmeterslot slot
          ON slot.session_id = metered.id
         AND slot.slot >= date_bin('15 minutes', family.first - interval '1 minute', 'epoch')
         AND slot.slot <= family.last + interval '25 hours'
         AND LEAST(slot.slot, coalesce(slot.covers_from, slot.active_from) - interval '1 minute') <= family.last
        GROUP BY family.identity_id, family.agent
    )
    UPDATE fold_family family
    SET reach_first = LEAST(family.first, since.first) - interval '16 minutes',
        reach_last = GREATEST(family.last, since.last) + interval '15 minutes'
    FROM fold_family same
    LEFT JOIN (
        SELECT identity_id, agent, min(at) AS first, max(until) AS last FROM since GROUP BY identity_id, agent
    ) AS since USING (identity_id, agent)
    WHERE family.identity_id = same.identity_id AND family.agent = same.agent
"""
ADD_SESSIONS_NEARBY: LiteralString = """
    INSERT INTO fold_touched
    SELECT other.id
    FROM fold_family family
    JOIN integrations_agentsession other
      ON other.identity_id = family.identity_id AND other.agent = family.agent
     AND other.ended_at >= family.reach_first AND other.started_at <= family.reach_last
    WHERE NOT other.is_process
    UNION
    -- those whose own events ended before
    SELECT other.id
    FROM fold_family family
    JOIN integrations_agentsession other
      ON other.identity_id = family.identity_id AND other.agent = family.agent AND other.metric_tokens > 0
     AND other.ended_at >= family.reach_first - interval '7 days'
     AND other.started_at <= family.reach_last + interval '25 hours'
    WHERE EXISTS (
        SELECT FROM integrations_agentmeterslot slot
        WHERE slot.session_id = other.id
          AND slot.slot BETWEEN date_bin('15 minutes', family.reach_first, 'epoch')
                        AND family.reach_last + interval '25 hours'
          AND LEAST(slot.slot, coalesce(slot.covers_from, slot.active_from) - interval '1 minute') <= family.reach_last
    )
    EXCEPT SELECT session_id FROM fold_touched
"""

# One row per slot with tokens that covers some of the time.  A program exports its metrics each minute, unless told
# otherwise, and its points need not say since when they count.
FIND_QUARTERS: LiteralString = """
    INSERT INTO fold_quarter
    SELECT identity_id, agent, is_unnamed, began, session_id, slot,
           slot >= date_bin('15 minutes', first - interval '1 minute', 'epoch') AND LEAST(slot, covers_from) <= last,
           covers_from, covers_to, tokens, 0, 0, 0
    FROM (
        SELECT session.identity_id, session.agent, session.is_unnamed, session.began, family.first, family.last,
               family.reach_last, slot.session_id, slot.slot,
               min(coalesce(slot.covers_from, slot.active_from)) FILTER (WHERE of_model.tokens > 0)
                   - interval '1 minute' AS covers_from,
               max(slot.active_to) FILTER (WHERE of_model.tokens > 0) AS covers_to,
               sum(of_model.tokens) AS tokens
        FROM fold_family family
        JOIN fold_session session USING (identity_id, agent)
        JOIN integrations_agentmeterslot slot
          ON slot.session_id = session.session_id
         AND slot.slot BETWEEN date_bin('15 minutes', family.reach_first, 'epoch')
                       AND family.reach_last + interval '25 hours'
        CROSS JOIN LATERAL (
            SELECT slot.input_tokens + slot.cache_read_tokens + slot.cache_write_tokens + slot.output_tokens AS tokens
        ) AS of_model
        GROUP BY session.identity_id, session.agent, session.is_unnamed, session.began, family.first, family.last,
                 family.reach_last, slot.session_id, slot.slot
    ) AS metered
    WHERE tokens > 0 AND LEAST(slot, covers_from) <= reach_last
"""

# Metrics without events, and those without a session, are compared alone.
FIND_CHAINS: LiteralString = """
    WITH ordered AS (
        SELECT identity_id, agent, slot, session_id, is_unnamed, began, is_touched,
               lag(session_id) OVER of_quarter AS before_id, lag(covers_to) OVER of_quarter AS before_to,
               row_number() OVER of_quarter AS position
        FROM fold_quarter
        WINDOW of_quarter AS (PARTITION BY identity_id, agent, slot, is_unnamed ORDER BY began, session_id)
    ), begun AS (
        SELECT *, is_unnamed OR began IS NULL OR EXISTS (
            SELECT FROM integrations_agentrequest own
            WHERE own.session_id = before_id AND own.at BETWEEN began AND before_to AND NOT own.is_wrapper
        ) AS is_first
        FROM ordered
    ), numbered AS (
        SELECT *, count(*) FILTER (WHERE is_first)
                  OVER (PARTITION BY identity_id, agent, slot, is_unnamed ORDER BY position) AS chain
        FROM begun
    )
    UPDATE fold_quarter quarter SET chain = judged.chain, is_touched = judged.is_touched
    FROM (
        SELECT session_id, slot, chain,
               bool_or(is_touched) OVER (PARTITION BY identity_id, agent, slot, is_unnamed, chain) AS is_touched
        FROM numbered
    ) AS judged
    WHERE quarter.session_id = judged.session_id AND quarter.slot = judged.slot
"""

# A slot that nothing touched keeps its choice, and so do its requests.
ASSIGN_REQUESTS: LiteralString = """
    INSERT INTO fold_assigned
    SELECT request.id,
           request.input_tokens + request.cache_read_tokens + request.cache_write_tokens + request.output_tokens,
           chosen.session_id, chosen.slot
    FROM fold_family family
    JOIN fold_session worked USING (identity_id, agent)
    JOIN integrations_agentrequest request
      ON request.session_id = worked.session_id AND NOT request.is_wrapper
     AND request.at BETWEEN family.reach_first AND family.reach_last
    LEFT JOIN LATERAL (
        SELECT quarter.session_id, quarter.slot, quarter.is_touched
        FROM fold_quarter quarter
        WHERE quarter.identity_id = worked.identity_id AND quarter.agent = worked.agent
          AND quarter.slot BETWEEN date_bin('15 minutes', request.at - interval '1 minute', 'epoch')
                           AND request.at + interval '25 hours'
          AND (request.at BETWEEN quarter.covers_from AND quarter.covers_to + interval '1 minute'
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
    WITH assigned AS (
        SELECT session_id, slot, sum(tokens) AS tokens FROM fold_assigned
        WHERE slot IS NOT NULL GROUP BY session_id, slot
    ), summed AS (
        SELECT session_id, slot, sum(quarter.tokens) OVER of_chain AS tokens,
               coalesce(sum(quarter.tokens) OVER before, 0) AS tokens_before,
               coalesce(sum(assigned.tokens) OVER of_chain, 0) AS event_tokens
        FROM fold_quarter quarter LEFT JOIN assigned USING (session_id, slot)
        WINDOW of_chain AS (PARTITION BY identity_id, agent, slot, is_unnamed, chain),
               before AS (of_chain ORDER BY began, session_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    )
    UPDATE fold_quarter quarter
    SET tokens = summed.tokens, tokens_before = summed.tokens_before, event_tokens = summed.event_tokens
    FROM summed
    WHERE quarter.session_id = summed.session_id AND quarter.slot = summed.slot
"""

# Tokens reported by both channels are assigned to a chain's sessions and their models in order, each at most its own.
UPDATE_SLOTS: LiteralString = """
    WITH switched AS (
        UPDATE integrations_agentmeterslot stored SET counted = chosen.counted, both_tokens = chosen.both_tokens
        FROM (
            SELECT slot.id, quarter.tokens > quarter.event_tokens AND slot.tokens > 0 AS counted,
                   GREATEST(LEAST(
                       slot.tokens, quarter.event_tokens - quarter.tokens_before - slot.tokens_before
                   ), 0) AS both_tokens
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

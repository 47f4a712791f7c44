"""Related sources of a session: its process, and other programs that report the same session.

Some agents' metrics name only a process, not a session.  Their figures are moved to the session that the process was
running at that time: the last one that started in it before the reading, or else its first.  A process without sessions
keeps its figures.  It counts as a session itself only if events without a session show activity in it.

A gateway used by an agent may report the same session by OpenTelemetry's conventions.  The agent's own report counts,
and the gateway's is excluded as a duplicate.
"""

from __future__ import annotations

from typing import LiteralString

from core import sql
from integrations.telemetry.agents import VOCABULARIES
from integrations.telemetry.sessions.fold_days import SLOT_NAME
from integrations.telemetry.sessions.fold_tables import is_any

_AGENTS_WITH_VOCABULARY = [vocabulary.agent for vocabulary in VOCABULARIES]


def find_related_sessions() -> None:
    """Add to fold_touched all sessions and processes whose figures depend on those in it, and those on which they
    depend.
    """
    sql.execute(ADD_SESSIONS_OF_PROCESSES)
    sql.execute(ADD_DUPLICATE_SESSIONS, {"own_words": _AGENTS_WITH_VOCABULARY})


def find_process_days() -> None:
    """Add to fold_day all days with figures of a process of these sessions."""
    sql.execute(HAND_SLOTS)
    sql.execute(
        """
        INSERT INTO fold_day
        SELECT DISTINCT handed.session_id, 'metrics', (handed.slot AT TIME ZONE current_setting('TimeZone'))::date
        FROM (
            SELECT session_id, slot FROM fold_handed
            UNION ALL
            SELECT process_id, slot FROM fold_handed
        ) AS handed
        """
    )
    sql.execute(FIND_DAYS_HANDED_BEFORE)


def move_process_figures() -> None:
    """Move the figures of processes to their sessions, and delete the days of duplicate sessions."""
    if is_any("fold_handed"):
        sql.execute(CLEAR_HANDED)
        sql.execute(DELETE_HANDED)
        sql.execute(INSERT_HANDED)
    sql.execute(MARK_REPEATED, {"own_words": _AGENTS_WITH_VOCABULARY})
    for table in ("integrations_agentsessionday", "integrations_agenttoolday", "integrations_agenttierday"):
        _delete_repeated(table)


def _delete_repeated(table: LiteralString) -> None:
    sql.execute(
        f"""
        DELETE FROM {table} stored USING fold_session, integrations_agentsession session
        WHERE session.id = fold_session.session_id AND session.is_repeated AND stored.session_id = session.id
        """  # noqa: S608
    )


# From processes to sessions and back: a session may arrive later than its process's figures.  Connected ones are
# rebuilt together, because a session's days include the figures of all its processes.  Processes of two people are
# distinct even with the same name: some are named by their process id.
# LIMIT forces an index lookup per session: overestimating `together`, the planner scanned all sessions instead.
ADD_SESSIONS_OF_PROCESSES: LiteralString = """
    INSERT INTO fold_touched
    WITH RECURSIVE together (session_id) AS (
        SELECT session_id FROM fold_touched
        UNION
        SELECT beside.id
        FROM together
        CROSS JOIN LATERAL (
            SELECT * FROM integrations_agentsession WHERE id = together.session_id LIMIT 1
        ) AS session
        CROSS JOIN LATERAL (
            SELECT process.id
            FROM integrations_sessionprocess ran
            JOIN integrations_agentsession process
              ON process.agent = session.agent AND process.external_id = ran.process
             AND process.identity_id = session.identity_id AND process.is_process
            WHERE ran.session_id = session.id
            UNION ALL
            SELECT other.id
            FROM integrations_sessionprocess ran
            JOIN integrations_agentsession other
              ON other.id = ran.session_id AND other.agent = session.agent
             AND other.identity_id = session.identity_id
            WHERE session.is_process AND ran.process = session.external_id
        ) AS beside
    )
    SELECT session_id FROM together EXCEPT SELECT session_id FROM fold_touched
"""

# There are few agents without a vocabulary; each is looked up by the index on agent.
ADD_DUPLICATE_SESSIONS: LiteralString = """
    INSERT INTO fold_touched
    WITH RECURSIVE known (agent) AS (
        SELECT min(agent) FROM integrations_agentsession
        UNION ALL
        SELECT (SELECT min(later.agent) FROM integrations_agentsession later WHERE later.agent > known.agent)
        FROM known WHERE known.agent IS NOT NULL
    ), others AS (
        SELECT agent FROM known WHERE agent IS NOT NULL AND agent <> ALL (%(own_words)s)
    )
    SELECT other.id
    FROM fold_touched
    JOIN integrations_agentsession mine ON mine.id = fold_touched.session_id
    JOIN others ON mine.agent = ANY (%(own_words)s)
    JOIN integrations_agentsession other ON other.agent = others.agent AND other.external_id = mine.external_id
"""

HAND_SLOTS: LiteralString = """
    INSERT INTO fold_handed
    SELECT chosen.session_id, process.id, slot.slot, slot.model
    FROM fold_session
    JOIN integrations_agentsession process ON process.id = fold_session.session_id AND process.is_process
    JOIN integrations_agentmeterslot slot ON slot.session_id = process.id AND slot.active_from IS NOT NULL
    JOIN LATERAL (
        SELECT ran.session_id
        FROM integrations_sessionprocess ran
        JOIN integrations_agentsession session
          ON session.id = ran.session_id AND session.agent = process.agent
         AND session.identity_id = process.identity_id
        WHERE ran.process = process.external_id
        ORDER BY ran.first_at <= slot.active_to DESC, abs(extract(epoch FROM ran.first_at - slot.active_to)),
                 ran.session_id
        LIMIT 1
    ) AS chosen ON true
"""

# Sessions that no longer get figures of a process lose the earlier ones.
FIND_DAYS_HANDED_BEFORE: LiteralString = """
    INSERT INTO fold_day
    SELECT figures.session_id, 'metrics', figures.day
    FROM fold_session
    JOIN integrations_sessionprocess ran ON ran.session_id = fold_session.session_id
    JOIN integrations_agentsessionday figures
      ON figures.session_id = fold_session.session_id AND figures.source = 'metrics'
"""

# Figures from the process's own events stay with it: requests in its window that name no conversation.
CLEAR_HANDED: LiteralString = """
    UPDATE integrations_agentsessionday stored SET lines_added = 0, lines_removed = 0, commits = 0
    FROM (SELECT DISTINCT process_id FROM fold_handed) AS handed
    WHERE stored.session_id = handed.process_id AND stored.source = 'metrics'
"""
DELETE_HANDED: LiteralString = """
    DELETE FROM integrations_agentsessionday stored
    USING (SELECT DISTINCT process_id FROM fold_handed) AS handed
    WHERE stored.session_id = handed.process_id AND stored.source = 'metrics'
      AND stored.input_tokens + stored.cache_read_tokens + stored.cache_write_tokens + stored.output_tokens = 0
"""

# Lines and commits alone: points without a session have no stored tokens.
INSERT_HANDED: LiteralString = f"""
    INSERT INTO integrations_agentsessionday AS stored (
        session_id, identity_id, agent, source, counted, day, model, requests, input_tokens, cache_read_tokens,
        cache_write_tokens, output_tokens, spend, unpriced_tokens, reported_cost, tool_calls, tool_failures,
        tool_refusals, lines_added, lines_removed, commits
    )
    SELECT rebuilt.session_id, rebuilt.identity_id, rebuilt.agent, 'metrics', false, rebuilt.day,
           coalesce(named.name, slot.model), 0, 0, 0, 0, 0, NULL, 0, NULL, 0, 0, 0,
           sum(slot.lines_added), sum(slot.lines_removed), sum(slot.commits)
    FROM fold_handed handed
    JOIN integrations_agentmeterslot slot
      ON slot.session_id = handed.process_id AND slot.slot = handed.slot AND slot.model = handed.model
    {SLOT_NAME}
    JOIN fold_rebuilt_day rebuilt
      ON rebuilt.session_id = handed.session_id AND rebuilt.source = 'metrics'
     AND rebuilt.day = (slot.slot AT TIME ZONE current_setting('TimeZone'))::date
    GROUP BY rebuilt.session_id, rebuilt.identity_id, rebuilt.agent, rebuilt.day,
             coalesce(named.name, slot.model)
    ON CONFLICT (session_id, day, source, model, counted) DO UPDATE
    SET lines_added = stored.lines_added + excluded.lines_added,
        lines_removed = stored.lines_removed + excluded.lines_removed,
        commits = stored.commits + excluded.commits
"""  # noqa: S608  # a constant

MARK_REPEATED: LiteralString = """
    UPDATE integrations_agentsession session
    SET is_repeated = true
    FROM fold_session
    WHERE session.id = fold_session.session_id AND NOT session.is_repeated AND session.agent <> ALL (%(own_words)s)
      AND EXISTS (
          SELECT FROM integrations_agentsession own
          JOIN orgtree_identity own_name ON own_name.id = own.identity_id
          JOIN orgtree_identity name ON name.id = session.identity_id
          WHERE own.agent = ANY (%(own_words)s) AND own.external_id = session.external_id
            AND (own_name.id = name.id OR own_name.person_id = name.person_id)
      )
"""

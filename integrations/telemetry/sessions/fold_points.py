"""Aggregate metric points into meter slots: a session's metrics per quarter of an hour.

A delta point is an increase.  The increase of a cumulative point is its difference from the previous point in the same
series with the same start, or from zero for the first point; a lower value without a new start means that the counter
was reset.  So a late point changes its own slot and that of the next point, and both are recomputed from raw points.
"""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

from core import sql
from integrations.telemetry.prices.library import save_price_snapshots
from integrations.telemetry.sessions.fold_tables import analyse_where_large


def find_neighbours() -> None:
    """Add to fold_touched the adjacent days of records without a session id, in which a counter continues.

    Their sessions are split by day, while a cumulative series lasts as long as its process.
    """
    sql.execute(FIND_NEIGHBOURS)
    sql.execute("INSERT INTO fold_neighbour SELECT neighbour_id, session_id FROM fold_neighbour")
    sql.execute(
        "INSERT INTO fold_touched SELECT neighbour_id FROM fold_neighbour EXCEPT SELECT session_id FROM fold_touched"
    )


def find_touched_slots() -> None:
    """Fill fold_slot with the slots of the claimed points, and of the points that follow them.

    The receiver rejects points for days whose raw rows were dropped; one that slipped through is ignored here, because
    its slot cannot be recomputed.
    """
    sql.execute(
        """
        DELETE FROM fold_point USING integrations_rawday known
        WHERE known.day = (fold_point.at AT TIME ZONE 'UTC')::date AND known.closed_at IS NOT NULL
        """
    )
    sql.execute("INSERT INTO fold_slot SELECT session_id, date_bin('15 minutes', at, 'epoch') FROM fold_point")
    latest = _one_time(
        """
        SELECT max(slot.slot) + interval '15 minutes'
        FROM integrations_agentmeterslot slot
        WHERE slot.session_id IN (
            SELECT session_id FROM fold_point WHERE cumulative UNION ALL SELECT neighbour_id FROM fold_neighbour
        )
        """
    )
    if latest is not None:
        sql.execute(
            """
            INSERT INTO fold_slot
            SELECT following.session_id, date_bin('15 minutes', following.at, 'epoch')
            FROM (
                SELECT session_id, series, start, at FROM fold_point WHERE cumulative
                UNION ALL
                SELECT neighbour_id, series, start, at FROM fold_point JOIN fold_neighbour USING (session_id)
                WHERE cumulative
            ) AS came
            CROSS JOIN LATERAL (
                SELECT point.session_id, point.at
                FROM integrations_agent_point point
                WHERE point.session_id = came.session_id AND point.series = came.series AND point.start = came.start
                  AND point.at > came.at AND point.at > %(earliest)s AND point.at < %(latest)s
                ORDER BY point.at
                LIMIT 1
            ) AS following
            """,
            {"earliest": _one_time("SELECT min(at) FROM fold_point WHERE cumulative"), "latest": latest},
        )
    analyse_where_large("fold_slot")


def rebuild_slots() -> None:
    """Recompute the affected slots from raw points, and add their days to fold_day."""
    first = _one_time("SELECT min(slot) FROM fold_slot")
    if first is None:
        return
    bounds = {"first": first, "after": _one_time("SELECT max(slot) + interval '15 minutes' FROM fold_slot")}
    # Previous points are searched from the start of their series; the bound prunes older partitions.
    bounds["earliest"] = _one_time(EARLIEST_START, bounds) or first
    sql.execute(
        """
        DELETE FROM integrations_agentmeterslot stored USING fold_slot touched
        WHERE stored.session_id = touched.session_id AND stored.slot = touched.slot
        """
    )
    sql.execute(INSERT_SLOTS, bounds)
    save_price_snapshots(_models_of_slots())
    sql.execute(
        """
        INSERT INTO fold_day
        SELECT DISTINCT session_id, 'metrics', (slot AT TIME ZONE current_setting('TimeZone'))::date FROM fold_slot
        """
    )


def _models_of_slots() -> list[str]:
    return sql.column("SELECT DISTINCT model FROM integrations_agentmeterslot JOIN fold_slot USING (session_id, slot)")


def _one_time(statement: LiteralString, parameters: dict[str, datetime | None] | None = None) -> datetime | None:
    at: datetime | None = sql.value(statement, parameters)
    return at


FIND_NEIGHBOURS: LiteralString = """
    INSERT INTO fold_neighbour
    SELECT mine.id, neighbour.id
    FROM (SELECT DISTINCT session_id FROM fold_point WHERE cumulative) AS came
    JOIN integrations_agentsession mine ON mine.id = came.session_id AND mine.is_unnamed
    JOIN integrations_agentsession neighbour
      ON neighbour.identity_id = mine.identity_id AND neighbour.agent = mine.agent AND neighbour.is_unnamed
     AND neighbour.id <> mine.id
     AND neighbour.ended_at BETWEEN mine.started_at - interval '3 days' AND mine.ended_at + interval '3 days'
"""

EARLIEST_START: LiteralString = """
    SELECT min(point.start)
    FROM fold_slot touched
    JOIN integrations_agent_point point
      ON point.session_id = touched.session_id AND point.at >= touched.slot
     AND point.at < touched.slot + interval '15 minutes'
    WHERE point.cumulative AND point.at >= %(first)s AND point.at < %(after)s
"""

# Numeric, because sums of doubles depend on their order.
# A delta point covers the time since its start, if that is short enough for one active period.
INSERT_SLOTS: LiteralString = """
    INSERT INTO integrations_agentmeterslot (
        session_id, slot, model, active_from, active_to, covers_from, input_tokens, cache_read_tokens,
        cache_write_tokens, output_tokens, reported_cost, lines_added, lines_removed, commits
    )
    WITH reading AS (
        SELECT point.session_id, touched.slot, point.at, point.series, point.start, point.cumulative,
               point.measure, left(point.model, 120) AS model,
               point.value::numeric AS value,
               lag(point.value::numeric) OVER (
                   PARTITION BY point.session_id, touched.slot, point.series, point.start ORDER BY point.at
               ) AS previous_in_slot,
               lag(point.at) OVER (
                   PARTITION BY point.session_id, touched.slot, point.series, point.start ORDER BY point.at
               ) AS previous_at
        FROM (SELECT DISTINCT session_id, slot FROM fold_slot) AS touched
        JOIN integrations_agent_point point
          ON point.session_id = touched.session_id AND point.at >= touched.slot
         AND point.at < touched.slot + interval '15 minutes'
        WHERE point.at >= %(first)s AND point.at < %(after)s
    ), increase AS (
        SELECT reading.session_id, slot, model, measure, at,
               CASE WHEN NOT cumulative AND at - start BETWEEN interval '0' AND interval '30 minutes'
                    THEN start ELSE at END AS since,
               LEAST(at, GREATEST(coalesce(previous.read_at, start), at - interval '1 day')) AS covers_from,
               CASE WHEN NOT cumulative THEN reading.value
                    WHEN reading.value < previous.value THEN reading.value
                    ELSE reading.value - coalesce(previous.value, 0) END AS amount
        FROM reading
        LEFT JOIN LATERAL (
            SELECT previous_in_slot AS value, previous_at AS read_at WHERE previous_in_slot IS NOT NULL
            UNION ALL
            (
                SELECT earlier.value, earlier.at AS read_at
                FROM (
                    (
                        SELECT point.at, point.value::numeric AS value
                        FROM integrations_agent_point point
                        WHERE previous_in_slot IS NULL AND point.session_id = reading.session_id
                          AND point.series = reading.series AND point.start = reading.start
                          AND point.at < reading.at AND point.at >= %(earliest)s
                        ORDER BY point.at DESC
                        LIMIT 1
                    )
                    UNION ALL
                    (
                        SELECT point.at, point.value::numeric
                        FROM fold_neighbour
                        JOIN integrations_agent_point point ON point.session_id = fold_neighbour.neighbour_id
                        WHERE previous_in_slot IS NULL AND fold_neighbour.session_id = reading.session_id
                          AND point.series = reading.series AND point.start = reading.start
                          AND point.at < reading.at AND point.at >= %(earliest)s
                        ORDER BY point.at DESC
                        LIMIT 1
                    )
                    UNION ALL
                    (
                        SELECT base.at, base.value::numeric
                        FROM integrations_seriesbase base
                        WHERE previous_in_slot IS NULL AND base.series = reading.series
                          AND base.start = reading.start AND base.at < reading.at
                    )
                ) AS earlier
                ORDER BY earlier.at DESC
                LIMIT 1
            )
        ) AS previous ON reading.cumulative
    )
    SELECT session_id, slot, model,
           min(since) FILTER (WHERE amount > 0), max(at) FILTER (WHERE amount > 0),
           min(covers_from) FILTER (WHERE amount > 0),
           round(coalesce(sum(amount) FILTER (WHERE measure = 'input_tokens'), 0)
                 + GREATEST(coalesce(sum(amount) FILTER (WHERE measure = 'prompt_tokens')
                                     - coalesce(sum(amount) FILTER (WHERE measure IN (
                                           'cache_read_tokens', 'cache_write_tokens')), 0), 0), 0)),
           round(coalesce(sum(amount) FILTER (WHERE measure = 'cache_read_tokens'), 0)),
           round(coalesce(sum(amount) FILTER (WHERE measure = 'cache_write_tokens'), 0)),
           round(coalesce(sum(amount) FILTER (WHERE measure = 'output_tokens'), 0)),
           CASE WHEN sum(amount) FILTER (WHERE measure = 'reported_cost' AND amount > 0) > 9999999999 THEN 9999999999
                ELSE sum(amount) FILTER (WHERE measure = 'reported_cost' AND amount > 0) END,
           round(coalesce(sum(amount) FILTER (WHERE measure = 'lines_added'), 0)),
           round(coalesce(sum(amount) FILTER (WHERE measure = 'lines_removed'), 0)),
           round(coalesce(sum(amount) FILTER (WHERE measure = 'commits'), 0))
    FROM increase
    GROUP BY session_id, slot, model
"""

"""Folds raw telemetry rows into sessions: the only writer of everything in integrations/models/sessions.py.

The queue is `ReceivedBatch`.  A transaction claims some batches, merges their rows, rebuilds the affected days, appends
changes to the outbox, and deletes the batches; if it dies, the next fold claims them again.  The result does not depend
on the order or repetition of records: requests and tool calls are merged by key, active periods are unions, and metric
slots are recomputed around each new point.

Everything is set-based.  Temporary tables hold the claimed rows (`fold_event`, `fold_point`) and what they affect
(`fold_session`, `fold_slot`, `fold_day`); they are created once per connection and emptied on commit.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import LiteralString

from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet

from core import sql
from core.queue import drain, run_one_by_one, take
from integrations.models import ChannelWork, ReceivedBatch
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.sessions.cache_exclusive import (
    note_cache_exclusive_senders,
    stage_requests_of_cache_exclusive_senders,
)
from integrations.telemetry.sessions.fold_changes import append_changes_of_fold, enqueue_folded_sessions
from integrations.telemetry.sessions.fold_channels import (
    choose_channels,
    compare_all_slots,
    find_sessions_nearby,
)
from integrations.telemetry.sessions.fold_days import rebuild_days
from integrations.telemetry.sessions.fold_duplicates import (
    find_process_days,
    find_related_sessions,
    move_process_figures,
)
from integrations.telemetry.sessions.fold_events import merge_requests, merge_tool_calls
from integrations.telemetry.sessions.fold_large_days import (
    add_differences_to_large_days,
    find_large_days,
    note_figures_before,
    rebuild_switched_large_days,
)
from integrations.telemetry.sessions.fold_places import place_sessions_of_fold, store_named_places
from integrations.telemetry.sessions.fold_points import find_neighbours, find_touched_slots, rebuild_slots
from integrations.telemetry.sessions.fold_tables import (
    COLLECTOR,
    analyse_where_large,
    create_tables,
    lock_touched_sessions,
)
from integrations.telemetry.sessions.fold_wrappers import find_wrappers
from integrations.telemetry.usage_files.counted import mark_usage_of_fold
from orgtree.organisation.people_version import raise_people_version

logger = logging.getLogger(__name__)

# A batch is one export request, most often of 1 to 1,000 records.  A transaction must stay short enough for pages
# to follow within seconds, and long enough for its fixed cost not to matter.
BATCHES_PER_TRANSACTION = 100
LONGEST_PROBLEM = 300
COMPARED_PER_TRANSACTION = 100  # each with the person's sessions nearby

KINDS_OF_WORK = [EventKind.REQUEST, EventKind.REQUEST_ERROR, EventKind.TOOL_CALL, EventKind.PROMPT]


def fold_received_batches() -> int:
    """Fold all received batches, several per transaction; return their number.

    Batches that arrive meanwhile wait for their own nudge, at most two seconds: folding each at once would spend more
    time on starting folds than on folding.

    Any number of processes may run this: they claim different batches, and serialise on shared sessions.  A batch that
    the database rejects is marked as failed so that it does not block others; its rows stay, and `retry_failed_batches`
    queues it again.
    """
    folded = 0
    while True:
        try:
            folded += drain(_fold_some, enough=BATCHES_PER_TRANSACTION)
            drain(_restate_some)
            if not _compare_some():
                return folded
        except (DataError, IntegrityError):
            logger.warning("Some batches could not be folded together; trying them one by one.", exc_info=True)
            folded += run_one_by_one(
                _waiting(),
                _fold_one,
                failed=_set_aside,
                errors=(DataError, IntegrityError),
                most=BATCHES_PER_TRANSACTION,
            )


def retry_failed_batches() -> int:
    """Queue failed batches again; returns their number."""
    return ReceivedBatch.objects.exclude(problem="").update(problem="")


def _waiting() -> QuerySet[ReceivedBatch]:
    return ReceivedBatch.objects.filter(problem="").order_by("pk")


def _fold_some() -> int:
    batches = take(_waiting(), BATCHES_PER_TRANSACTION)
    if batches:
        _fold(batches)
    return len(batches)


def _fold_one(batch: ReceivedBatch) -> None:
    _fold([batch])
    batch.delete()


def _set_aside(batch: ReceivedBatch, problem: Exception) -> None:
    logger.error("Batch %d could not be folded and was set aside.", batch.pk, exc_info=problem)
    batch.problem = str(problem)[:LONGEST_PROBLEM]
    batch.save(update_fields=["problem"])


def _restate_some() -> int:
    """Read again a batch of requests whose sender is now known to count cached tokens separately; return their
    number.
    """
    create_tables()
    requests = stage_requests_of_cache_exclusive_senders()
    if requests:
        _fold_staged()
    return requests


def _compare_some() -> int:
    """Choose again between events and metrics for a batch of queued sessions; return their number."""
    with transaction.atomic():
        work = take(ChannelWork.objects.order_by("pk"), COMPARED_PER_TRANSACTION)
        if work:
            create_tables()
            sessions = [row.session_id for row in work]
            sql.execute("INSERT INTO fold_touched SELECT unnest(%(sessions)s::bigint[])", {"sessions": sessions})
            compare_all_slots()
            _fold_staged()
            logger.info("Chose between events and metrics anew for %d sessions and those nearby.", len(work))
        return len(work)


def _fold(batches: Sequence[ReceivedBatch]) -> None:
    create_tables()
    _stage(batches)
    note_cache_exclusive_senders()
    _fold_staged()


def _fold_staged() -> None:
    _lock_sessions()
    has_large_days = find_large_days()
    if has_large_days:
        note_figures_before()
    store_named_places()
    merge_requests()
    find_wrappers()
    merge_tool_calls()
    if has_large_days:
        add_differences_to_large_days()
    find_touched_slots()
    rebuild_slots()
    choose_channels()
    rebuild_switched_large_days()
    find_process_days()
    rebuild_days()
    move_process_figures()
    _update_sessions()
    place_sessions_of_fold()
    is_anybody_new = append_changes_of_fold()
    enqueue_folded_sessions()
    mark_usage_of_fold()
    if is_anybody_new:
        raise_people_version()


def _stage(batches: Sequence[ReceivedBatch]) -> None:
    """Copy the batches' rows into temporary tables, and update the days with raw rows."""
    starts, ends = [batch.at_from for batch in batches], [batch.at_to for batch in batches]
    bounds = {
        "batches": [batch.pk for batch in batches],
        "at_from": "-infinity" if None in starts else min(at for at in starts if at),
        "at_to": "infinity" if None in ends else max(at for at in ends if at),
    }
    sql.execute(STAGE_EVENTS, bounds)
    sql.execute(STAGE_POINTS, bounds)
    received = [batch.received_at for batch in batches]
    sql.execute(NOTE_RAW_DAYS, {"received": received, "starts": starts, "ends": ends})
    sql.execute(
        "DELETE FROM fold_event WHERE session_id IS NULL OR kind = %(unread_point)s",
        {"unread_point": int(EventKind.UNREAD_POINT)},
    )
    analyse_where_large("fold_event")
    analyse_where_large("fold_point")


STAGE_EVENTS: LiteralString = """
    INSERT INTO fold_event
    SELECT session.id, event.at, event.kind,
           CASE WHEN event.key = '' THEN event.digest::text
                WHEN length(event.key) > 200 THEN md5(event.key)
                ELSE event.key END,
           left(event.model, 120), left(event.tool, 120), event.outcome, left(event.error_type, 120),
           event.input_tokens, event.cache_read_tokens, event.cache_write_tokens, event.output_tokens,
           event.duration_ms, event.reported_cost, event.cache_write_1h_tokens, left(event.service_tier, 20),
           left(event.sender, 200), coalesce(event.subtracted_tokens, 0),
           event.place, event.parts, event.span, event.parent_span
    FROM integrations_agent_event event
    LEFT JOIN integrations_agentsession session ON session.id = event.session_id
    WHERE event.batch_id = ANY (%(batches)s) AND event.at BETWEEN %(at_from)s AND %(at_to)s
"""

STAGE_POINTS: LiteralString = """
    INSERT INTO fold_point
    SELECT session.id, point.at, point.series, point.start, point.cumulative, point.place
    FROM integrations_agent_point point
    JOIN integrations_agentsession session ON session.id = point.session_id
    WHERE point.batch_id = ANY (%(batches)s) AND point.at BETWEEN %(at_from)s AND %(at_to)s
"""

# Updated at most once an hour per day, skipping locked rows: every running fold touches today's row.
NOTE_RAW_DAYS: LiteralString = """
    WITH received AS (
        SELECT day, max(batch.received_at) AS at
        FROM (
            SELECT (at AT TIME ZONE 'UTC')::date AS day FROM fold_event
            UNION
            SELECT (at AT TIME ZONE 'UTC')::date FROM fold_point
        ) AS of_rows
        JOIN unnest(%(received)s::timestamptz[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
             AS batch (received_at, at_from, at_to)
          ON day BETWEEN (coalesce(at_from, '-infinity') AT TIME ZONE 'UTC')::date
                 AND (coalesce(at_to, 'infinity') AT TIME ZONE 'UTC')::date
        GROUP BY day
    ), refreshed AS (
        UPDATE integrations_rawday stored SET last_received_at = stale.at
        FROM (
            SELECT known.day, received.at FROM integrations_rawday known JOIN received USING (day)
            WHERE known.last_received_at < received.at - interval '1 hour'
            FOR UPDATE OF known SKIP LOCKED
        ) AS stale
        WHERE stored.day = stale.day
    )
    INSERT INTO integrations_rawday (day, last_received_at)
    SELECT day, at FROM received
    WHERE NOT EXISTS (SELECT FROM integrations_rawday known WHERE known.day = received.day)
    ORDER BY day
    ON CONFLICT (day) DO NOTHING
"""


def _lock_sessions() -> None:
    """Find the sessions that the claimed rows affect, and lock them."""
    sql.execute(
        """
        INSERT INTO fold_touched
        (SELECT session_id FROM fold_event UNION SELECT session_id FROM fold_point)
        EXCEPT SELECT session_id FROM fold_touched
        """
    )
    find_neighbours()
    find_sessions_nearby()
    find_related_sessions()  # also of nearby sessions: their days are rebuilt with the figures of their processes
    lock_touched_sessions()
    analyse_where_large("fold_session")


def _update_sessions() -> None:
    sql.execute(
        """
        WITH fresh AS (
            SELECT session_id,
                   range_agg(tstzrange(at, at + interval '30 minutes')) AS stretches,
                   bool_or(kind = ANY (%(kinds_of_work)s)) AS worked,
                   bool_or(sender IS DISTINCT FROM %(collector)s) AS is_telemetry
            FROM fold_event
            GROUP BY session_id
        ), metered AS (
            SELECT session_id,
                   range_agg(tstzrange(active_from, active_to + interval '30 minutes'))
                       FILTER (WHERE active_from IS NOT NULL) AS stretches,
                   range_agg(tstzrange(active_from, active_to + interval '30 minutes'))
                       FILTER (WHERE active_from IS NOT NULL AND counted) AS counted_stretches,
                   bool_or(input_tokens + cache_read_tokens + cache_write_tokens + output_tokens
                           + lines_added + lines_removed + commits > 0) AS worked
            FROM integrations_agentmeterslot
            WHERE session_id IN (SELECT session_id FROM fold_session)
            GROUP BY session_id
        ), counted AS (
            SELECT session_id,
                   sum(tokens) FILTER (WHERE source = 'events') AS event_tokens,
                   sum(tokens) FILTER (WHERE source = 'metrics') AS metric_tokens,
                   sum(lines_added) AS lines_added,
                   sum(commits) AS commits
            FROM (SELECT session_id, source, lines_added, commits,
                         input_tokens + cache_read_tokens + cache_write_tokens + output_tokens AS tokens
                  FROM integrations_agentsessionday
                  WHERE session_id IN (SELECT session_id FROM fold_session)) AS figures
            GROUP BY session_id
        ), merged AS (
            SELECT session.id,
                   session.event_stretches + coalesce(fresh.stretches, '{}') AS event_stretches,
                   coalesce(metered.stretches, session.metric_stretches) AS metric_stretches,
                   coalesce(metered.counted_stretches, '{}') AS counted_stretches,
                   -- Metrics of a process are of its sessions, but what its events say was done in it.
                   (session.has_work OR coalesce(fresh.worked, false)
                       OR (coalesce(metered.worked, false) AND NOT session.is_process))
                       AND NOT session.is_repeated AS has_work,
                   coalesce(fresh.is_telemetry, false) OR metered.stretches IS NOT NULL OR (
                       session.has_telemetry AND (fresh.session_id IS NULL OR NOT isempty(session.event_stretches))
                   ) AS has_telemetry,
                   coalesce(counted.event_tokens, 0) AS event_tokens,
                   coalesce(counted.metric_tokens, 0) AS metric_tokens,
                   coalesce(counted.lines_added, 0) AS lines_added,
                   coalesce(counted.commits, 0) AS commits
            FROM fold_session
            JOIN integrations_agentsession session ON session.id = fold_session.session_id
            LEFT JOIN fresh ON fresh.session_id = session.id
            LEFT JOIN metered ON metered.session_id = session.id
            LEFT JOIN counted ON counted.session_id = session.id
        )
        UPDATE integrations_agentsession session
        SET event_stretches = merged.event_stretches,
            metric_stretches = merged.metric_stretches,
            active_periods = chosen,
            has_work = merged.has_work,
            has_telemetry = merged.has_telemetry,
            event_tokens = merged.event_tokens,
            metric_tokens = merged.metric_tokens,
            lines_added = merged.lines_added,
            commits = merged.commits,
            started_at = coalesce(lower(chosen), session.started_at),
            started_on = (coalesce(lower(chosen), session.started_at) AT TIME ZONE current_setting('TimeZone'))::date,
            ended_at = coalesce(upper(chosen) - interval '30 minutes', session.ended_at),
            active_seconds = (
                SELECT coalesce(sum(extract(epoch FROM upper(period) - lower(period)) - 1800), 0)
                FROM unnest(chosen) AS period
            )
        FROM merged
        CROSS JOIN LATERAL (
            SELECT CASE WHEN isempty(merged.event_stretches) THEN merged.metric_stretches
                        ELSE merged.event_stretches + merged.counted_stretches END AS chosen
        ) AS choice
        WHERE session.id = merged.id
        """,
        {"kinds_of_work": [int(kind) for kind in KINDS_OF_WORK], "collector": COLLECTOR},
    )

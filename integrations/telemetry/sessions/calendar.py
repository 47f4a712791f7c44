"""The organisation's calendar: stored days are local days in HEADWAY_TIME_ZONE.

Facts have times in UTC, so all days are rebuilt when the time zone changes; days of imported files are rebuilt from the
files' own times (usage_files/counted.py).  The organisation's row contains the zone of the stored days; every fold
compares it with the setting.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.db import transaction

from core import sql
from core.hooks import Hook
from core.locks import Lock
from integrations.models import AgentSession
from integrations.outbox.pull_request_queue import enqueue_all_pull_requests
from integrations.telemetry.sessions.fold_changes import append_changes_of_fold
from integrations.telemetry.sessions.fold_days import rebuild_days
from integrations.telemetry.sessions.fold_duplicates import (
    find_process_days,
    find_related_sessions,
    move_process_figures,
)
from integrations.telemetry.sessions.fold_tables import create_tables, lock_touched_sessions
from integrations.telemetry.usage_files.counted import recompute_all_usage
from orgtree.models import Organisation
from orgtree.organisation.people_version import raise_people_version

logger = logging.getLogger(__name__)

SESSIONS_PER_TRANSACTION = 2_000
CALENDAR = Lock("calendar")  # one process at a time rebuilds days

# Functions that rebuild other days; they may be slow and use their own transactions.
time_zone_listeners: Hook[Callable[[], object]] = Hook()


def apply_time_zone() -> None:
    """Rebuild all days if HEADWAY_TIME_ZONE differs from the zone of the stored days."""
    if Organisation.current().calendar_zone == settings.TIME_ZONE:
        return
    with CALENDAR.held() as is_ours:
        if not is_ours:
            return  # another process is doing it
        rebuild_session_days()
        recompute_all_usage()
        enqueue_all_pull_requests()
        for rebuild_days_of_others in time_zone_listeners:
            rebuild_days_of_others()
        Organisation.objects.update(calendar_zone=settings.TIME_ZONE)


def rebuild_session_days() -> int:
    """Rebuild the days of every session from requests, tool calls and meter slots; return the number of sessions.

    Transactions are limited in size so that folding continues meanwhile; an interrupted run starts over.
    """
    last, rebuilt = 0, 0
    while sessions := list(
        AgentSession.objects.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:SESSIONS_PER_TRANSACTION]
    ):
        with transaction.atomic():
            rebuild_days_of(sessions)
        last = sessions[-1]
        rebuilt += len(sessions)
    if rebuilt:
        logger.info("Rebuilt the days of %d sessions in %s.", rebuilt, settings.TIME_ZONE)
    return rebuilt


def rebuild_days_of(sessions: list[int]) -> None:
    """Rebuild all days of some sessions, in the caller's transaction."""
    create_tables()
    sql.execute("INSERT INTO fold_touched SELECT unnest(%(sessions)s::bigint[])", {"sessions": sessions})
    find_related_sessions()
    lock_touched_sessions()
    sql.execute(
        """
        INSERT INTO fold_day
        SELECT session_id, source, day FROM integrations_agentsessionday
        WHERE session_id = ANY (%(sessions)s) AND source <> 'files'  -- nothing here can make these again
        UNION
        SELECT session_id, 'events', (at AT TIME ZONE current_setting('TimeZone'))::date
        FROM integrations_agentrequest WHERE session_id = ANY (%(sessions)s)
        UNION
        SELECT session_id, 'events', (at AT TIME ZONE current_setting('TimeZone'))::date
        FROM integrations_agenttoolcall WHERE session_id = ANY (%(sessions)s)
        UNION
        SELECT session_id, 'metrics', (slot AT TIME ZONE current_setting('TimeZone'))::date
        FROM integrations_agentmeterslot WHERE session_id = ANY (%(sessions)s)
        """,
        {"sessions": sessions},
    )
    find_process_days()
    rebuild_days()
    move_process_figures()
    sql.execute(
        """
        UPDATE integrations_agentsession
        SET started_on = (started_at AT TIME ZONE current_setting('TimeZone'))::date
        WHERE id = ANY (%(sessions)s) AND NOT told_by_file
        """,
        {"sessions": sessions},
    )
    if append_changes_of_fold():
        raise_people_version()

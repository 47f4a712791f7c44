"""Reprice requests after a change of prices.

A Repricing is processed in chunks of sessions.  Each chunk is a transaction that prices their requests, rebuilds the
affected days, appends changes to the outbox, and moves the row's cursor: if a worker dies, the next one continues after
the last committed chunk.  Repricing is idempotent.  A correction is priced in the same way and rolled back; only its
sums are shown to an admin.
"""

from __future__ import annotations

import logging
from decimal import Decimal
from typing import Any, LiteralString

from django.db import transaction
from django.utils import timezone

from core import sql
from core.queue import claim, drain
from integrations.model_names import model_name
from integrations.models import Repricing
from integrations.telemetry.prices.library_update import forget_earlier_prices
from integrations.telemetry.prices.rates import HOUR, MINUTE, RATES, SPEND, SURCHARGE, RateKey, rate_parameters
from integrations.telemetry.sessions.fold_changes import append_changes_of_fold
from integrations.telemetry.sessions.fold_days import rebuild_days
from integrations.telemetry.sessions.fold_duplicates import (
    find_process_days,
    find_related_sessions,
    move_process_figures,
)
from integrations.telemetry.sessions.fold_tables import create_tables, lock_touched_sessions
from integrations.telemetry.usage_files.counted import rebuild_file_days
from orgtree.organisation.people_version import raise_people_version

logger = logging.getLogger(__name__)
SESSIONS_PER_TRANSACTION = 2_000

State = Repricing.State


def reprice_waiting_rows() -> int:
    """Process all queued repricings, oldest first; return the number of sessions."""
    return drain(_reprice_some)


def _reprice_some() -> int:
    """Process one chunk of the oldest repricing; returns the number of sessions, 0 if none is queued.

    Rows claimed by another worker are skipped: that worker continues.
    """
    queue = Repricing.objects.filter(state__in=[State.WAITING, State.AT_WORK]).order_by("pk")
    for row in claim(queue, 1):
        if queue.filter(pk__lt=row.pk).exists():
            return 0  # an older one is in progress and must be finished first
        if row.started_at is None:
            row.started_at, row.state = timezone.now(), State.AT_WORK
        sessions = _sessions_after(row)
        is_offer = row.cause == Repricing.Cause.CORRECTION
        if sessions:
            (_estimate if is_offer else _reprice)(row, sessions)
            row.after_session = sessions[-1]
        if len(sessions) < SESSIONS_PER_TRANSACTION:
            is_equal = (row.spend_before, row.unpriced_before) == (row.spend_after, row.unpriced_after)
            row.state, row.finished_at = State.OFFERED if is_offer and not is_equal else State.DONE, timezone.now()
            logger.info(
                "%s %d requests anew (%s): %s before, %s after.",
                "Estimated" if is_offer else "Priced",
                *(row.requests, row.reason, row.spend_before, row.spend_after),
            )
        row.save()
        return len(sessions) or 1
    return 0


# The rows of days that a repricing affects; days are those of the organisation's calendar.  They name models by their
# normal forms, requests as they were sent.
_TOUCHED: LiteralString = """
    model <> '' AND (%(models)s::text[] IS NULL OR model = ANY (%(names)s))
    AND (%(agent)s = '' OR agent = %(agent)s)
    AND (%(day_from)s::date IS NULL OR day >= %(day_from)s) AND (%(day_to)s::date IS NULL OR day < %(day_to)s)
"""
_LOCAL_DAY: LiteralString = "(request.at AT TIME ZONE current_setting('TimeZone'))::date"
_REQUESTS_TOUCHED: LiteralString = f"""
    request.model <> '' AND (%(models)s::text[] IS NULL OR request.model = ANY (%(models)s))
    AND (%(day_from)s::date IS NULL OR {_LOCAL_DAY} >= %(day_from)s)
    AND (%(day_to)s::date IS NULL OR {_LOCAL_DAY} < %(day_to)s)
"""
_SESSIONS: LiteralString = f"""
    SELECT DISTINCT session_id FROM integrations_agentsessionday
    WHERE session_id > %(after)s AND {_TOUCHED}
    ORDER BY session_id LIMIT %(most)s
"""  # noqa: S608  # two constants
_SUMS: LiteralString = f"""
    SELECT coalesce(sum(spend), 0), coalesce(sum(unpriced_tokens), 0)::bigint FROM integrations_agentsessionday
    WHERE session_id = ANY (%(sessions)s) AND counted AND {_TOUCHED}
"""  # noqa: S608
_DAYS: LiteralString = f"""
    INSERT INTO fold_day
    SELECT DISTINCT session_id, source, day FROM integrations_agentsessionday
    WHERE session_id = ANY (%(sessions)s) AND source <> 'files' AND {_TOUCHED}
    UNION
    SELECT DISTINCT request.session_id, 'events', {_LOCAL_DAY}
    FROM integrations_agentrequest request
    WHERE request.session_id = ANY (%(sessions)s) AND {_REQUESTS_TOUCHED}
"""  # noqa: S608
_FILE_DAYS: LiteralString = f"""
    SELECT DISTINCT session_id FROM integrations_agentsessionday
    WHERE session_id = ANY (%(sessions)s) AND source = 'files' AND {_TOUCHED}
"""  # noqa: S608
_REQUESTS: LiteralString = "fold_session session JOIN integrations_agentrequest request USING (session_id)"
_OF_PIECE: LiteralString = f"""
    request.session_id = ANY (%(sessions)s) AND {_REQUESTS_TOUCHED} AND (%(agent)s = '' OR session.agent = %(agent)s)
"""
_AFFECTED: LiteralString = f"""
    SELECT request.model, session.agent, request.service_tier, {MINUTE}, count(*)
    FROM {_REQUESTS} WHERE {_OF_PIECE}
    GROUP BY 1, 2, 3, 4
"""  # noqa: S608
_UPDATE_PRICES: LiteralString = f"""
    UPDATE integrations_agentrequest stored
    SET spend = priced.spend, surcharge_1h = priced.surcharge_1h, inferred_1h_tokens = priced.inferred_1h_tokens,
        price_version_id = priced.version
    FROM (
        SELECT request.id, {SPEND} AS spend, {SURCHARGE} AS surcharge_1h, hour.inferred AS inferred_1h_tokens,
               rate.version
        FROM {_REQUESTS} LEFT JOIN {RATES} {HOUR}
        WHERE {_OF_PIECE}
    ) AS priced
    WHERE stored.id = priced.id
      AND (stored.spend, stored.surcharge_1h, stored.inferred_1h_tokens, stored.price_version_id)
          IS DISTINCT FROM (priced.spend, priced.surcharge_1h, priced.inferred_1h_tokens, priced.version)
"""  # noqa: S608


def _parameters(row: Repricing) -> dict[str, Any]:
    models = row.model_names
    # Until the day's models have their normal forms, their names are as sent.
    names = None if models is None else sorted({*models, *map(model_name, models)})
    return {"models": models, "names": names, "agent": row.agent, "day_from": row.day_from, "day_to": row.day_to}


def _sessions_after(row: Repricing) -> list[int]:
    params = {**_parameters(row), "after": row.after_session, "most": SESSIONS_PER_TRANSACTION}
    return sql.column(_SESSIONS, params)


def _estimate(row: Repricing, sessions: list[int]) -> None:
    """Add up the effect of a correction without changing anything."""
    with transaction.atomic():
        forget_earlier_prices(row)
        _reprice(row, sessions)
        transaction.set_rollback(True)


def _reprice(row: Repricing, sessions: list[int]) -> None:
    params = {**_parameters(row), "sessions": sessions}
    create_tables()
    sql.execute("INSERT INTO fold_touched SELECT unnest(%(sessions)s::bigint[])", {"sessions": sessions})
    find_related_sessions()  # figures of processes are moved to sessions whenever days are rebuilt
    lock_touched_sessions()
    spend, unpriced = _sums(params)
    row.spend_before += spend
    row.unpriced_before += unpriced
    sql.execute(_DAYS, params)
    requests, changed = _price_requests(params)
    find_process_days()
    rebuild_days()
    move_process_figures()
    _price_file_days(params)
    is_anybody_new = append_changes_of_fold()
    spend, unpriced = _sums(params)
    row.spend_after += spend
    row.unpriced_after += unpriced
    row.requests += requests
    row.changed += changed
    if is_anybody_new:
        raise_people_version()


def _sums(params: dict[str, Any]) -> tuple[Decimal, int]:
    ((spend, unpriced),) = sql.rows(_SUMS, params)
    return spend, unpriced


def _price_requests(params: dict[str, Any]) -> tuple[int, int]:
    """Price the requests; return their number, and the number whose price or price book changed."""
    rows = sql.rows(_AFFECTED, params)
    rates = rate_parameters([RateKey(*key) for *key, _ in rows])
    return sum(requests for *_, requests in rows), sql.execute(_UPDATE_PRICES, params | rates)


def _price_file_days(params: dict[str, Any]) -> None:
    """Rebuild and reprice days from imported files."""
    sessions = sql.column(_FILE_DAYS, params)
    if not sessions:
        return
    rebuild_file_days(sessions)
    sql.execute(
        """
        INSERT INTO fold_day
        SELECT session_id, 'files', day FROM integrations_agentsessionday
        WHERE session_id = ANY (%(sessions)s) AND source = 'files'
        """,
        {"sessions": sessions},
    )

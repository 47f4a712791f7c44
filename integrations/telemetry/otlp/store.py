"""Store received rows: each request in one transaction, each row once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any
from uuid import UUID

from celery import signature
from django.db import IntegrityError, OperationalError, connection, transaction
from psycopg import errors, sql

from core.nudges import nudge_on_commit
from integrations.models import QuarantinedRecord, ReceivedBatch
from integrations.telemetry.otlp.decoded import DecodedRequest, RejectedRecord, Tally
from integrations.telemetry.otlp.ingest_tokens import Sender
from integrations.telemetry.otlp.session_keys import SessionKey
from integrations.telemetry.otlp.store_bound import Claim, bind, note_claims
from integrations.telemetry.otlp.store_names import Folded, fold_new_names, note_folded
from integrations.telemetry.otlp.store_partitions import day_number, ensure_partitions, forget_partitions
from integrations.telemetry.otlp.store_rows import (
    DIGEST,
    EVENTS,
    POINTS,
    EventRow,
    PointRow,
    Table,
    event_values,
    events_in_order,
    point_values,
    points_in_order,
)
from integrations.telemetry.otlp.store_sessions import Batch, forget_identities, open_batch
from integrations.telemetry.otlp.store_tallies import append_tallies

LONGEST_REASON = 300
KEEP_EXISTING = sql.SQL("DO NOTHING")
# By name, because the fold imports the store.
FOLD_RECEIVED = signature("integrations.telemetry.tasks.fold_received")
# A fold takes some fifty statements for any number of rows: incoming rows are folded every two seconds.
SECONDS_BETWEEN_FOLDS = 2.0


def store(decoded: DecodedRequest, *, sender: Sender | None) -> None:
    """Store a decoded request; new rows are folded into sessions soon after.

    Raises django.db.OperationalError or InterfaceError if the database is unavailable; nothing is stored then.
    """
    claims = bind(decoded, sender) if sender else []
    folded = fold_new_names(decoded, sender)
    try:
        _write(decoded, sender, claims, folded, _copy)
    except IntegrityError as problem:  # existing rows, or a stale cache of this process or of its database session
        forget_partitions()
        forget_identities()
        if isinstance(problem.__cause__, errors.CheckViolation) and not connection.in_atomic_block:
            # The session did not see a partition that another one had just attached, in the next transaction either.
            connection.close()
        _write(decoded, sender, claims, folded, insert_staged)
    except OperationalError as problem:
        if connection.in_atomic_block or not isinstance(problem.__cause__, errors.DeadlockDetected):
            raise
        _write(decoded, sender, claims, folded, insert_staged)


# Inserts rows; returns the digests of new rows.
Insert = Callable[[Table, Sequence[tuple[Any, ...]]], set[bytes]]


def _write(
    decoded: DecodedRequest, sender: Sender | None, claims: Sequence[Claim], folded: Sequence[Folded], insert: Insert
) -> None:
    """Write a request in one transaction.

    Rows are usually new, so they are first copied directly into the tables, which halves the time of small requests.
    On a conflict, all are written again through a staging table.
    """
    events, points = events_in_order(decoded.events), points_in_order(decoded.points)
    for table, rows in ((EVENTS, events), (POINTS, points)):
        ensure_partitions(table.name, {day_number(row.at) for row in rows})
    with transaction.atomic():
        new: set[bytes] = set()
        if events or points:
            batch = _open_batch([*events, *points])
            if events:
                new |= insert(EVENTS, event_values(events, batch.id, batch.sessions))
            if points:
                new |= insert(POINTS, point_values(points, batch.id, batch.sessions))
            if new:
                nudge_on_commit(FOLD_RECEIVED, seconds=SECONDS_BETWEEN_FOLDS)
            else:
                ReceivedBatch.objects.filter(pk=batch.id).delete()
            transaction.on_commit(batch.remember)
        if counts := _counts(decoded, new):
            append_tallies(counts)
        if sender:
            note_claims(sender.token_id, claims, new)
            note_folded(sender.token_id, folded, new)
        _quarantine(decoded.rejected, sender)


def _open_batch(rows: Sequence[EventRow | PointRow]) -> Batch:
    first_seen: dict[SessionKey, int] = {}
    for row in rows:
        if row.session is not None:
            first_seen[row.session] = min(row.at, first_seen.get(row.session, row.at))
    times = [row.at for row in rows]
    return open_batch(first_seen, earliest=min(times), latest=max(times))


def _copy(table: Table, rows: Sequence[tuple[Any, ...]]) -> set[bytes]:
    """Copy rows into the table.  Raises IntegrityError if a row exists."""
    with connection.cursor() as cursor:
        table.copy(cursor, table.name, rows)
    return {row[DIGEST].bytes for row in rows}


def insert_staged(table: Table, rows: Sequence[tuple[Any, ...]], on_conflict: sql.SQL = KEEP_EXISTING) -> set[bytes]:
    """Insert rows through the table's staging table, which stays filled; return the digests of the rows written."""
    staging = f"{table.name}_staging"
    names = {
        "table": sql.Identifier(table.name),
        "staging": sql.Identifier(staging),
        "columns": table.column_names,
        "digest": sql.Identifier(table.digest),
        "on_conflict": on_conflict,
    }
    with connection.cursor() as cursor:
        cursor.execute(CREATE_STAGING.format(**names))
        cursor.execute(CLEAR_STAGING.format(**names))
        table.copy(cursor, staging, rows)
        cursor.execute(INSERT_STAGED.format(**names))
        return {row[0].bytes for row in cursor.fetchall()}


def _counts(decoded: DecodedRequest, new: Collection[bytes]) -> Counter[Tally]:
    """The tallies of a request, unless it was stored and counted before."""
    counts: Counter[Tally] = Counter()
    if new or not (decoded.events or decoded.points):
        counts.update(decoded.counts)
    counts.update(tally for digest, tally in decoded.counts_of_rows if digest in new)
    return counts


def _quarantine(rejected: Sequence[RejectedRecord], sender: Sender | None) -> None:
    if not rejected:
        return
    once = {record.digest: record for record in rejected}
    QuarantinedRecord.objects.bulk_create(
        [
            QuarantinedRecord(
                token_id=sender.token_id if sender else None,
                signal=record.signal,
                digest=UUID(bytes=digest),
                encoding=record.encoding,
                reason=record.reason[:LONGEST_REASON],
                payload=record.payload,
            )
            for digest, record in sorted(once.items())
        ],
        ignore_conflicts=True,
    )


CREATE_STAGING = sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {staging} (LIKE {table}) ON COMMIT DELETE ROWS")
CLEAR_STAGING = sql.SQL("TRUNCATE {staging}")  # may be filled by an earlier call in the transaction
INSERT_STAGED = sql.SQL(
    """
    INSERT INTO {table} ({columns}) SELECT {columns} FROM {staging}
    ON CONFLICT {on_conflict}
    RETURNING {digest}
    """
)

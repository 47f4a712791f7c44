"""The one transaction in which received rows, their sessions, their batch, quarantine and counts are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import LiteralString, TypeVar
from uuid import UUID

from celery import signature
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from integrations.models import QuarantinedRecord, ReceivedBatch
from integrations.telemetry.decode_reading import Reading, Tally
from integrations.telemetry.sightings import SessionKey
from integrations.telemetry.store_partitions import day_number, ensure_partitions, forget_partitions
from integrations.telemetry.store_rows import (
    EVENT_COLUMNS,
    EVENT_TABLE,
    POINT_COLUMNS,
    POINT_TABLE,
    EventRow,
    PointRow,
    encoded_events,
    encoded_points,
)
from integrations.telemetry.store_sessions import Batch, forget_identities, open_batch
from integrations.telemetry.store_tallies import append_tallies
from orgtree.nudges import nudge_on_commit

LONGEST_REASON = 300
# By its name: the fold stands above the store.
FOLD_RECEIVED = signature("integrations.telemetry.tasks.fold_received")

Row = TypeVar("Row", EventRow, PointRow)
# Writes encoded rows; which of them were new, by the named column.  None: all of them.
Copy = Callable[[LiteralString, LiteralString, LiteralString, bytes], set[bytes] | None]


@dataclass(frozen=True, slots=True)
class Received:
    """What a request brought, and with which token."""

    reading: Reading
    token_id: int | None

    @property
    def rows(self) -> int:
        return len(self.reading.events) + len(self.reading.points)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of both tables in the order of the tables' keys, none of them twice."""

    events: list[EventRow]
    points: list[PointRow]

    @property
    def all(self) -> Iterable[EventRow | PointRow]:
        return chain(self.events, self.points)

    def ensure_partitions(self) -> None:
        ensure_partitions(EVENT_TABLE, {day_number(row.at) for row in self.events})
        ensure_partitions(POINT_TABLE, {day_number(row.at) for row in self.points})


def write(requests: Sequence[Received]) -> None:
    """Store the requests in one transaction, as one batch.

    Requests are usually new, so their rows are copied straight into the tables; where one of them turns out to be
    there, all are written again through a staging table, which leaves alone what is there.
    """
    rows = _Rows(
        _sorted_once(chain.from_iterable(request.reading.events for request in requests), length_of_key=2),
        _sorted_once(chain.from_iterable(request.reading.points for request in requests), length_of_key=3),
    )
    rows.ensure_partitions()
    try:
        _write(requests, rows, copy=_copy_new)
    except IntegrityError:
        # Rows that are there, or else something that this process remembers and that is gone.
        forget_partitions()
        forget_identities()
        rows.ensure_partitions()
        _write(requests, rows, copy=_copy_missing)


def _write(requests: Sequence[Received], rows: _Rows, *, copy: Copy) -> None:
    with transaction.atomic():
        new_events: set[bytes] | None = set()
        new_points: set[bytes] | None = set()
        if rows.events or rows.points:
            batch = _open_batch(rows)
            if rows.events:
                encoded = encoded_events(rows.events, batch.id, batch.sessions)
                new_events = copy(EVENT_TABLE, EVENT_COLUMNS, "digest", encoded)
            if rows.points:
                encoded = encoded_points(rows.points, batch.id, batch.sessions)
                new_points = copy(POINT_TABLE, POINT_COLUMNS, "series", encoded)
            if new_events == set() and new_points == set():
                ReceivedBatch.objects.filter(pk=batch.id).delete()
            else:
                nudge_on_commit(FOLD_RECEIVED)
            transaction.on_commit(batch.remember)
        counts: Counter[Tally] = Counter()
        for request in requests:
            _count(request.reading, counts, new_events, new_points)
        if counts:
            append_tallies(counts)
        _quarantine(requests)


def _sorted_once(rows: Iterable[Row], length_of_key: int) -> list[Row]:
    """In the order of the table's key, which its first columns are: concurrent requests then meet in one order."""
    ordered = sorted(rows)
    return [
        row
        for position, row in enumerate(ordered)
        if not position or row[:length_of_key] != ordered[position - 1][:length_of_key]
    ]


def _open_batch(rows: _Rows) -> Batch:
    first_seen: dict[SessionKey, int] = {}
    earliest = latest = next(iter(rows.all)).at
    for row in rows.all:
        earliest, latest = min(earliest, row.at), max(latest, row.at)
        if row.session is not None and first_seen.get(row.session, row.at) >= row.at:
            first_seen[row.session] = row.at
    return open_batch(first_seen, earliest=earliest, latest=latest)


def _copy_new(
    table: LiteralString, columns: LiteralString, identity: LiteralString, encoded: bytes
) -> set[bytes] | None:
    """IntegrityError where a row is there already."""
    with connection.cursor() as cursor:
        _copy(cursor, table, columns, encoded)
    return None


def _copy_missing(
    table: LiteralString, columns: LiteralString, identity: LiteralString, encoded: bytes
) -> set[bytes] | None:
    """Leaves alone what is there."""
    staging = f"{table}_staging"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} (LIKE {table}) ON COMMIT DELETE ROWS")
        _copy(cursor, staging, columns, encoded)
        cursor.execute(  # the names are this module's constants
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {staging} "  # noqa: S608
            f"ON CONFLICT DO NOTHING RETURNING {identity}"
        )
        new = {row[0].bytes for row in cursor.fetchall()}
        cursor.execute(f"TRUNCATE {staging}")  # the caller's transaction may store more
        return new


def _copy(cursor: CursorWrapper, table: str, columns: str, encoded: bytes) -> None:
    # Django's cursor does not turn psycopg's exceptions into its own here.
    with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN BINARY") as copy:
        copy.write(encoded)


def _count(
    reading: Reading, counts: Counter[Tally], new_events: set[bytes] | None, new_points: set[bytes] | None
) -> None:
    """Add what a request counts, unless it was stored before: its rows are there, so it was counted then."""
    has_rows = bool(reading.events or reading.points)
    is_new = (
        not has_rows
        or any(new_events is None or row.digest in new_events for row in reading.events)
        or any(new_points is None or row.series in new_points for row in reading.points)
    )
    if is_new:
        counts.update(reading.counts)
    for digest, tally in reading.counts_of_rows:
        if new_events is None or digest in new_events:
            counts[tally] += 1


def _quarantine(requests: Sequence[Received]) -> None:
    rejected = {
        record.digest: (record, request.token_id) for request in requests for record in request.reading.rejected
    }
    if rejected:
        QuarantinedRecord.objects.bulk_create(
            [
                QuarantinedRecord(
                    token_id=token_id,
                    signal=record.signal,
                    digest=UUID(bytes=digest),
                    encoding=record.encoding,
                    reason=record.reason[:LONGEST_REASON],
                    payload=record.payload,
                )
                for digest, (record, token_id) in sorted(rejected.items())
            ],
            ignore_conflicts=True,
        )

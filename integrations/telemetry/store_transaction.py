"""The one transaction in which received rows, their sessions, their batch, quarantine and counts are written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import LiteralString
from uuid import UUID

from celery import signature
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper

from integrations.models import QuarantinedRecord, ReceivedBatch
from integrations.services.ingest_tokens import Sender
from integrations.telemetry.decode_reading import Reading, Tally
from integrations.telemetry.store_bound import Claim, bind, note_claims
from integrations.telemetry.store_partitions import day_number, ensure_partitions, forget_partitions
from integrations.telemetry.store_rows import (
    EVENT_COLUMNS,
    EVENT_TABLE,
    POINT_COLUMNS,
    POINT_TABLE,
    EncodedRow,
    copy_of_events,
    copy_of_points,
    encode_events,
    encode_points,
    first_times,
    merge_events,
    merge_points,
    time_of_row,
)
from integrations.telemetry.store_sessions import Batch, forget_identities, open_batch
from integrations.telemetry.store_tallies import append_tallies
from orgtree.nudges import nudge_on_commit

LONGEST_REASON = 300
# By its name: the fold stands above the store.
FOLD_RECEIVED = signature("integrations.telemetry.tasks.fold_received")

# Writes encoded rows; which of them were new, by the named column.  None: all of them.
Copy = Callable[[LiteralString, LiteralString, LiteralString, bytes], set[bytes] | None]


@dataclass(slots=True)
class Received:
    """What a request brought, and who sent it; its rows encoded, so that nobody waits for that."""

    reading: Reading
    sender: Sender | None
    claims: list[Claim] = field(init=False)
    events: list[EncodedRow] = field(init=False)
    points: list[EncodedRow] = field(init=False)

    def __post_init__(self) -> None:
        self.claims = bind(self.reading, self.sender) if self.sender else []
        self.events = encode_events(self.reading.events)
        self.points = encode_points(self.reading.points)

    @property
    def rows(self) -> int:
        return len(self.events) + len(self.points)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of both tables in the order of the tables' keys, none of them twice."""

    events: list[EncodedRow]
    points: list[EncodedRow]

    def ensure_partitions(self) -> None:
        for table, rows in ((EVENT_TABLE, self.events), (POINT_TABLE, self.points)):
            if rows:
                ensure_partitions(table, _days(rows))

    def open_batch(self) -> Batch:
        ends = [row for rows in (self.events, self.points) if rows for row in (rows[0], rows[-1])]
        first_seen = first_times(self.events)
        for session, at in first_times(self.points).items():
            first_seen[session] = min(at, first_seen.get(session, at))
        return open_batch(first_seen, earliest=min(map(time_of_row, ends)), latest=max(map(time_of_row, ends)))


def _days(rows: list[EncodedRow]) -> Iterable[int]:
    first, last = day_number(time_of_row(rows[0])), day_number(time_of_row(rows[-1]))
    return (first,) if first == last else {day_number(time_of_row(row)) for row in rows}


def write(requests: Sequence[Received]) -> None:
    """Store the requests in one transaction, as one batch.

    Requests are usually new, so their rows are copied straight into the tables; where one of them turns out to be
    there, all are written again through a staging table, which leaves alone what is there.
    """
    rows = _Rows(
        merge_events([request.events for request in requests]),
        merge_points([request.points for request in requests]),
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
            batch = rows.open_batch()
            if rows.events:
                encoded = copy_of_events(rows.events, batch.id, batch.sessions)
                new_events = copy(EVENT_TABLE, EVENT_COLUMNS, "digest", encoded)
            if rows.points:
                encoded = copy_of_points(rows.points, batch.id, batch.sessions)
                new_points = copy(POINT_TABLE, POINT_COLUMNS, "series", encoded)
            if new_events == set() and new_points == set():
                ReceivedBatch.objects.filter(pk=batch.id).delete()
            else:
                nudge_on_commit(FOLD_RECEIVED)
            transaction.on_commit(batch.remember)
        counts: Counter[Tally] = Counter()
        for request in requests:
            _count(request.reading, counts, new_events, new_points)
            if request.claims and request.sender:
                note_claims(request.sender.token_id, request.claims, new_events, new_points)
        if counts:
            append_tallies(counts)
        _quarantine(requests)


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
        record.digest: (record, request.sender.token_id if request.sender else None)
        for request in requests
        for record in request.reading.rejected
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

"""One request's rows into the database: everything or nothing, each row once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import LiteralString, TypeVar
from uuid import UUID

from celery import signature
from django.db import IntegrityError, connection, transaction
from django.db.backends.utils import CursorWrapper
from psycopg import errors

from integrations.models import QuarantinedRecord, ReceivedBatch
from integrations.telemetry.decode_reading import Reading, RejectedRecord
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
from integrations.telemetry.store_sessions import (
    YEAR_2000,
    find_or_create_sessions,
    remember_sessions,
    remembered_sessions,
)
from integrations.telemetry.store_tallies import append_tallies
from orgtree.nudges import nudge_on_commit

Row = TypeVar("Row", EventRow, PointRow)
Copy = Callable[[LiteralString, LiteralString, LiteralString, bytes], set[bytes] | None]

# By its name: the fold stands above the store.
FOLD_RECEIVED = signature("integrations.telemetry.tasks.fold_received")
LONGEST_REASON = 300


@dataclass(slots=True)
class Rows:
    """A request's rows in the order of the tables' keys, none of them twice."""

    events: list[EventRow]
    points: list[PointRow]

    @property
    def times(self) -> list[int]:
        return [row.at for rows in (self.events, self.points) for row in (rows[:1] + rows[-1:])]


def store(reading: Reading, *, token_id: int | None) -> None:
    """Everything that a request brought, in one transaction; its batch is folded into sessions soon after.

    Rows that are there already are left alone.  Requests are usually new, so their rows are copied straight into
    the tables; where one row turns out to be there, the request is stored again the slow way.
    Raises django.db.OperationalError while the database is away; nothing is stored then.
    """
    rows = Rows(
        _once(reading.events, key=2),
        _once(reading.points, key=3),
    )
    for table, table_rows in ((EVENT_TABLE, rows.events), (POINT_TABLE, rows.points)):
        ensure_partitions(table, {day_number(row.at) for row in table_rows})
    try:
        _store(reading, rows, token_id, copy=_copy_new)
    except IntegrityError as problem:
        if isinstance(problem.__cause__, errors.CheckViolation):
            forget_partitions()
            for table, table_rows in ((EVENT_TABLE, rows.events), (POINT_TABLE, rows.points)):
                ensure_partitions(table, {day_number(row.at) for row in table_rows})
        _store(reading, rows, token_id, copy=_copy_missing)


def _store(reading: Reading, rows: Rows, token_id: int | None, *, copy: Copy) -> None:
    with transaction.atomic():
        sessions = _sessions(rows)
        batch_id = _next_batch_id() if rows.events or rows.points else 0
        new_events = (
            copy(EVENT_TABLE, EVENT_COLUMNS, "digest", encoded_events(rows.events, batch_id, sessions))
            if rows.events
            else set()
        )
        new_points = (
            copy(POINT_TABLE, POINT_COLUMNS, "series", encoded_points(rows.points, batch_id, sessions))
            if rows.points
            else set()
        )
        if new_events is None or new_points is None or new_events or new_points:
            ReceivedBatch.objects.create(id=batch_id, at_from=_time(min(rows.times)), at_to=_time(max(rows.times)))
            nudge_on_commit(FOLD_RECEIVED)
        counts = reading.counts + Counter(
            tally for digest, tally in reading.counts_of_rows if new_events is None or digest in new_events
        )
        if counts:
            append_tallies(counts)
        if reading.rejected:
            _quarantine(reading.rejected, token_id)
        transaction.on_commit(lambda: remember_sessions(sessions))


def _once(rows: list[Row], key: int) -> list[Row]:
    rows.sort()
    return [row for position, row in enumerate(rows) if not position or row[:key] != rows[position - 1][:key]]


def _sessions(rows: Rows) -> dict[SessionKey, int]:
    known = remembered_sessions()
    first_seen: dict[SessionKey, int] = {}
    found: dict[SessionKey, int] = {}
    every: Iterable[EventRow | PointRow] = chain(rows.events, rows.points)
    for row in every:
        if row.session is None or row.session in found:
            continue
        id_ = known.get(row.session)
        if id_ is not None:
            found[row.session] = id_
        else:
            first_seen.setdefault(row.session, row.at)
    if first_seen:
        found |= find_or_create_sessions(first_seen)
    return found


def _next_batch_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('integrations_receivedbatch', 'id'))")
        return int(cursor.fetchone()[0])


def _copy_new(
    table: LiteralString, columns: LiteralString, identity: LiteralString, encoded: bytes
) -> set[bytes] | None:
    """Copy rows into the table.  IntegrityError where one is there already.  None: all were new."""
    with connection.cursor() as cursor:
        _copy(cursor, table, columns, encoded)
    return None


def _copy_missing(
    table: LiteralString, columns: LiteralString, identity: LiteralString, encoded: bytes
) -> set[bytes] | None:
    """Copy rows that are not there yet; the digests of those."""
    staging = f"{table}_staging"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {staging} (LIKE {table}) ON COMMIT DELETE ROWS")
        _copy(cursor, staging, columns, encoded)
        cursor.execute(  # the names are this module's constants
            f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {staging} "  # noqa: S608
            f"ON CONFLICT DO NOTHING RETURNING {identity}"
        )
        return {row[0].bytes for row in cursor.fetchall()}


def _copy(cursor: CursorWrapper, table: str, columns: str, encoded: bytes) -> None:
    # Django's cursor does not turn psycopg's exceptions into its own here.
    with connection.wrap_database_errors, cursor.copy(f"COPY {table} ({columns}) FROM STDIN BINARY") as copy:
        copy.write(encoded)


def _quarantine(rejected: Sequence[RejectedRecord], token_id: int | None) -> None:
    QuarantinedRecord.objects.bulk_create(
        [
            QuarantinedRecord(
                token_id=token_id,
                signal=record.signal,
                digest=UUID(bytes=record.digest),
                encoding=record.encoding,
                reason=record.reason[:LONGEST_REASON],
                payload=record.payload,
            )
            for record in sorted(rejected, key=lambda record: record.digest)
        ],
        ignore_conflicts=True,
    )


def _time(microseconds: int) -> datetime:
    return YEAR_2000 + timedelta(microseconds=microseconds)

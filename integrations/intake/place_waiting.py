"""Sweep that places waiting records as soon as their names can be resolved.

The rows are the queue: every sweep resolves their names again, so that no change has to be announced.  Each step is a
transaction that begins by taking the connection's write lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TypeVar

from django.db import DataError, IntegrityError, OperationalError, transaction
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from core.batches import batched
from core.queue import Backoff, claim
from integrations.enums import Kind
from integrations.intake.placing import find_places
from integrations.intake.resolve import Named, Place
from integrations.intake.store_drafts import store_waiting
from integrations.models import Connection, UnplacedReason, UnplacedRecord
from integrations.outbox.write_lock import lock_for_write

logger = logging.getLogger(__name__)

AT_ONCE = 200  # records per transaction
NAMES_AT_ONCE = 1_000
AFTER_FAILURE = Backoff(timedelta(minutes=1), timedelta(hours=6))
UNSTORABLE = (DataError, IntegrityError, ValueError)  # exceptions that one bad record can cause
Row = TypeVar("Row", bound=Model)


def place_waiting() -> int:
    """Place the records of all connections that have a place now; return how many."""
    waiting = Connection.objects.filter(removed_at=None, unplaced__isnull=False).distinct()
    return sum(_place_waiting(connection) for connection in waiting.order_by("pk"))


def in_steps(
    connection: Connection,
    kind: Kind,
    rows: QuerySet[Row],
    run: Callable[[Sequence[Row]], int],
    *,
    failed: Callable[[Row], object] = lambda row: None,
) -> int:
    """Run on batches of rows, each row once, in separate transactions; return the sum of the results.

    If a row of a step cannot be stored, the step is repeated row by row, and `failed` is called with that row.
    """
    total, last, most = 0, 0, AT_ONCE
    while True:
        claimed: list[Row] = []
        try:
            with transaction.atomic():
                lock_for_write(connection, {kind})
                claimed = claim(rows.filter(pk__gt=last).order_by("pk"), most)
                if not claimed:
                    return total
                number = run(claimed)
            total, last = total + number, claimed[-1].pk
        except UNSTORABLE:
            if most > 1:
                most = 1
                continue
            logger.exception("%r could not be placed", claimed[0])
            failed(claimed[0])
            last, most = claimed[0].pk, AT_ONCE
        except OperationalError:
            logger.warning("Placing of %s goes on with the next sweep", connection, exc_info=True)
            return total


def _place_waiting(connection: Connection) -> int:
    due = UnplacedRecord.objects.filter(Q(next_try_at=None) | Q(next_try_at__lte=timezone.now()), connection=connection)
    placed = 0
    for kind, names in _names(due):
        with transaction.atomic():  # pushed records may get a place by it
            places = find_places(connection, kind, names)
        for named, place in places.items():
            rows = due.filter(kind=kind, named=named.repository, source=named.source)
            if place.id is None:
                _note_reason(rows, place)
            else:
                placed += in_steps(connection, kind, rows, lambda some: store_waiting(connection, some), failed=_fail)
    if not UnplacedRecord.objects.filter(connection=connection).exists():
        Connection.objects.filter(~Q(unplaced_beyond=0), pk=connection.pk).update(unplaced_beyond=0)
    return placed


def _names(due: QuerySet[UnplacedRecord]) -> Iterator[tuple[Kind, set[Named]]]:
    """The names by kind, in batches."""
    for kind in list(due.order_by("kind").values_list("kind", flat=True).distinct()):
        of_kind = due.filter(kind=kind).order_by("named", "source").values_list("named", "source").distinct()
        names = [Named(*name) for name in of_kind]
        for some in batched(names, NAMES_AT_ONCE):
            yield Kind(kind), set(some)


def _note_reason(rows: QuerySet[UnplacedRecord], place: Place) -> None:
    others = rows.exclude(reason=UnplacedReason.FAILED).exclude(reason=place.reason, detail=place.detail)
    others.update(reason=place.reason, detail=place.detail)


def _fail(row: UnplacedRecord) -> None:
    UnplacedRecord.objects.filter(pk=row.pk).update(
        reason=UnplacedReason.FAILED,
        detail="Headway failed to process it; the log has details.",
        next_try_at=timezone.now() + AFTER_FAILURE.wait(row.failures),
        failures=row.failures + 1,
    )

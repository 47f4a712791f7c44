"""A slice of work on a stream: it is read for a while, page by page, and then returned to the queue.

A slice sends one request after the other, so limiting the concurrent slices per host, across connections and workers,
also limits concurrent requests.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from zlib import crc32

from django.db.models import F
from django.utils import timezone

from core.locks import Lock
from integrations.connectors.errors import ConnectorError, PermanentError
from integrations.enums import Kind
from integrations.models import Connection, SyncRun
from integrations.sync.budgets import BudgetBook
from integrations.sync.clients import client_of, connector_of, fetched, host_of
from integrations.sync.leases import Lease, LostLeaseError, claimed
from integrations.sync.pages import SliceContext, store_page
from integrations.sync.read_ahead import ReadAhead
from integrations.sync.readings import end_reading, end_slice, fail_slice, open_run

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_RENEWALS = 5.0  # also how soon a reading notices that it was cancelled
stopping = threading.Event()  # set when the process is to end: slices end after their page
SLICES_PER_HOST = 4  # GitHub advises against more than a few
HOST = Lock("slots of a host")


@contextmanager
def slot_at(host: str) -> Iterator[bool]:
    """Yield whether the host has a free slot; it is held until the end of the block, or of the process."""
    keys = [_host_key(host, number) for number in range(SLICES_PER_HOST)]
    key_held = next((key for key in keys if HOST.take(key)), None)
    try:
        yield key_held is not None
    finally:
        if key_held is not None:
            HOST.release(key_held)


def _host_key(host: str, number: int) -> int:
    return (crc32(host.encode()) & 0x0FFF_FFFF) * SLICES_PER_HOST + number


@dataclass(frozen=True, slots=True)
class SliceLimits:
    """The number of pages or seconds after which the next stream is read."""

    pages: int = 20
    seconds: float = 15.0


SLICE_LIMITS = SliceLimits()


@dataclass(frozen=True, slots=True)
class SyncSlice:
    """One slice: its run, or the connection whose host already has the maximum number of slices."""

    run: SyncRun | None = None
    rate_limited: int | None = None


def run_next_slice(
    *, connections: Collection[int] | None = None, without: Collection[int] = (), requested: bool = False
) -> SyncSlice | None:
    """Continue the stream that is due next; None if nothing is due."""
    with claimed(connections=connections, without=without, requested=requested) as lease:
        if lease is None:
            return None
        connection = Connection.objects.get(resources__streams=lease.stream_id)
        try:
            host = host_of(connector_of(connection))
        except PermanentError:
            host = ""  # reading will report the problem
        with slot_at(host) as free:
            return SyncSlice(run=take_slice(lease)) if free else SyncSlice(rate_limited=connection.pk)


def take_slice(lease: Lease) -> SyncRun | None:
    """Read a slice of the leased stream and return its run; None if the lease was revoked before it began."""
    try:
        at = SliceContext.of(lease, *open_run(lease))
    except LostLeaseError:
        return None
    run = at.run
    try:
        try:
            complete = _read(at)
        except ConnectorError as problem:
            fail_slice(lease, run, problem)
        except LostLeaseError:
            raise
        except Exception as problem:
            logger.exception("Reading %s broke off", at.stream)
            fail_slice(lease, run, _own_fault(problem))
        else:
            if complete is None:
                end_slice(lease, run)
            else:
                end_reading(lease, run, complete=complete)
    except LostLeaseError:
        logger.info("Reading %s was taken away", at.stream)
    run.refresh_from_db()
    return run


def _read(at: SliceContext) -> bool | None:
    """Store the pages of one slice; return whether they end a complete reading, or None if there is more to read."""
    stream = at.stream
    connection = stream.resource.connection
    connector = connector_of(connection)
    budgets = BudgetBook(connection)
    until = time.monotonic() + SLICE_LIMITS.seconds
    with client_of(connector, budgets) as http:
        pages = connector.fetch(http, fetched(stream.resource), Kind(stream.kind), stream.cursor, now=timezone.now())
        pages_left = itertools.count(SLICE_LIMITS.pages - 1, -1)

        def after_page() -> None:
            if next(pages_left) <= 0 or time.monotonic() > until or stopping.is_set():
                http.give_up()

        ahead = ReadAhead(pages, after_page)
        counted = 0
        complete = False
        try:
            while (page := ahead.next_page(at.lease.renew, every_seconds=SECONDS_BETWEEN_RENEWALS)) is not None:
                requests_before = http.requests
                store_page(at, page, requests=requests_before - counted)
                counted, complete = requests_before, page.complete
                budgets.save()
                if not _is_wanted(connection):
                    return None
        finally:
            ahead.stop()
            http.give_up()
            budgets.save()
            SyncRun.objects.filter(pk=at.run.pk).update(requests=F("requests") + http.requests - counted)
    return complete if ahead.at_end else None


def _is_wanted(connection: Connection) -> bool:
    """Whether the connection is neither paused nor removed."""
    return Connection.objects.filter(pk=connection.pk, paused_at=None, removed_at=None).exists()


def _own_fault(problem: Exception) -> ConnectorError:
    return ConnectorError(
        f"Headway itself failed: {type(problem).__name__}.",
        what_to_do="Report it with the worker's log. It will be retried.",
    )

"""A turn: a stream is read for a while, page by page, and goes back to the queue."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import Enum

from django.db.models import F
from django.utils import timezone

from integrations.connectors.errors import ConnectorError, PermanentError
from integrations.enums import Kind
from integrations.models import Connection, Stream, SyncRun
from integrations.sync.budgets import BudgetBook
from integrations.sync.clients import client_of, connector_of, fetched, host_of
from integrations.sync.hosts import turn_at
from integrations.sync.leases import Lease, LostLeaseError, claimed, claimed_stream
from integrations.sync.pages import Turning, store_page
from integrations.sync.read_ahead import ReadAhead
from integrations.sync.readings import end_reading, end_turn, fail_turn, open_run

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_RENEWALS = 5.0  # also how soon a reading notices that it was cancelled
stopping = threading.Event()  # set when the process is to end: turns end after their page


@dataclass(frozen=True, slots=True)
class Turn:
    """When it is the next stream's turn."""

    pages: int = 20
    seconds: float = 15.0


TURN = Turn()


class AlreadyReadingError(Exception):
    """Another worker is at this stream."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A turn that was taken: its run, or the connection whose host has too many turns already."""

    run: SyncRun | None = None
    crowded: int | None = None


def take_turn(
    *, connections: Collection[int] | None = None, without: Collection[int] = (), requested: bool = False
) -> Taken | None:
    """Read on in the stream whose turn it is; None where nothing is due."""
    with claimed(connections=connections, without=without, requested=requested) as lease:
        if lease is None:
            return None
        connection = Connection.objects.get(resources__streams=lease.stream_id)
        try:
            host = host_of(connector_of(connection))
        except PermanentError:
            host = ""  # the turn will say what is wrong
        with turn_at(host) as free:
            return Taken(run=_take(lease)) if free else Taken(crowded=connection.pk)


def run_stream(stream: Stream, *, after_turn: Callable[[], None] = lambda: None) -> SyncRun:
    """Read this stream to its end, or until something stops it, whether it is due or not.

    Raises AlreadyReadingError.
    """
    while True:
        with claimed_stream(stream) as lease:
            if lease is None:
                raise AlreadyReadingError
            run = _take(lease)
        after_turn()
        if run is None:
            raise AlreadyReadingError
        if run.finished_at is not None or run.problem:
            return run


def _take(lease: Lease) -> SyncRun | None:
    """The run of which this was a turn; None where the lease was taken away before it began."""
    try:
        at = Turning.of(lease, *open_run(lease))
    except LostLeaseError:
        return None
    run = at.run
    try:
        try:
            came_to = _read(at)
        except ConnectorError as problem:
            fail_turn(lease, run, problem)
        except LostLeaseError:
            raise
        except Exception as problem:
            logger.exception("Reading %s broke off", at.stream)
            fail_turn(lease, run, _own_fault(problem))
        else:
            if came_to is _CameTo.TURNS_END:
                end_turn(lease, run)
            else:
                end_reading(lease, run, complete=came_to is _CameTo.COMPLETE_END)
    except LostLeaseError:
        logger.info("Reading %s was taken away", at.stream)
    run.refresh_from_db()
    return run


class _CameTo(Enum):
    """How far a turn came: back to the queue, to the end of the reading, or to that of a complete one."""

    TURNS_END = "turn"
    END = "end"
    COMPLETE_END = "complete end"


def _read(at: Turning) -> _CameTo:
    """Store the pages of one turn."""
    stream = at.stream
    connection = stream.resource.connection
    connector = connector_of(connection)
    budgets = BudgetBook(connection)
    until = time.monotonic() + TURN.seconds
    with client_of(connector, budgets) as http:
        pages = connector.fetch(http, fetched(stream.resource), Kind(stream.kind), stream.cursor, now=timezone.now())
        pages_left = itertools.count(TURN.pages - 1, -1)

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
                    return _CameTo.TURNS_END
        finally:
            ahead.stop()
            http.give_up()
            budgets.save()
            SyncRun.objects.filter(pk=at.run.pk).update(requests=F("requests") + http.requests - counted)
    if not ahead.at_end:
        return _CameTo.TURNS_END
    return _CameTo.COMPLETE_END if complete else _CameTo.END


def _is_wanted(connection: Connection) -> bool:
    """Whether the connection was neither paused nor removed meanwhile."""
    return Connection.objects.filter(pk=connection.pk, paused_at=None, removed_at=None).exists()


def _own_fault(problem: Exception) -> ConnectorError:
    return ConnectorError(
        f"Headway itself failed: {type(problem).__name__}.",
        what_to_do="Report it with the worker's log. It is tried again.",
    )

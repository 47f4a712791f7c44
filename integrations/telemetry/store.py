"""Received rows into the database: everything of a request or nothing, each row once.

Requests are decoded in their own threads and written by one thread of the process, which takes all that wait
together: small requests then share the cost of a transaction and of its wait for the disk, on one connection that
knows its statements already, and no two threads of a process can wait for each other's rows in a circle.  Each
request is answered when its transaction is durable.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import InterfaceError, OperationalError, connection
from psycopg import errors

from integrations.services.ingest_tokens import Sender
from integrations.telemetry.decode_reading import Reading
from integrations.telemetry.store_transaction import Received, write

MOST_ROWS_AT_ONCE = 5_000  # bounds what a request waits for others
MOST_WAITING = 64  # requests; beyond that the database does not keep up, and senders had better wait than their data
SECONDS_UNTIL_IDLE = 30.0  # without a request the thread ends, and its connection with it

_waiting: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
_writer: threading.Thread | None = None
_writer_lock = threading.Lock()


class OverloadedError(Exception):
    """More requests wait to be written than the database keeps up with; nothing of this one was stored."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A request that is to be written, and what became of it."""

    received: Received
    is_durable: bool = False
    problem: Exception | None = None
    unwritten: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.unwritten.acquire()

    def wait(self) -> None:
        """Until it is durable; raises what kept it from being written."""
        self.unwritten.acquire()
        if not self.is_durable:
            raise self.problem or RuntimeError("The thread that writes telemetry broke off.")


def store(reading: Reading, *, sender: Sender | None) -> None:
    """Store everything that a request brought; what is new of it is folded into sessions soon after.

    Raises django.db.OperationalError or InterfaceError while the database is away, and OverloadedError while it does
    not keep up; nothing is stored then.
    """
    if _waiting.qsize() >= MOST_WAITING:
        raise OverloadedError
    received = Received(reading, sender)
    if connection.in_atomic_block:  # part of the caller's transaction, which no other request can join
        write([received])
        return
    waiting = Waiting(received)
    _hand_over(waiting)
    waiting.wait()


def _hand_over(request: Waiting) -> None:
    global _writer  # noqa: PLW0603  # one a process; a forked one has none yet
    with _writer_lock:
        _waiting.put(request)
        if _writer is None or not _writer.is_alive():
            _writer = threading.Thread(target=_write_until_idle, name="telemetry writer", daemon=True)
            _writer.start()


def _write_until_idle() -> None:
    global _writer  # noqa: PLW0603
    first: Waiting | None = None
    while True:
        try:
            first = first or _waiting.get(timeout=SECONDS_UNTIL_IDLE)
        except queue.Empty:
            with _writer_lock:
                if _waiting.empty():
                    _writer = None
                    break
            continue
        requests, first = _take(first)
        try:
            write_together(requests)
        except BaseException:
            if first is not None:
                first.unwritten.release()  # this thread ends, and nobody else knows of it
            raise
        finally:
            for request in requests:
                request.unwritten.release()
    connection.close()


def _take(first: Waiting) -> tuple[list[Waiting], Waiting | None]:
    """`first` and what waits beside it, up to a limit; and the request that would go beyond it, if there is one."""
    taken = [first]
    rows = first.received.rows
    while True:
        try:
            request = _waiting.get_nowait()
        except queue.Empty:
            return taken, None
        rows += request.received.rows
        if rows > MOST_ROWS_AT_ONCE:
            return taken, request
        taken.append(request)


def write_together(requests: Sequence[Waiting]) -> None:
    """Write the requests; where that fails, each alone, so that one cannot spoil another."""
    try:
        _write_or_reconnect([waiting.received for waiting in requests])
        for waiting in requests:
            waiting.is_durable = True
    except (OperationalError, InterfaceError) as problem:
        for waiting in requests:
            waiting.problem = problem
    except Exception as problem:
        if len(requests) == 1:
            requests[0].problem = problem
        else:
            for waiting in requests:
                write_together([waiting])


def _write_or_reconnect(requests: Sequence[Received]) -> None:
    """A connection that was lost while nobody used it is opened again, once; after a deadlock it is tried again, too.

    Django would ask the database before every request whether the connection still works, which costs a small one
    a tenth of its time.  Writing twice is safe: what is there is left alone.
    """
    connection.health_check_done = True  # type: ignore[attr-defined]
    try:
        write(requests)
    except (OperationalError, InterfaceError) as problem:
        if not isinstance(problem.__cause__, errors.DeadlockDetected):
            if connection.connection is not None and connection.is_usable():
                raise
            connection.close()
        write(requests)

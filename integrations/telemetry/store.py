"""Received rows into the database: everything of a request or nothing, each row once.

Requests that come while another is written are written together, by whichever of their threads is first: small
requests then share the cost of a transaction and of its wait for the disk, and no two threads of a process can wait
for each other's rows in a circle.  Each request is answered when its transaction is durable.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import Error, InterfaceError, OperationalError, connection
from psycopg import errors

from integrations.telemetry.decode_reading import Reading
from integrations.telemetry.store_transaction import Received, write

MOST_ROWS_AT_ONCE = 5_000  # bounds what a request waits for others
MOST_WAITING = 64  # requests; beyond that the database does not keep up, and senders had better wait than their data

_queue_lock = threading.Lock()
_write_lock = threading.Lock()


class OverloadedError(Exception):
    """More requests wait to be written than the database keeps up with; nothing of this one was stored."""


@dataclass(slots=True, eq=False)
class Waiting:
    """A request that is to be written, and what became of it."""

    received: Received
    is_done: bool = False
    problem: Exception | None = field(default=None)


_queue: list[Waiting] = []


def store(reading: Reading, *, token_id: int | None) -> None:
    """Store everything that a request brought; what is new of it is folded into sessions soon after.

    Raises django.db.OperationalError or InterfaceError while the database is away, and OverloadedError while it does
    not keep up; nothing is stored then.
    """
    if len(_queue) >= MOST_WAITING:
        raise OverloadedError
    received = Received(reading, token_id)
    if connection.in_atomic_block:  # part of the caller's transaction, which no other request can join
        write([received])
        return
    waiting = Waiting(received)
    with _queue_lock:
        _queue.append(waiting)
    with _write_lock:
        if not waiting.is_done:
            write_together(_take(waiting))
    if waiting.problem:
        raise waiting.problem


def _take(first: Waiting) -> list[Waiting]:
    """`first` and what waits beside it, up to a limit."""
    with _queue_lock:
        _queue.remove(first)
        taken = [first]
        rows = first.received.rows
        while _queue and rows + _queue[0].received.rows <= MOST_ROWS_AT_ONCE:
            taken.append(_queue.pop(0))
            rows += taken[-1].received.rows
    return taken


def write_together(requests: Sequence[Waiting]) -> None:
    """Write the requests; where that fails, each alone, so that one cannot spoil another."""
    try:
        _write_or_reconnect([waiting.received for waiting in requests])
    except (OperationalError, InterfaceError) as problem:
        for waiting in requests:
            waiting.problem = problem
    except Error as problem:
        if len(requests) == 1:
            requests[0].problem = problem
        else:
            for waiting in requests:
                write_together([waiting])
    except BaseException as problem:
        for waiting in requests:
            waiting.problem = RuntimeError(f"Not stored: {problem!r} in another request's thread.")
        raise
    finally:
        for waiting in requests:
            waiting.is_done = True


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

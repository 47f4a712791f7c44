"""Detects a hanging database: its process is stopped or its disk blocks, while its kernel still accepts data.

Clients would wait forever: no server timeout fires, and keepalives are answered.  In the web process 16 such requests
would occupy all threads.  So one thread probes the database every second, and another checks twice a second whether it
has answered.  After three seconds without an answer the sockets of all waiting requests are shut down and new
connections are refused: each request fails on its own, in its own format.

A single connection can hang while the server answers others: a firewall forgot it, or the disk blocks its backend.
The server's statement timeout would have ended the statement by then, so its socket is shut down five seconds later.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from psycopg.pq import TransactionStatus

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_PROBES = 1.0
SECONDS_BETWEEN_CHECKS = 0.5
CHECKS_WITHOUT_ANSWER = 6  # checks, not seconds: after sleep the machine finds an old probe and its answer at once
SECONDS_TO_CONNECT = 3
STATEMENT_SECONDS = 30
SECONDS_BEYOND_TIMEOUT = 5.0  # for the server to end a statement, before its connection counts as dead
LOCK_SECONDS = 5
REQUEST_LIMITS = f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"

watch: DatabaseWatch | None = None
"""The watch of this process; None in workers and commands, which wait as long as it takes."""


class DatabaseWatch:
    """Watches the database from the first connection of a process on, and again after a fork."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._connections: WeakKeyDictionary[psycopg.Connection[Any], int] = WeakKeyDictionary()
        """By connection, the successive checks that found it waiting for the server."""
        self._statement_checks = math.inf  # allowed per connection; unlimited until the probe knows the timeout
        self._is_waiting = False
        self._checks = 0

    def is_hanging(self) -> bool:
        return self._is_waiting and self._checks >= CHECKS_WITHOUT_ANSWER

    def begin(self, parameters: Mapping[str, Any]) -> None:
        """Call it before each connection.  Raises psycopg.OperationalError while the database hangs."""
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                own = {**parameters, "connect_timeout": SECONDS_TO_CONNECT, "autocommit": True}
                threading.Thread(target=self._probe, args=(own,), name="database probe", daemon=True).start()
                threading.Thread(target=self._look, name="database watch", daemon=True).start()
        if self.is_hanging():
            raise psycopg.OperationalError("The database does not answer.")

    def note(self, connection: psycopg.Connection[Any]) -> None:
        """Register a connection whose socket is shut down when the database hangs."""
        with self._lock:
            self._connections[connection] = 0

    def _probe(self, parameters: dict[str, Any]) -> None:
        while True:
            self._is_waiting = True
            try:
                with psycopg.connect(**parameters) as connection:
                    self.learn_timeout(connection)
                    while True:
                        self._is_waiting = True
                        connection.execute("SELECT 1")
                        self._record_answer()
                        time.sleep(SECONDS_BETWEEN_PROBES)
            except psycopg.errors.ConnectionTimeout:
                continue
            except psycopg.Error:
                self._record_answer()  # refused or gone: clients get an error at once
            time.sleep(SECONDS_BETWEEN_PROBES)

    def _record_answer(self) -> None:
        if self.is_hanging():
            logger.warning("The database answers again.")
        self._is_waiting, self._checks = False, 0

    def _look(self) -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_CHECKS)
            self._checks = self._checks + 1 if self._is_waiting else 0
            if self.is_hanging():
                if self._checks == CHECKS_WITHOUT_ANSWER:
                    logger.error("The database does not answer: requests that need it are refused until it does.")
                with self._lock:
                    connections = list(self._connections)
                _shut_sockets(connections)
            elif count := self.give_up_hung_connections():
                logger.error("%d connections to the database hang, and are given up.", count)

    def learn_timeout(self, connection: psycopg.Connection[Any]) -> None:
        """Record the statement timeout of connections with these options."""
        row = connection.execute("SELECT setting::int / 1000.0 FROM pg_settings WHERE name = 'statement_timeout'")
        seconds = float(row.fetchone()[0])  # type: ignore[index]  # one row
        self._statement_checks = (seconds + SECONDS_BEYOND_TIMEOUT) / SECONDS_BETWEEN_CHECKS if seconds else math.inf

    def give_up_hung_connections(self) -> int:
        """Shut down connections that wait longer than a statement may run; returns their number.  One check."""
        with self._lock:
            for connection, checks in list(self._connections.items()):
                is_waiting = connection.info.transaction_status is TransactionStatus.ACTIVE
                self._connections[connection] = checks + 1 if is_waiting else 0
            hung = [connection for connection, checks in self._connections.items() if checks > self._statement_checks]
        _shut_sockets(hung)
        return len(hung)


def _shut_sockets(connections: Iterable[psycopg.Connection[Any]]) -> None:
    """Waiting threads read EOF; closing is up to the owner of the socket."""
    for connection in connections:
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as shared:
            if not connection.closed:  # otherwise the descriptor may be reused
                shared.shutdown(socket.SHUT_RDWR)


def start_database_watch() -> None:
    """Watch the database in this process and its forks."""
    global watch  # noqa: PLW0603  # one per process; Django opens connections itself
    watch = DatabaseWatch()

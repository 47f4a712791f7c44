"""A database that hangs: its process is stopped or its disk does not answer, and yet its kernel takes what is sent.

Whoever waits for it waits for ever: no limit of the server's own runs out, and keepalives are answered.  In the web
process 16 such requests would leave no thread for anybody.  So one thread probes the database every second, and another
looks twice a second whether it has answered.  Where it has not for three seconds, the sockets of all requests that
wait are shut, and no new connection is tried: each request fails by itself, in the form of what it asked for.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from weakref import WeakSet

import psycopg

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_PROBES = 1.0
SECONDS_BETWEEN_LOOKS = 0.5
LOOKS_WITHOUT_ANSWER = 6  # looks and not seconds: a machine that slept finds an old probe, and the answer beside it
SECONDS_TO_CONNECT = 3
STATEMENT_SECONDS = 30
LOCK_SECONDS = 5
REQUEST_LIMITS = f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"

watch: DatabaseWatch | None = None
"""The one of this process; None where nobody asked for one: workers and commands wait as long as it takes."""


class DatabaseWatch:
    """Begins with the first connection of a process, and again in a forked one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pid = 0
        self._connections: WeakSet[psycopg.Connection[Any]] = WeakSet()
        self._is_waiting = False
        self._looks = 0

    def does_not_answer(self) -> bool:
        return self._is_waiting and self._looks >= LOOKS_WITHOUT_ANSWER

    def begin(self, parameters: Mapping[str, Any]) -> None:
        """Before each connection.  Raises psycopg.OperationalError while the database does not answer."""
        with self._lock:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                own = {**parameters, "connect_timeout": SECONDS_TO_CONNECT, "autocommit": True}
                threading.Thread(target=self._probe, args=(own,), name="database probe", daemon=True).start()
                threading.Thread(target=self._look, name="database watch", daemon=True).start()
        if self.does_not_answer():
            raise psycopg.OperationalError("The database does not answer.")

    def note(self, connection: psycopg.Connection[Any]) -> None:
        """A connection whose socket is shut when the database does not answer."""
        with self._lock:
            self._connections.add(connection)

    def _probe(self, parameters: dict[str, Any]) -> None:
        while True:
            self._is_waiting = True
            try:
                with psycopg.connect(**parameters) as connection:
                    while True:
                        self._is_waiting = True
                        connection.execute("SELECT 1")
                        self._note_answer()
                        time.sleep(SECONDS_BETWEEN_PROBES)
            except psycopg.errors.ConnectionTimeout:
                continue
            except psycopg.Error:
                self._note_answer()  # it refuses, or is gone: whoever tries is told so at once
            time.sleep(SECONDS_BETWEEN_PROBES)

    def _note_answer(self) -> None:
        if self.does_not_answer():
            logger.warning("The database answers again.")
        self._is_waiting, self._looks = False, 0

    def _look(self) -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            self._looks = self._looks + 1 if self._is_waiting else 0
            if self.does_not_answer():
                if self._looks == LOOKS_WITHOUT_ANSWER:
                    logger.error("The database does not answer: requests that need it are refused until it does.")
                self._shut_sockets()

    def _shut_sockets(self) -> None:
        """Whoever waits on one reads its end.  Closing it would be its owner's."""
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as shared:
                if not connection.closed:  # else the number may be another socket's by now
                    shared.shutdown(socket.SHUT_RDWR)


def watch_the_database() -> None:
    """From now on, in this process and those forked from it."""
    global watch  # noqa: PLW0603  # a process has one, and Django makes its connections itself
    watch = DatabaseWatch()

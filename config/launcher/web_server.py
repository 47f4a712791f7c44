"""The web server: waitress, one process with threads.

One loop reads every connection, and a thread gets a request only once it is complete: a slow sender holds no thread.
One process shares its caches, pooled database connections and nudges; scale out with more machines.  Limits per
connection are in config/launcher/web_connections.py.
"""

from __future__ import annotations

import gc
import math
import resource
import signal
import socket
import sys
import time
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from config import environment
from config.launcher.web import BACKLOG, listen
from config.launcher.web_connections import Channel

THREADS = 16
MOST_CONNECTIONS = 1000
FILES_PER_CONNECTION = 6  # per connection: its socket, a body on disk, and a file that is sent
FILES_FOR_THE_REST = 200  # for everything else: database connections, logs, modules
MOST_FILES = 16_384
MOST_SPOOLED_BODIES = 16  # bodies in temporary files at a time: a GB at most
MOST_BODY_BYTES = 66 * 1024 * 1024  # a file of people and its form; ingest endpoints have lower limits
MOST_BYTES_IN_MEMORY = 256 * 1024  # of a body
MOST_HEADER_BYTES = 16 * 1024  # the request line and all headers
SECONDS_TO_FINISH = 10.0  # for requests under way when the process is stopped
SECONDS_BETWEEN_CHECKS = 1.0
SHARE_CLOSED_FOR_OTHERS = 20


class WebServer(TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """waitress's server with graceful shutdown, timeouts, and a limit on connections."""

    channel_class = Channel
    active_channels: dict[int, Channel]

    def __init__(self, application: Any, listener: socket.socket) -> None:
        self.most_connections = min(MOST_CONNECTIONS, (_allowed_files() - FILES_FOR_THE_REST) // FILES_PER_CONNECTION)
        self._stopping = False
        super().__init__(
            application,
            _sock=listener,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
            adj=Adjustments(
                sockets=[listener],
                threads=THREADS,
                backlog=BACKLOG,
                connection_limit=self.most_connections + FILES_FOR_THE_REST,
                inbuf_overflow=MOST_BYTES_IN_MEMORY,
                max_request_header_size=MOST_HEADER_BYTES,
                max_request_body_size=MOST_BODY_BYTES,
                clear_untrusted_proxy_headers=False,  # config/client_address.py reads them
                log_socket_errors=False,  # clients disconnect all the time
                ident=None,
            ),
        )

    def stop(self, *_: object) -> None:
        """Signal handler: stop accepting, and end once open requests are answered."""
        self._stopping = True
        self.accepting = False
        self.pull_trigger()

    def run(self) -> None:
        deadline, next_look = math.inf, 0.0
        while not (self._stopping and self._is_idle()) and time.monotonic() < deadline:
            wasyncore.loop(timeout=SECONDS_BETWEEN_CHECKS, use_poll=True, map=self._map, count=1)
            now = time.monotonic()
            if now >= next_look:
                next_look = now + SECONDS_BETWEEN_CHECKS
                self._close_overdue(now)
            if len(self.active_channels) > self.most_connections:
                self._make_room()
            if self._stopping and deadline == math.inf:
                deadline = now + SECONDS_TO_FINISH
        self.task_dispatcher.shutdown(timeout=1)

    def maintenance(self, now: float) -> None:
        """Disabled: waitress's uses the wall clock, which may be set back, and waits for stuck clients."""

    def limit_spooled_bodies(self) -> None:
        """Refuse the slowest requests if too many bodies are in temporary files."""
        spooling = [channel for channel in self.active_channels.values() if channel.is_spooling]
        if len(spooling) > MOST_SPOOLED_BODIES:
            min(spooling, key=lambda channel: channel.waiting_since).refuse_for_room()

    def _close_overdue(self, now: float) -> None:
        for channel in list(self.active_channels.values()):
            if channel.is_overdue(now):
                channel.handle_close()

    def _make_room(self) -> None:
        """Close some of the longest waiting connections, so that new ones are served."""
        waiting = [channel for channel in self.active_channels.values() if not channel.requests]
        waiting.sort(key=lambda channel: channel.waiting_since)
        for channel in waiting[: 1 + self.most_connections // SHARE_CLOSED_FOR_OTHERS]:
            channel.handle_close()

    def _is_idle(self) -> bool:
        return not any(channel.is_busy for channel in self.active_channels.values())


def serve(listener: int | None) -> None:
    """Serve on the inherited socket, else on the configured address, until SIGTERM."""
    from config.wsgi import application  # loads every page, before the first request waits for them

    # Exempt loaded modules from garbage collection, which would delay one response in twenty.
    gc.collect()
    gc.freeze()
    # A response allocates tens of thousands of objects, hardly any of them in cycles.  With the default threshold, 700,
    # every other response triggers a full collection, which traverses all cached answers (0.2 s).
    gc.set_threshold(50_000, 10, 10)
    # Threads that wait for the database should resume soon after it answers.  By default a computing thread runs for
    # 5 ms before another gets the GIL: a transaction with half a dozen short waits would stall while another thread
    # reads a large request.
    sys.setswitchinterval(0.001)
    inherited = listen(environment.host(), environment.port()) if listener is None else socket.socket(fileno=listener)
    server = WebServer(application, inherited)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, server.stop)
    server.run()


def _allowed_files() -> int:
    """The limit of open files, after raising it as far as useful and allowed."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    return limit

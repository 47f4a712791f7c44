"""The web server's listening socket, held by the supervisor, and its liveness check.

The web process inherits the socket: a port in use is detected before anything starts, and requests that arrive during a
restart wait instead of being refused.
"""

from __future__ import annotations

import errno
import http.client
import socket
import time

from config import environment
from config.launcher.errors import LaunchError

BACKLOG = 1024  # connections that wait while the web process starts again
SECONDS_BETWEEN_CHECKS = 0.2
_checked_at = 0.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises LaunchError."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except socket.gaierror:
        raise LaunchError(f"HEADWAY_HOST is {host!r}, which is not an address of this machine.") from None
    except PermissionError:
        raise LaunchError(
            f"Port {port} is reserved for the system. Set HEADWAY_PORT to one from 1024 up, and put a reverse proxy "
            "in front."
        ) from None
    except OSError as problem:
        if problem.errno == errno.EADDRINUSE:
            raise LaunchError(
                f"Port {port} on {host} is taken by another program. Stop that program, or choose another port: "
                f"HEADWAY_PORT={port + 1 if port < 65535 else port - 1} make run"
            ) from None
        raise LaunchError(f"Cannot listen on {host} port {port}: {problem.strerror}.") from None
    return listener


def answers() -> bool:
    """Whether the web server's health check succeeds; rate-limited to a few requests a second."""
    global _checked_at  # noqa: PLW0603
    if time.monotonic() < _checked_at + SECONDS_BETWEEN_CHECKS:
        return False
    _checked_at = time.monotonic()
    host = environment.host()
    connection = http.client.HTTPConnection(
        "localhost" if host in environment.ANY_ADDRESS else host, environment.port(), timeout=2
    )
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()

"""The web server's socket, which the supervisor holds, and whether the server answers on it.

The supervisor listens and the web process inherits the socket: a taken port is known before anything is started, and
a request that arrives while the web process starts again waits instead of being refused.
"""

from __future__ import annotations

import errno
import http.client
import socket
import time

from config import environment
from config.launcher.errors import LaunchError

BACKLOG = 1024  # connections that wait while the web process starts again
SECONDS_BETWEEN_QUESTIONS = 0.2
_asked_at = 0.0


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; LaunchError says why there can be none."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except socket.gaierror:
        raise LaunchError(f"HEADWAY_HOST is {host!r}, which is no address of this machine.") from None
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
    """Whether the web server says that it is alive; asks a few times a second at most."""
    global _asked_at  # noqa: PLW0603
    if time.monotonic() < _asked_at + SECONDS_BETWEEN_QUESTIONS:
        return False
    _asked_at = time.monotonic()
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

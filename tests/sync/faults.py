"""Faults at a provider, as answers of the tests' own one."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.sync.provider import Fault, Reply, SeenRequest

HTML = Reply(200, b"<!DOCTYPE html><html><body>Sign in</body></html>", {"Content-Type": "text/html"})


def times(count: int, reply: Reply, *, to: str = "/pulls", page: int | None = None) -> Fault:
    """The first `count` requests for such a path, or only for that page of it."""
    left = count

    def fault(request: SeenRequest) -> Reply | None:
        nonlocal left
        if left and request.path.endswith(to) and page in (None, request.page):
            left -= 1
            return reply
        return None

    return fault


def always(reply: Reply, *, to: str = "/pulls") -> Fault:
    return lambda request: reply if request.path.endswith(to) else None


def after(requests: int, fault: Fault) -> Fault:
    """From the request after so many on."""
    return lambda request: fault(request) if request.number > requests else None


def every(number: int, reply: Reply) -> Fault:
    """One request in so many."""
    return lambda request: reply if request.number % number == 0 else None


def refused(status: int, message: str = "", **headers: str) -> Reply:
    body = b'{"message": "%s"}' % message.encode() if message else b"{}"
    return Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


def silence() -> tuple[Reply, Callable[[], None]]:
    """An answer that does not come, and what ends the waiting server."""
    over = threading.Event()
    return Reply(hang=over), over.set


CUT = Reply(200, b'{"records": [{"id": "1000-1", "number": 1, "title": "half', {}, cut=40)
NOT_WHOLE = Reply(200, b'{"records": [{"id": "1000-1", "num')

"""Requests at a rate are due whether or not those before them were answered, and their wait for these counts."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.load import RefusedRequestError, post_all, post_at_rate

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
WAIT_SECONDS = 0.3


@contextmanager
def _server(answer: bytes, first_waits: float) -> Iterator[str]:
    """One that takes its time for the first request, and none for the others."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                wait = first_waits
                while connection.recv(65536):
                    threading.Event().wait(wait)
                    wait = 0.0
                    connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def test_what_was_due_while_one_took_long_waited() -> None:
    with _server(ANSWER, WAIT_SECONDS) as url:
        outcome = post_at_rate(url, "token", [b"body"] * 10, rate=1_000_000, connections=1)
    assert len(outcome.latencies) == 10
    assert min(outcome.latencies) >= WAIT_SECONDS * 0.9


def test_one_after_the_other_only_the_first_took_long() -> None:
    with _server(ANSWER, WAIT_SECONDS) as url:
        outcome = post_all(url, "token", [b"body"] * 10, connections=1)
    assert sum(latency >= WAIT_SECONDS * 0.9 for latency in outcome.latencies) == 1


def test_a_refused_request_is_no_figure() -> None:
    with _server(ANSWER.replace(b"200 OK", b"429 Busy"), 0.0) as url, pytest.raises(RefusedRequestError, match="429"):
        post_at_rate(url, "token", [b"body"], rate=1000, connections=1)


def test_where_nobody_listens_it_says_so_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with pytest.raises(ConnectionRefusedError):
        post_all(url, "token", [b"body"] * 3, connections=3)

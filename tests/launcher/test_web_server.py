"""The web server with clients that send half a request, trickle bytes, read nothing, or are too many.

The limits run in this process around a small application; the attack of 192 partial requests runs on the real server.
"""

from __future__ import annotations

import errno
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from config.launcher import web_connections, web_server
from config.launcher.web import listen
from config.launcher.web_server import WebServer
from core.disk_full import DISK_FULL
from integrations.telemetry.otlp.request_body import MOST_BYTES
from orgtree.people_import.rows import MOST_BYTES as LARGEST_FILE
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.servers import Server
from tests.telemetry.intake import JSON, REQUEST, log_record, logs

HALF_HEAD = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Half"
HALF_BODY = b"POST /v1/logs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{{{"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Served:
    """A server in a thread of this process; its application answers with the length of a request's body."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.go_on.set()
        self.started = threading.Event()
        self.answer: Callable[[], Iterable[bytes]] | None = None
        self.listener = listen("127.0.0.1", 0)
        self.port: int = self.listener.getsockname()[1]
        self.server = WebServer(self._application, self.listener)
        self.thread = threading.Thread(target=self.server.run)
        self.thread.start()

    def _application(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read()
        assert int(environ.get("CONTENT_LENGTH", "0")) == len(body)
        self.started.set()
        self.go_on.wait(PATIENCE_SECONDS)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return self.answer() if self.answer is not None else [str(len(body)).encode()]

    def send(self, sent: bytes) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)
        connection.sendall(sent)
        return connection

    def end(self) -> None:
        self.go_on.set()
        self.server.stop()
        self.thread.join(PATIENCE_SECONDS)
        self.server.task_dispatcher.shutdown(timeout=PATIENCE_SECONDS)
        for channel in list(self.server.active_channels.values()):
            channel.handle_close()
        self.server.close()

    def answers(self) -> bool:
        return ask(self.port, "/") == (200, b"0")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of the server's patience is a fiftieth here."""
    for name in ("HEAD_SECONDS", "BODY_SECONDS", "OUTPUT_SECONDS", "IDLE_SECONDS"):
        monkeypatch.setattr(web_connections, name, getattr(web_connections, name) / 50)
    monkeypatch.setattr(web_server, "SECONDS_BETWEEN_CHECKS", 0.02)


@pytest.fixture
def served(quick: None) -> Iterator[Served]:
    with serving() as started:
        yield started


@contextmanager
def serving() -> Iterator[Served]:
    started = Served()
    try:
        yield started
    finally:
        started.end()


def ask(port: int, path: str, body: bytes | Iterable[bytes] | None = None, **headers: str) -> tuple[int, bytes]:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as client:
        client.request(
            "GET" if body is None else "POST", path, body, headers, encode_chunked=not isinstance(body, bytes)
        )
        answer = client.getresponse()
        return answer.status, answer.read()


def is_closed(connection: socket.socket) -> bool:
    """Whether the server has closed it; reads what it said before."""
    connection.settimeout(0.001)
    try:
        while connection.recv(65536):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def read_answers(connection: socket.socket, *, count: int = 1) -> bytes:
    """So many answers without a line's end in their bodies, which come after their heads."""
    received = b""
    while received.count(b"\r\n\r\n") < count or received.endswith(b"\r\n\r\n"):
        part = connection.recv(65536)
        assert part, received
        received += part
    return received


def drip_until_closed(connection: socket.socket) -> None:
    def dripped() -> bool:
        try:
            connection.sendall(b"x")
        except ConnectionError:
            return True
        return is_closed(connection)

    wait_until(dripped, what="the dripping connection is closed")


def test_half_sent_and_dripping_requests_hold_up_nobody(server: Server) -> None:
    """It waits until the server has closed heads (10 s) of its own accord; bodies have twice the time."""
    agent, browser = server.agent(), server.browse()
    telemetry = json.dumps(logs(log_record(REQUEST))).encode()
    assert agent.post("/v1/logs", content=telemetry, headers={"Content-Type": JSON}).status_code == 200
    assert browser.get("/accounts/login/").status_code == 200
    opened = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(192)]
    try:
        for connection in opened:
            connection.sendall(HALF_BODY if connection in opened[64:128] else HALF_HEAD)
        for _ in range(3):
            for connection in opened[128:]:
                connection.sendall(b"x")
            started_at = time.monotonic()
            assert browser.get("/accounts/login/").status_code == 200
            assert agent.post("/v1/logs", content=telemetry, headers={"Content-Type": JSON}).status_code == 200
            assert time.monotonic() - started_at < 2, "a page and a post take a second each at most"
        for connection in opened[:64]:
            wait_until(lambda c=connection: is_closed(c), what="it is closed", within_seconds=30)  # type: ignore[misc]
        for connection in opened[128:]:
            drip_until_closed(connection)
    finally:
        for connection in opened:
            connection.close()


@pytest.mark.parametrize("sent", [HALF_HEAD, HALF_BODY, b"", HALF_BODY[:20]])
def test_who_sends_half_a_request_is_closed(served: Served, sent: bytes) -> None:
    with served.send(sent) as connection:
        wait_until(lambda: is_closed(connection), what="it is closed")
    assert served.answers()


@pytest.mark.parametrize("sent", [HALF_HEAD, HALF_BODY])
def test_who_drips_is_closed(served: Served, sent: bytes) -> None:
    with served.send(sent) as connection:
        drip_until_closed(connection)
    assert served.answers()


def test_who_sends_a_body_at_an_honest_pace_is_answered(served: Served) -> None:
    """Five times as long as a silent body is waited for."""
    part = bytes(20_000)
    started_at = time.monotonic()
    with served.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 400000\r\n\r\n") as connection:
        for _ in range(20):
            connection.sendall(part)
            time.sleep(web_connections.BODY_SECONDS / 4)
        assert read_answers(connection).endswith(b"400000")
    assert time.monotonic() - started_at > 4 * web_connections.BODY_SECONDS


def test_a_connection_stays_open_between_requests() -> None:
    with serving() as served, served.send(b"") as connection:
        for _ in range(3):
            connection.sendall(GET)
            assert read_answers(connection).endswith(b"\r\n\r\n0")
        assert not is_closed(connection)
        assert web_connections.IDLE_SECONDS > 60  # exporters send every 5 to 60 s


def test_who_does_not_read_gives_its_thread_back(served: Served) -> None:
    """More than waitress keeps for a client waits in the thread that writes it."""
    left = threading.Event()

    def endless() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(1_000_000)
        finally:
            left.set()

    served.answer = endless
    with served.send(GET):
        assert left.wait(PATIENCE_SECONDS)
    served.answer = None
    assert served.answers()


def test_too_many_requests_at_once_on_one_connection_close_it(served: Served) -> None:
    served.go_on.clear()
    with served.send(GET * 20) as connection:
        wait_until(lambda: is_closed(connection), what="it is closed")
    with served.send(GET * 3) as connection:
        served.go_on.set()
        assert read_answers(connection, count=3).count(b"200 OK") == 3


def test_beyond_the_limit_those_that_wait_longest_are_closed(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_connections, "HEAD_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(web_server, "MOST_CONNECTIONS", 50)
    with serving() as served:
        opened = []
        for _ in range(120):
            opened.append(served.send(HALF_HEAD))
            if len(opened) % 20 == 0:
                assert served.answers()
        assert [is_closed(connection) for connection in (opened[0], opened[-1])] == [True, False]
        for connection in opened:
            connection.close()


def test_a_clock_that_is_put_back_keeps_nobody_open(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 30 * 86_400)
    with served.send(HALF_HEAD) as connection:
        wait_until(lambda: is_closed(connection), what="it is closed")


def test_bodies_arrive_whole_however_they_are_sent(served: Served) -> None:
    large = bytes(3_000_000)
    assert ask(served.port, "/", large) == (200, b"3000000")
    assert ask(served.port, "/", (large[:70_000] for _ in range(30))) == (200, b"2100000")
    assert ask(served.port, "/", (b"abc" for _ in range(100))) == (200, b"300")
    assert ask(served.port, "/", (b"{" * 64 for _ in range(20_000))) == (200, b"1280000")
    assert ask(served.port, "/", b"abc", Expect="100-continue") == (200, b"3")


def test_chunks_of_single_bytes_are_refused(served: Served) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with served.send(head + b"1\r\na\r\n" * 4000) as connection:
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")
    with served.send(head + b"5;" + b"a" * 30_000) as connection:  # a chunk that never begins
        assert connection.recv(65536).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 20_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5_000 + b"\r\n", b"431"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9_9\r\n\r\n", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", b"501"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"400"),
        (b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b"400"),
    ],
)
def test_heads_beyond_the_limits_are_refused(served: Served, request_head: bytes, status: bytes) -> None:
    with served.send(request_head) as connection:
        assert connection.recv(65536).split()[1] == status


def test_a_body_of_two_lengths_is_refused_and_nothing_after_it_is_read(served: Served) -> None:
    """Otherwise a proxy that goes by the other length sends a request of somebody's choice in another's name."""
    two_lengths = (
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    with served.send(two_lengths + GET) as connection:
        answered = b""
        while part := connection.recv(65536):
            answered += part
    assert answered.startswith(b"HTTP/1.1 400")
    assert answered.count(b"HTTP/1.1") == 1
    assert not served.started.is_set()


def test_limits_agree_with_those_of_pages_and_receivers() -> None:
    assert web_server.MOST_BODY_BYTES > LARGEST_FILE + 1_000_000
    assert web_connections.MOST_RECEIVED_BYTES == MOST_BYTES


def test_a_full_disk_is_named_once_all_of_the_body_was_sent(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with closing(http.client.HTTPConnection("127.0.0.1", served.port, timeout=PATIENCE_SECONDS)) as client:
        client.request("POST", "/", bytes(3_000_000))
        answer = client.getresponse()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert DISK_FULL in answer.read().decode()
    assert ask(served.port, "/", bytes(1000)) == (200, b"1000")


def test_of_too_many_large_bodies_the_slowest_is_given_up(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_connections, "BODY_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(web_server, "MOST_SPOOLED_BODIES", 2)
    head, part = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600000\r\n\r\n", bytes(300_000)
    with serving() as served:
        opened = []
        for _ in range(3):
            opened.append(served.send(head + part))
            count = len(opened)
            wait_until(lambda count=count: spooled(served, count), what="it lies on the disk")  # type: ignore[misc]
        assert ask(served.port, "/", bytes(1000)) == (200, b"1000")
        statuses = []
        for connection in opened:
            connection.sendall(part)
            statuses.append(read_answers(connection).split()[1])
            connection.close()
    assert statuses == [b"503", b"200", b"200"]


def spooled(served: Served, count: int) -> bool:
    """Whether so many bodies, two of them kept, have arrived half."""
    channels = served.server.active_channels.values()
    arrived = [channel for channel in channels if channel.request and channel.request.body_bytes_received == 300_000]
    return len(arrived) == count


def test_a_stop_ends_requests_under_way_and_takes_no_new_ones(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    polls: list[bool] = []  # after the stop, each of which found it idle or not
    is_idle = served.server._is_idle

    def poll() -> bool:
        polls.append(is_idle())
        return polls[-1]

    monkeypatch.setattr(served.server, "_is_idle", poll)
    served.go_on.clear()
    served.answer = lambda: [bytes(8_000_000)]
    with served.send(GET) as connection, served.send(b""):
        assert served.started.wait(PATIENCE_SECONDS)
        served.server.stop()
        waiting = socket.create_connection(("127.0.0.1", served.port))  # the supervisor holds the socket on
        waiting.sendall(GET)
        before = len(polls)
        wait_until(lambda: len(polls) >= before + 3, what="it has gone through its connections since")
        assert not any(polls)
        assert len(served.server.active_channels) <= 2, "the third is not accepted"
        served.go_on.set()
        received = 0
        while received < 8_000_000:
            received += len(connection.recv(65536))
        served.thread.join(PATIENCE_SECONDS)
        assert not served.thread.is_alive()
        waiting.close()


def test_a_stop_waits_for_nobody_longer_than_ten_seconds(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert web_server.SECONDS_TO_FINISH == 10
    monkeypatch.setattr(web_server, "SECONDS_TO_FINISH", 0.1)
    with serving() as served:
        served.go_on.clear()
        with served.send(GET):
            assert served.started.wait(PATIENCE_SECONDS)
            served.server.stop()
            served.thread.join(PATIENCE_SECONDS)
            assert not served.thread.is_alive()


def test_it_is_loaded_before_django_is_set_up() -> None:
    """Whatever imports a model would fail at the start of every installation, and in no test of this process."""
    code = "import config.launcher.web_server, django.apps as apps; assert not apps.apps.ready"
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[2], env=environment, check=True)

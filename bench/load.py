"""Pre-built telemetry requests, and connections that send them as fast as they are answered, or at a rate.

Requests are whole byte strings and answers are read without a client library: on a machine with two cores the sender
must cost as little as possible, because it takes its time from the server it measures.
"""

from __future__ import annotations

import itertools
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import urlsplit

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

RECORDS_PER_SESSION = 50
SENDERS = tuple(f"dev{number}@example.com" for number in range(500))  # people whose agents send
MODEL = "claude-sonnet-4-5"
_numbers = itertools.count()


class RefusedRequestError(Exception):
    """The receiver did not answer 200."""


def logs_body(
    records: int, *, model: str = MODEL, per_person: int = RECORDS_PER_SESSION, senders: Sequence[str] = SENDERS
) -> bytes:
    """An export request of `records` answered model requests, all different, at the present time.

    Each session belongs to another person.
    """
    resource_logs = []
    remaining = records
    while remaining > 0:
        size = min(per_person, remaining)
        remaining -= size
        resource_logs.append(_session(size, model, senders[next(_numbers) % len(senders)]))
    return ExportLogsServiceRequest(resource_logs=resource_logs).SerializeToString()


def _session(records: int, model: str, person: str) -> ResourceLogs:
    session = str(uuid.uuid4())
    return ResourceLogs(
        resource=Resource(attributes=[_text("service.name", "claude-code"), _text("enduser.id", person)]),
        scope_logs=[
            ScopeLogs(
                scope=InstrumentationScope(name="com.anthropic.claude_code.events", version="2.1.197"),
                log_records=[_api_request(person, session, model, number) for number in range(records)],
            )
        ],
    )


def _api_request(person: str, session: str, model: str, sequence: int) -> LogRecord:
    at = time.time_ns()
    return LogRecord(
        time_unix_nano=at,
        observed_time_unix_nano=at,
        body=AnyValue(string_value="claude_code.api_request"),
        attributes=[
            _text("enduser.id", person),
            _text("user.id", f"installation of {person}"),
            _text("session.id", session),
            _text("terminal.type", "xterm"),
            _text("event.name", "api_request"),
            _number("event.sequence", sequence),
            _text("model", model),
            _number("input_tokens", 900 + sequence),
            _number("output_tokens", 200),
            _number("cache_read_tokens", 5000),
            _number("cache_creation_tokens", 300),
            KeyValue(key="cost_usd", value=AnyValue(double_value=0.0093)),
            _number("duration_ms", 1800),
            _text("request_id", f"req_{uuid.uuid4().hex}"),
        ],
    )


def _text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def _number(key: str, value: int) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(int_value=value))


class Connection:
    """One kept-alive HTTP/1.1 connection to the server."""

    def __init__(self, base_url: str, token: str) -> None:
        parts = urlsplit(base_url)
        self._host = parts.netloc
        self._token = token
        self._socket = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 80), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""

    def post_logs(self, body: bytes) -> float:
        """Send one request; seconds until it was answered 200.  RefusedRequestError on any other status."""
        head = (
            f"POST /v1/logs HTTP/1.1\r\nHost: {self._host}\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: application/x-protobuf\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return self._exchange(head.encode() + body)

    def get(self, path: str) -> float:
        return self._exchange(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())

    def close(self) -> None:
        self._socket.close()

    def _exchange(self, request: bytes) -> float:
        started = time.perf_counter()
        self._socket.sendall(request)
        head = self._read_until(b"\r\n\r\n")
        status = head.split(b" ", 2)[1]
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        body = self._read(int(fields.get(b"content-length", b"0")))
        if status != b"200":
            raise RefusedRequestError(f"{status.decode()}: {body[:300]!r}")
        return time.perf_counter() - started

    def _read_until(self, mark: bytes) -> bytes:
        while mark not in self._unread:
            self._receive()
        head, self._unread = self._unread.split(mark, 1)
        return head

    def _read(self, length: int) -> bytes:
        while len(self._unread) < length:
            self._receive()
        head, self._unread = self._unread[:length], self._unread[length:]
        return head

    def _receive(self) -> None:
        received = self._socket.recv(65536)
        if not received:
            raise ConnectionError("the server closed the connection")
        self._unread += received


@dataclass
class Outcome:
    """The duration of all requests, and of each; at a fixed rate, each counts from the moment at which it was due."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)

    @property
    def requests_per_second(self) -> float:
        return len(self.latencies) / self.seconds


Exchange = Callable[[Connection], float]


def post_all(base_url: str, token: str, bodies: Sequence[bytes], *, connections: int) -> Outcome:
    """Send every body once over this many connections, each sending the next one after an answer."""
    return _outcome(base_url, token, [_Request(post) for post in _posts(bodies)], connections)


def post_at_rate(base_url: str, token: str, bodies: Sequence[bytes], *, rate: int, connections: int) -> Outcome:
    """Send at this average number of requests a second, over that many connections, as independent agents do.

    A slow response does not delay later requests, and the time that they wait counts (an open loop); a closed loop
    would stop sending while it waits and hide the delay.
    """
    draw = random.Random(0)  # noqa: S311 -- no secret: the same arrivals each time
    due = itertools.accumulate(draw.expovariate(rate) for _ in bodies)
    return _outcome(base_url, token, list(map(_Request, _posts(bodies), due)), connections)


def _posts(bodies: Sequence[bytes]) -> list[Exchange]:
    return [partial(Connection.post_logs, body=body) for body in bodies]


def get_many(base_url: str, path: str, count: int, *, connections: int) -> Outcome:
    return _outcome(base_url, "", [_Request(partial(Connection.get, path=path))] * count, connections)


@dataclass(frozen=True, slots=True)
class _Request:
    """An exchange, and how long after the first one it is due; None: as soon as a connection is free."""

    exchange: Exchange
    due: float | None = None

    def over(self, connection: Connection, began: float) -> float:
        """Send the request; return its duration in seconds or, if it was due at a time, the delay since then."""
        if self.due is None:
            return self.exchange(connection)
        time.sleep(max(0.0, began + self.due - time.perf_counter()))
        self.exchange(connection)
        return time.perf_counter() - began - self.due


def _outcome(base_url: str, token: str, requests: Sequence[_Request], connections: int) -> Outcome:
    outcome = Outcome()
    remaining = iter(requests)
    lock = threading.Lock()
    began = 0.0

    def begin() -> None:
        nonlocal began
        began = time.perf_counter()

    everyone_connected = threading.Barrier(connections, begin)

    def send() -> None:
        try:
            connection = Connection(base_url, token)
        except OSError as problem:
            outcome.failures.append(problem)
            everyone_connected.abort()  # the others would wait for this one
            return
        try:
            everyone_connected.wait()
            while True:
                with lock:
                    request = next(remaining, None)
                if request is None:
                    return
                outcome.latencies.append(request.over(connection, began))
        except Exception as problem:
            outcome.failures.append(problem)  # raised below, once the threads have ended
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.seconds = time.perf_counter() - began
    if outcome.failures:
        raise outcome.failures[0]
    return outcome

"""A provider's server on loopback: what all simulated ones have in common."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self, cast
from urllib.parse import parse_qsl, urlsplit

from demo.providers.faults import Answer, Fault, Request, with_faults

_LARGEST_BODY = 1_000_000  # bytes; nobody sends more than a query
_SECONDS_BETWEEN_CHECKS = 0.05  # whether it is to stop: a hundred tests start and stop one
_REMEMBERED = 20_000  # requests: a demo may run for weeks


@dataclass(frozen=True, slots=True)
class Served:
    """One request and the status of its answer; `path` includes the query as it was sent."""

    method: str
    path: str
    status: int


class SimulatedServer(ABC):
    """Serves within its block.  `faults` spoil chosen requests; `requests` are the latest that were made."""

    server_name = "simulated"
    clock_ahead = timedelta()  # of the Date header

    def __init__(self, name: str, *, faults: Iterable[Fault] = (), port: int = 0) -> None:
        self.faults = list(faults)
        self.requests: list[Served] = []
        self._http = _Listener(("127.0.0.1", port), _Handler)
        self._http.provider = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._listen, name=f"simulated {name}", daemon=True)

    @abstractmethod
    def answer_of(self, request: Request) -> Answer:
        """The provider's regular answer.  Raises ValueError if the request cannot be read."""

    @abstractmethod
    def advance(self, to: datetime) -> None:
        """Show the history as of another instant from the next request on."""

    def split(self, path: str) -> tuple[str, str]:
        """The path of a request as the routes know it, and what stands before it."""
        return path, ""

    def headers_of(self, answer: Answer) -> Mapping[str, str]:
        """Extra headers, sent with those of the answer."""
        return {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _listen(self) -> None:
        self._http.serve_forever(_SECONDS_BETWEEN_CHECKS)

    def answer(self, request: Request) -> Answer:
        """Answer the client and record the request."""
        answer = with_faults(self.faults, request, lambda: self.answer_of(request))
        query = "&".join(f"{name}={value}" for name, value in request.query.items())
        path = f"{request.path}?{query}" if query else request.path
        self.requests.append(Served(request.method, path, answer.status))
        del self.requests[:-_REMEMBERED]
        return answer


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a held answer must not hold the end of a test
    provider: SimulatedServer

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is a fault that is tested, not one to report."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _LARGEST_BODY)
        provider, address = cast("_Listener", self.server).provider, urlsplit(self.path)
        path, prefix = provider.split(address.path)
        request = Request(
            method=self.command,
            path=path,
            query=_query(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
            prefix=prefix,
        )
        try:
            answer = provider.answer(request)
        except ValueError:
            answer = Answer.of({"message": "The request cannot be read."}, status=400)
        self.send_response(answer.status)
        for name, value in {**answer.headers, **provider.headers_of(answer)}.items():
            self.send_header(name, value)
        if answer.status not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        if answer.cut_after is not None:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body if answer.cut_after is None else answer.body[: answer.cut_after])

    def date_time_string(self, timestamp: float | None = None) -> str:
        ahead = cast("_Listener", self.server).provider.clock_ahead.total_seconds()
        return super().date_time_string((time.time() if timestamp is None else timestamp) + ahead)

    def version_string(self) -> str:
        return cast("_Listener", self.server).provider.server_name

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is in SimulatedServer.requests."""


def _query(named: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The last value of a name; of a list (statuses[]) all, separated by commas."""
    query: dict[str, str] = {}
    for name, value in named:
        query[name] = f"{query[name]},{value}" if name.endswith("[]") and name in query else value
    return query

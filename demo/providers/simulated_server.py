"""A provider's server on loopback: what all simulated ones have in common."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self, cast
from urllib.parse import parse_qsl, urlsplit

from demo.providers.faults import Answer, Fault, Request, with_faults

_LARGEST_BODY = 1_000_000  # bytes; nobody sends more than a query
_SECONDS_BETWEEN_CHECKS = 0.05  # whether it is to stop: a hundred tests start and stop one
_REMEMBERED = 20_000  # requests: a demo may run for weeks


class SimulatedServer(ABC):
    """Serves within its block.  `faults` spoil chosen requests; `requests` are the paths of the latest."""

    def __init__(self, name: str, *, faults: Iterable[Fault] = (), port: int = 0) -> None:
        self.faults = list(faults)
        self.requests: list[str] = []
        self._http = _Listener(("127.0.0.1", port), _Handler)
        self._http.provider = self
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = threading.Thread(target=self._listen, name=f"simulated {name}", daemon=True)

    @abstractmethod
    def answer_of(self, request: Request) -> Answer:
        """What the provider answers where nothing goes wrong.  ValueError: the request cannot be read."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _listen(self) -> None:
        self._http.serve_forever(_SECONDS_BETWEEN_CHECKS)

    def answer(self, request: Request) -> Answer:
        """What the client gets; notes the request."""
        self.requests.append(request.path)
        del self.requests[:-_REMEMBERED]
        return with_faults(self.faults, request, lambda: self.answer_of(request))


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

    def _answer(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), _LARGEST_BODY)
        address = urlsplit(self.path)
        named = parse_qsl(address.query, keep_blank_values=True)
        request = Request(
            method=self.command,
            path=address.path,
            query={name: ",".join(value for other, value in named if other == name) for name, _ in named},
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )
        try:
            answer = cast("_Listener", self.server).provider.answer(request)
        except ValueError:
            answer = Answer.of({"message": "The request cannot be read."}, status=400)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.cut_after is not None:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(answer.body if answer.cut_after is None else answer.body[: answer.cut_after])

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was asked is in SimulatedServer.requests."""

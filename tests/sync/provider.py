"""A provider of its own: a real HTTP server on loopback, whose records and faults a test decides.

    provider.repository("acme/shop", pull_requests=250)
    provider.answers(faults.once(status=502))

GET /repos?page=1                       {"records": [{"id", "name", "archived"}], "next": 2}
GET /repos/<id>/pulls?page=1&since=…    {"records": [{"id", "number", "title", "updated_at"}], "next": 2, "left": 150}

Pull requests are sorted by the time of their last change, the newest first.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.listening import listening

TOKEN = "token-of-the-example-provider"
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class SeenRequest:
    """A request as a fault sees it; `number` counts all requests from 1."""

    number: int
    path: str
    page: int
    token: str


@dataclass(frozen=True)
class Reply:
    """A faulty answer of the server; `cut` ends the body after this number of bytes, `hang` delays it by this time."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hang: threading.Event | None = None

    @classmethod
    def of(cls, document: Any, headers: dict[str, str] | None = None) -> Reply:
        return cls(200, json.dumps(document).encode(), headers or {})


Fault = Callable[[SeenRequest], Reply | None]


@dataclass
class Repository:
    external_id: str
    name: str
    archived: bool = False
    pull_requests: dict[int, dict[str, Any]] = field(default_factory=dict)


class Provider:
    """The server's records; change them while it runs."""

    def __init__(self, page_size: int = 20) -> None:
        self.page_size = page_size
        self.repositories: dict[str, Repository] = {}
        self.faults: list[Fault] = []
        self.headers: dict[str, str] = {}
        self.seen: list[SeenRequest] = []
        self.before_answer: Callable[[SeenRequest], None] = lambda seen: None
        self.lock = threading.RLock()
        self.url = ""
        self._clock = BEGIN

    def repository(self, name: str, *, pull_requests: int = 0, external_id: str = "") -> Repository:
        repository = Repository(external_id or str(1000 + len(self.repositories)), name)
        self.repositories[repository.external_id] = repository
        for number in range(1, pull_requests + 1):
            self.open(repository, number)
        return repository

    def open(self, repository: Repository, number: int, title: str = "") -> None:
        with self.lock:
            identity = f"{repository.external_id}-{number}"
            repository.pull_requests[number] = {"id": identity, "number": number}
            self.change(repository, number, title or f"Change {number} of {repository.name}")

    def change(self, repository: Repository, number: int, title: str) -> None:
        with self.lock:
            self._clock += timedelta(minutes=1)
            repository.pull_requests[number] |= {"title": title, "updated_at": self._clock.isoformat()}

    def now(self) -> datetime:
        with self.lock:
            return self._clock

    def answers(self, *faults: Fault) -> None:
        """These come first, in order; each decides by itself whether it happens."""
        self.faults = list(faults)

    def requests_for(self, ending: str) -> list[SeenRequest]:
        return [request for request in self.seen if request.path.endswith(ending)]

    # What a request is answered -----------------------------------------------------------------------------------

    def answer(self, target: str, token: str) -> Reply:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        with self.lock:
            request = SeenRequest(len(self.seen) + 1, parts.path, int(query.get("page", 1)), token)
            self.seen.append(request)
        self.before_answer(request)
        for fault in self.faults:
            if (reply := fault(request)) is not None:
                return reply
        if token != f"Bearer {TOKEN}":
            return Reply(401, b'{"message": "Bad credentials"}')
        document = self.list_page(request.path, request.page, query)
        return Reply.of(document, self.headers) if document else Reply(404, b'{"message": "Not Found"}')

    def list_page(self, path: str, page: int, query: dict[str, str]) -> dict[str, Any] | None:
        """None where there is no such list."""
        with self.lock:
            records = self._records(path, query.get("since", ""))
            if records is None:
                return None
            first = (page - 1) * self.page_size
            left = max(len(records) - first - self.page_size, 0)
            return {
                "records": records[first : first + self.page_size],
                "next": page + 1 if left else None,
                "left": left,
                "now": self._clock.isoformat(),
            }

    def _records(self, path: str, since: str) -> list[dict[str, Any]] | None:
        match path.strip("/").split("/"):
            case ["repos"]:
                return [
                    {"id": repository.external_id, "name": repository.name, "archived": repository.archived}
                    for repository in self.repositories.values()
                ]
            case ["repos", identity, "pulls"] if identity in self.repositories:
                pulls = self.repositories[identity].pull_requests.values()
                changed = (pull for pull in pulls if pull["updated_at"] >= since)
                return sorted(changed, key=lambda pull: str(pull["updated_at"]), reverse=True)
        return None


@contextmanager
def running(provider: Provider) -> Iterator[Provider]:
    """Serve it on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            reply = provider.answer(self.path, self.headers.get("Authorization", ""))
            if reply.hang is not None:
                reply.hang.wait(30)
                self.close_connection = True
                return
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: reply.cut])
            if reply.cut is not None:
                self.close_connection = True

        def log_message(self, format: str, *arguments: Any) -> None:
            """Quiet: a failed test tells what was asked."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that went away is part of the tests."""

    server = Server(("127.0.0.1", 0), Handler)
    with listening(server) as provider.url:
        yield provider

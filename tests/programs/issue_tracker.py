"""A loopback server that keeps issues as GitHub's REST API documents them, and the webhooks that it would send."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.listening import listening

TOKEN = "github_pat_of_the_tracker"
REPOSITORY = re.compile(r"/repos/[^/]+/[^/]+")
ISSUES = re.compile(REPOSITORY.pattern + r"/issues(?:/(\d+))?")


class IssueTracker:
    """`broken`: what happens to the next requests: a status that refuses them, or "lost" (done, but not answered)."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []
        self.broken: list[int | str] = []
        self.now = datetime.now(UTC).replace(microsecond=0)
        self.url = ""

    def answer(self, method: str, path: str, document: Any) -> tuple[int, Any]:
        if REPOSITORY.fullmatch(path):
            return 200, {"id": 101}
        breaks = self.broken.pop(0) if self.broken else ""
        if isinstance(breaks, int):
            return breaks, {"message": "Resource not accessible by personal access token"}
        matched = ISSUES.fullmatch(path.partition("?")[0])
        if matched is None:
            return 404, {"message": "Not Found"}
        reply = self._written(method, matched[1], document)
        return (502, None) if breaks else reply

    def _written(self, method: str, number: str | None, document: Any) -> tuple[int, Any]:
        if method == "GET":
            return 200, self.issues[::-1]
        if method == "POST":
            self.issues.append(self._issue(len(self.issues) + 1, document))
            return 201, self.issues[-1]
        issue = self.issues[int(number or 0) - 1]
        self.change(issue, **document)
        return 200, issue

    def _issue(self, number: int, document: dict[str, Any]) -> dict[str, Any]:
        self.now += timedelta(seconds=1)
        at = self.now.isoformat().replace("+00:00", "Z")
        return {
            **{
                "id": 7000 + number,
                "number": number,
                "html_url": f"https://github.example.com/acme/shop/issues/{number}",
            },
            **{"state": "open", "state_reason": None, "created_at": at, "updated_at": at, "closed_at": None},
            **{"user": None, "assignees": [], "labels": [], "comments": 0, **document},
        }

    def change(self, issue: dict[str, Any], **changed: Any) -> dict[str, Any]:
        """As somebody does on the issue's page; the payload of the webhook."""
        self.now += timedelta(seconds=1)
        issue.update(changed, updated_at=self.now.isoformat().replace("+00:00", "Z"))
        issue["closed_at"] = issue["updated_at"] if issue["state"] == "closed" else None
        repository = {"id": 101, "full_name": "acme/shop", "html_url": "https://github.example.com/acme/shop"}
        return {"action": "edited", "issue": dict(issue), "repository": repository}


@contextmanager
def served_tracker() -> Iterator[IssueTracker]:
    tracker = IssueTracker()

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, document = tracker.answer(self.command, self.path, json.loads(body) if body else None)
            reply = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815  # as http.server calls them

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with listening(server) as tracker.url:
        yield tracker

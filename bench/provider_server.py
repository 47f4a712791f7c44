"""A provider in a separate process for `provider-sync`: pages of pull requests, rendered beforehand.

`python -m bench.provider_server PULLS PAGE_SIZE SECONDS` prints its port and serves until it is ended.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

AUTHORS = 200
COMMITS, REVIEWS = 2, 1
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def pull_request(number: int) -> dict[str, Any]:
    """A pull request as the bench's connector reads it: with its parts."""
    at = BEGIN + timedelta(minutes=10 * number)
    return {
        "id": number,
        "number": number,
        "title": f"Change the handling of case {number}",
        "author": f"bench-author-{number % AUTHORS}",
        "created_at": at.isoformat(),
        "merged_at": (at + timedelta(hours=5)).isoformat(),
        "updated_at": (at + timedelta(hours=5)).isoformat(),
        "commits": [
            {"sha": f"{number:032x}{position:08x}", "at": (at - timedelta(hours=position + 1)).isoformat()}
            for position in range(COMMITS)
        ],
        "reviews": [
            {"id": f"{number}-{position}", "by": f"bench-author-{(number + 7) % AUTHORS}", "at": at.isoformat()}
            for position in range(REVIEWS)
        ],
    }


def serve(pulls: int, page_size: int, seconds: float) -> None:
    def rendered(number: int) -> bytes:
        newest = pulls - (number - 1) * page_size
        oldest = max(newest - page_size, 0)
        records = [pull_request(number) for number in range(newest, oldest, -1)]
        return json.dumps({"records": records, "next": number + 1 if oldest else None, "left": oldest}).encode()

    pages = [rendered(number) for number in range(1, -(-pulls // page_size) + 1)]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            number = int(parse_qs(urlsplit(self.path).query)["page"][0])
            body = pages[number - 1]
            time.sleep(seconds)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)  # noqa: T201 - what the bench waits for
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))

"""A stand-in for Headway's door to the collector."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Door:
    """An HTTP server on loopback that keeps what arrives, and answers as it is set to."""

    def __init__(self) -> None:
        self.arrived: list[tuple[str, dict[str, Any]]] = []
        self.answer: tuple[int, bytes] = (200, b'{"accepted": 1}')
        door = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if door.answer[0] == 200:
                    door.arrived.append((self.headers["Authorization"], json.loads(body)))
                self.send_response(door.answer[0])
                self.end_headers()
                self.wfile.write(door.answer[1])

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    @property
    def commits(self) -> list[dict[str, Any]]:
        return [commit for _, report in self.arrived for commit in report["commits"]]

"""Repositories over HTTP on loopback, for whoever has the token: git's own server behind a few lines."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from tests.listening import listening


@dataclass
class ServedRepositories:
    """Those below `folder` are served under their paths; `moved_to` sends everybody elsewhere."""

    folder: Path
    token: str
    url: str = ""
    moved_to: str = ""
    requests: list[str] = field(default_factory=list)


@contextmanager
def served(folder: Path, token: str) -> Iterator[ServedRepositories]:
    repositories = ServedRepositories(folder, token)
    listener = _Listener(("127.0.0.1", 0), _Handler)
    listener.repositories = repositories
    with listening(listener) as repositories.url:
        yield repositories


class _Listener(ThreadingHTTPServer):
    repositories: ServedRepositories


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        repositories = cast("_Listener", self.server).repositories
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        repositories.requests.append(self.path)
        if repositories.moved_to:
            self.send_response(302)
            self.send_header("Location", repositories.moved_to + self.path)
            self.end_headers()
            return
        expected = base64.b64encode(f"x-access-token:{repositories.token}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="GitHub"')
            self.end_headers()
            return
        self._serve(repositories.folder, body)

    def _serve(self, folder: Path, body: bytes) -> None:
        address = urlsplit(self.path)
        seen = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
        }
        answer = subprocess.run(["git", "http-backend"], input=body, capture_output=True, check=True, env=seen).stdout
        head, _, content = answer.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200 OK")
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: requests are in ServedRepositories.requests."""

"""A stand-in for Anthropic's Messages API, so that the real Claude Code runs without a model and without costs.

Each request of the agent's main loop is answered with the next of the given replies, streamed as the API does it;
what the program asks beside that (titles, quota) gets a plain word.  The tokens of every answer are kept.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.listening import listening


@dataclass(frozen=True)
class Usage:
    """Tokens as the API reports them: `uncached_input` excludes what was read from or written to the cache."""

    uncached_input: int
    cache_read: int
    cache_write: int
    output: int

    def as_reported(self) -> dict[str, int]:
        return {
            "input_tokens": self.uncached_input,
            "cache_read_input_tokens": self.cache_read,
            "cache_creation_input_tokens": self.cache_write,
            "output_tokens": self.output,
        }


@dataclass(frozen=True)
class Say:
    text: str


@dataclass(frozen=True)
class UseTool:
    tool: str
    arguments: Mapping[str, Any]


Reply = Say | UseTool


class ModelServer:
    """Answers on a loopback port; `usages` are those of the answers given, in order."""

    def __init__(self, replies: Sequence[Reply]) -> None:
        self._replies = list(replies)
        self._lock = threading.Lock()
        self.usages: list[Usage] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @contextmanager
    def running(self) -> Iterator[ModelServer]:
        with listening(self._server):
            yield self

    def answer(self, request: Mapping[str, Any]) -> tuple[str, Reply, Usage]:
        """(message id, reply, usage) for one request of the agent."""
        with self._lock:
            number = len(self.usages) + 1
            usage = Usage(1000 + number, 5000 + 10 * number, 300 + number, 200 + number)
            self.usages.append(usage)
            in_main_loop = bool(request.get("tools"))
            reply = self._replies.pop(0) if in_main_loop and self._replies else Say("Done.")
        return f"msg_made_up_{number:04d}", reply, usage

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self._send(200, b"", "text/plain")

            def do_GET(self) -> None:
                self._send(404, b"{}", "application/json")

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                if path == "/v1/messages/count_tokens":
                    self._send(200, b'{"input_tokens": 1000}', "application/json")
                elif path == "/v1/messages":
                    request = json.loads(body)
                    message_id, reply, usage = server.answer(request)
                    model = str(request["model"])
                    if request.get("stream"):
                        self._send(200, _stream(message_id, model, reply, usage), "text/event-stream", message_id)
                    else:
                        whole = _message(message_id, model, usage) | {
                            "content": [_block(message_id, reply)],
                            "stop_reason": _stop_reason(reply),
                        }
                        self._send(200, json.dumps(whole).encode(), "application/json", message_id)
                else:
                    self._send(404, b"{}", "application/json")

            def _send(self, status: int, body: bytes, content_type: str, request_id: str = "") -> None:
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                if request_id:
                    self.send_header("request-id", request_id.replace("msg_", "req_"))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def _message(message_id: str, model: str, usage: Usage) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage.as_reported(),
    }


def _block(message_id: str, reply: Reply) -> dict[str, Any]:
    if isinstance(reply, Say):
        return {"type": "text", "text": reply.text}
    return {
        "type": "tool_use",
        "id": message_id.replace("msg_", "toolu_"),
        "name": reply.tool,
        "input": dict(reply.arguments),
    }


def _stop_reason(reply: Reply) -> str:
    return "end_turn" if isinstance(reply, Say) else "tool_use"


def _stream(message_id: str, model: str, reply: Reply, usage: Usage) -> bytes:
    block = _block(message_id, reply)
    if isinstance(reply, Say):
        start, delta = block | {"text": ""}, {"type": "text_delta", "text": reply.text}
    else:
        start = block | {"input": {}}
        delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    events: list[dict[str, Any]] = [
        {"type": "message_start", "message": _message(message_id, model, usage)},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": _stop_reason(reply), "stop_sequence": None},
            "usage": {"output_tokens": usage.output},
        },
        {"type": "message_stop"},
    ]
    return b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)

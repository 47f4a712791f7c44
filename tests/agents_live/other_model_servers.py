"""Stand-ins for OpenAI's Responses API and Google's Gemini API, for the real Codex and Gemini CLI.

Both count what was read from the cache among the input; Gemini counts thoughts apart from its answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.agents_live.model_server import ModelServer, Reply, Say, Usage

THOUGHTS = 40  # of every answer of Gemini, beside its output


class ResponsesServer(ModelServer):
    """POST /v1/responses."""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(_Handler):
            def do_POST(self) -> None:
                request = self.body()
                if self.path.partition("?")[0].endswith("/responses"):
                    self.stream(_responses_events(*server.answer(request)))
                else:
                    self.send(404, b"{}", "application/json")

        return Handler


class GeminiServer(ModelServer):
    """POST /v1beta/models/MODEL:streamGenerateContent and :generateContent."""

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(_Handler):
            def do_POST(self) -> None:
                request = self.body()
                path = self.path.partition("?")[0]
                if path.endswith(":countTokens"):
                    self.send(200, b'{"totalTokens": 1000}', "application/json")
                elif path.endswith(":streamGenerateContent"):
                    self.stream([_gemini_answer(*server.answer(request))])
                elif path.endswith(":generateContent"):
                    self.send(200, json.dumps(_gemini_answer(*server.answer(request))).encode(), "application/json")
                else:
                    self.send(404, b"{}", "application/json")

        return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send(404, b"{}", "application/json")

    def body(self) -> dict[str, Any]:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parsed: dict[str, Any] = json.loads(sent or b"{}")
        return parsed

    def stream(self, events: list[dict[str, Any]]) -> None:
        named = (f"event: {event['type']}\n" if "type" in event else "" for event in events)
        lines = (f"{name}data: {json.dumps(event)}\n\n" for name, event in zip(named, events, strict=True))
        self.send(200, "".join(lines).encode(), "text/event-stream")

    def send(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _responses_events(message_id: str, reply: Reply, usage: Usage) -> list[dict[str, Any]]:
    response = {"id": message_id.replace("msg_", "resp_"), "object": "response", "status": "in_progress", "output": []}
    item: Mapping[str, Any]
    if isinstance(reply, Say):
        content = [{"type": "output_text", "text": reply.text, "annotations": []}]
        item = {"type": "message", "id": message_id, "role": "assistant", "content": content}
    elif "input" in reply.arguments:  # a tool that takes a text, such as a patch
        call = message_id.replace("msg_", "call_")
        item = {"type": "custom_tool_call", "call_id": call, "name": reply.tool, "input": reply.arguments["input"]}
    else:
        call = message_id.replace("msg_", "call_")
        item = {"type": "function_call", "call_id": call, "name": reply.tool, "arguments": json.dumps(reply.arguments)}
    prompt = usage.uncached_input + usage.cache_read
    counted = {
        "input_tokens": prompt,
        "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 7},
        "total_tokens": prompt + usage.output,
    }
    return [
        {"type": "response.created", "response": response},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": {**response, "status": "completed", "usage": counted}},
    ]


def _gemini_answer(message_id: str, reply: Reply, usage: Usage) -> dict[str, Any]:
    part: dict[str, Any] = (
        {"text": reply.text}
        if isinstance(reply, Say)
        else {"functionCall": {"name": reply.tool, "args": dict(reply.arguments)}}
    )
    prompt = usage.uncached_input + usage.cache_read
    return {
        "candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {
            "promptTokenCount": prompt,
            "cachedContentTokenCount": usage.cache_read,
            "candidatesTokenCount": usage.output,
            "thoughtsTokenCount": THOUGHTS,
            "totalTokenCount": prompt + usage.output + THOUGHTS,
        },
        "modelVersion": "gemini-2.5-pro",
        "responseId": message_id,
    }

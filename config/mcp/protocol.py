"""JSON-RPC 2.0 as the Model Context Protocol sends it: one request per POST, checked before it is answered.

Clients of the revision of 28 July 2026 send every request on its own, with the protocol's version in its `_meta` and in
headers.  Older ones begin with `initialize`; they get no session, so that each of their requests stands alone as well.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATELESS = "2026-07-28"
WITH_HANDSHAKE = ("2025-11-25", "2025-06-18")  # the newest first
VERSIONS = (STATELESS, *WITH_HANDSHAKE)
PREFIX = "io.modelcontextprotocol/"
INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS, PARSE_ERROR = -32600, -32601, -32602, -32700
HEADER_MISMATCH, UNSUPPORTED_VERSION = -32020, -32022
STATUS = {METHOD_NOT_FOUND: 404}  # of HTTP; 400 for all others


class ProtocolError(Exception):
    """The request is refused before any tool is called."""

    def __init__(self, code: int, message: str, *, data: Mapping[str, Any] | None = None, status: int = 0) -> None:
        super().__init__(message)
        self.code, self.data = code, data
        self.status = status or STATUS.get(code, 400)


@dataclass(frozen=True)
class Message:
    """A request, or a notification, which has no `request_id` and gets no response."""

    method: str
    params: Mapping[str, Any]
    request_id: str | int | None
    is_stateless: bool


def read(body: object, headers: Mapping[str, str]) -> Message:
    """The message of a POST.  Raises ProtocolError."""
    if not isinstance(body, dict) or body.get("jsonrpc") != "2.0" or not isinstance(body.get("method"), str):
        raise ProtocolError(INVALID_REQUEST, "Send one JSON-RPC 2.0 request: jsonrpc, id, method and params.")
    request_id, params = body.get("id"), body.get("params", {})
    if "id" in body and (isinstance(request_id, bool) or not isinstance(request_id, str | int)):
        raise ProtocolError(INVALID_REQUEST, "The id of a request is a string or a whole number.")
    if not isinstance(params, dict):
        raise ProtocolError(INVALID_PARAMS, "params is an object.")
    version = headers.get("MCP-Protocol-Version", "")
    meta = params.get("_meta")
    is_stateless = version == STATELESS or (isinstance(meta, dict) and f"{PREFIX}protocolVersion" in meta)
    return Message(body["method"], params, request_id, is_stateless)


def check(message: Message, headers: Mapping[str, str]) -> None:
    """Check that this server speaks the message's version.  Raises ProtocolError."""
    version = headers.get("MCP-Protocol-Version", "")
    if message.is_stateless:
        _check_envelope(message, message.params.get("_meta"), headers)
    elif version and version not in VERSIONS and message.method != "initialize":
        raise _unsupported(version)


def _check_envelope(message: Message, meta: object, headers: Mapping[str, str]) -> None:
    """Refuse a request that lacks required parts, or whose headers contradict its body."""
    needed = (f"{PREFIX}protocolVersion", f"{PREFIX}clientCapabilities")
    missing = [name for name in needed if not isinstance(meta, dict) or name not in meta]
    if missing or not isinstance(meta, dict):
        raise ProtocolError(INVALID_PARAMS, f"params._meta lacks {', '.join(missing)}.")
    version = meta[needed[0]]
    same = {"MCP-Protocol-Version": version, "Mcp-Method": message.method}
    if message.method == "tools/call":
        same["Mcp-Name"] = message.params.get("name")
    for header, value in same.items():
        if _decoded(headers.get(header)) != value:
            raise ProtocolError(HEADER_MISMATCH, f"The header {header} does not match the body.")
    if version not in VERSIONS:
        raise _unsupported(version)


def _unsupported(version: object) -> ProtocolError:
    return ProtocolError(
        UNSUPPORTED_VERSION,
        f"This server speaks {', '.join(VERSIONS)}.",
        data={"supported": list(VERSIONS), "requested": str(version)[:40]},
    )


def _decoded(header: str | None) -> str | None:
    """The value of a header; one that headers cannot carry is sent as =?base64?…?=."""
    if header is None or not (header.startswith("=?base64?") and header.endswith("?=")):
        return header
    try:
        return base64.b64decode(header[len("=?base64?") : -2], validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def result_document(message: Message, result: Mapping[str, Any]) -> dict[str, Any]:
    stateless = {"resultType": "complete"} if message.is_stateless else {}
    return {"jsonrpc": "2.0", "id": message.request_id, "result": {**stateless, **result}}


def error_document(request_id: str | int | None, problem: ProtocolError) -> dict[str, Any]:
    error = {"code": problem.code, "message": str(problem), **({"data": problem.data} if problem.data else {})}
    return {"jsonrpc": "2.0", "id": request_id, "error": error}

"""/mcp: answers assistants' questions for the account that signed in or whose API token they send."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError, PermissionDenied, UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.mcp.protocol import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    STATELESS,
    VERSIONS,
    WITH_HANDSHAKE,
    Message,
    ProtocolError,
    check,
    error_document,
    read,
    result_document,
)
from config.mcp.tools import TOOLS, ToolError, call, listed
from core.write_errors import FieldError
from insights.api.json_body import StorableJSONParser

LARGEST_REQUEST = 64 * 1024  # bytes; the longest question of six tools has a few hundred
SERVER = {"name": "headway", "title": "Headway", "version": "1"}
INSTRUCTIONS = (
    "Headway measures how an engineering organisation delivers, uses coding agents and improves. Call catalogue first "
    "for metrics, units and today's quarter. Quote only numbers that a tool returned, with their link; where a value "
    "is null, say the reason instead. Figures describe the system of work, never a person. Findings are hypotheses: "
    "give their interval and other reading, and never claim a cause."
)
CAPABILITIES: Mapping[str, Any] = {"tools": {}}
CACHEABLE = {"ttlMs": 60_000, "cacheScope": "private"}


class McpView(APIView):
    """One JSON-RPC request per POST; there are neither sessions nor streams, so GET and DELETE are refused."""

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        http: HttpRequest = request._request
        if not _is_own_origin(http):
            raise PermissionDenied(
                "Requests of other sites' pages are refused: the header Origin is not this server's."
            )
        message = None
        try:
            message = read(_body(http), http.headers)
            if message.request_id is None:
                return Response(status=202)
            check(message, http.headers)
            return Response(result_document(message, _result(message, http)))
        except ProtocolError as problem:
            return Response(error_document(message.request_id if message else None, problem), status=problem.status)


def _is_own_origin(request: HttpRequest) -> bool:
    """Whether the Origin header, which only browsers send, is Headway's: other sites must not use a reader's
    session.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    sent, own = urlsplit(origin), urlsplit(settings.BASE_URL)
    here = (request.scheme, request.get_host())
    return (sent.scheme, sent.netloc) in (here, (own.scheme, own.netloc))


def _body(request: HttpRequest) -> object:
    content_type = request.content_type or ""
    if content_type != "application/json":
        raise UnsupportedMediaType(content_type[:40])
    sent = request.read(LARGEST_REQUEST + 1)
    if len(sent) > LARGEST_REQUEST:
        raise ProtocolError(INVALID_REQUEST, f"A request has at most {LARGEST_REQUEST:,} bytes.", status=413)
    try:
        return StorableJSONParser().parse(io.BytesIO(sent))
    except (ParseError, FieldError) as problem:
        raise ProtocolError(PARSE_ERROR, str(problem)) from None


def _result(message: Message, request: HttpRequest) -> Mapping[str, Any]:
    """The result of the request's method.  Raises ProtocolError for an unknown one."""
    match message.method, message.is_stateless:
        case "server/discover", True:
            meta = {"io.modelcontextprotocol/serverInfo": SERVER}
            about = {"capabilities": CAPABILITIES, "instructions": INSTRUCTIONS, "_meta": meta}
            return {"supportedVersions": list(VERSIONS), **about, **CACHEABLE}
        case "initialize", False:
            requested = message.params.get("protocolVersion")
            version = requested if requested in WITH_HANDSHAKE else WITH_HANDSHAKE[0]
            about = {"capabilities": CAPABILITIES, "serverInfo": SERVER, "instructions": INSTRUCTIONS}
            return {"protocolVersion": version, **about}
        case "ping", False:
            return {}
        case "tools/list", is_stateless:
            return {"tools": listed(), **(CACHEABLE if is_stateless else {})}
        case "tools/call", _:
            return _called(message.params, request)
    raise ProtocolError(METHOD_NOT_FOUND, f"There is no method “{message.method[:40]}” in {STATELESS}.")


def _called(params: Mapping[str, Any], request: HttpRequest) -> Mapping[str, Any]:
    name, arguments = params.get("name"), params.get("arguments")
    if not isinstance(name, str) or (tool := TOOLS.get(name)) is None:
        raise ProtocolError(INVALID_PARAMS, f"There is no such tool. Call one of {', '.join(TOOLS)}.")
    if not isinstance(arguments, dict | None):
        raise ProtocolError(INVALID_PARAMS, "arguments is an object.")
    try:
        answer = call(tool, arguments or {}, request)
    except ToolError as problem:
        return {"content": [{"type": "text", "text": str(problem)}], "isError": True}
    text = json.dumps(answer, ensure_ascii=False)
    return {"content": [{"type": "text", "text": text}], "structuredContent": answer, "isError": False}

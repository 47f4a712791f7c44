"""OTLP/JSON → the protobuf request it stands for, record by record where a record is bad.

It differs from protobuf's own JSON: trace and span ids are hexadecimal, not base64.
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import Message

from integrations.telemetry.decode_reading import Reading, Signal, UnreadableRequestError

Json = dict[str, Any]
RequestType = TypeVar("RequestType", bound=Message)
_ID_FIELDS = ("traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id")
_LEVELS = {
    Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
    Signal.METRICS: ("resourceMetrics", "scopeMetrics", "metrics"),
    Signal.TRACES: ("resourceSpans", "scopeSpans", "spans"),
}


def request_from_json(signal: Signal, request_type: type[RequestType], body: bytes, reading: Reading) -> RequestType:
    """The request; records that cannot be read are left out of it, and put into quarantine."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise UnreadableRequestError("The body is not JSON.") from None
    if not isinstance(document, dict):
        raise UnreadableRequestError("The body must be a JSON object.")
    for record in _records(document, signal):
        _ids_to_base64(record)
    try:
        return ParseDict(document, request_type(), ignore_unknown_fields=True)
    except ParseError as problem:
        raise UnreadableRequestError(f"The body is not an OTLP {signal} export request: {problem}") from None


def _records(document: Json, signal: Signal) -> Iterator[Json]:
    level = [document]
    for name in _LEVELS[signal]:
        snake = "".join(f"_{character.lower()}" if character.isupper() else character for character in name)
        level = [
            element
            for parent in level
            for element in (parent.get(name) or parent.get(snake) or ())
            if isinstance(element, dict)
        ]
    yield from level


def _ids_to_base64(record: Json) -> None:
    for name in _ID_FIELDS:
        if name in record:
            record[name] = base64.b64encode(bytes.fromhex(record[name] or "")).decode()
    for link in record.get("links") or ():
        _ids_to_base64(link)

"""Responses of the OTLP/HTTP receiver, in the encoding of the request.

https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsPartialSuccess, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsPartialSuccess,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from integrations.telemetry.otlp.decoded import Encoding, Signal

LONGEST_MESSAGE = 1000


CONTENT_TYPES = {"application/x-protobuf": Encoding.PROTOBUF, "application/json": Encoding.JSON}
_CONTENT_TYPE_OF = {encoding: content_type for content_type, encoding in CONTENT_TYPES.items()}


class Code(IntEnum):
    """The values of google.rpc.Code that the receiver uses."""

    INVALID_ARGUMENT = 3
    PERMISSION_DENIED = 7
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


@dataclass(eq=False)
class RefusedError(Exception):
    """A rejected request: the response, with the remedy in the message."""

    status: int
    code: Code
    message: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, independent of the web framework."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def accepted(signal: Signal, encoding: Encoding, *, rejected: int = 0, message: str = "") -> Answer:
    """A 200 response; a partial success if records were rejected, which tells the sender not to resend them."""
    if not rejected:
        return _ALL_ACCEPTED[encoding]
    message = message[:LONGEST_MESSAGE]
    response: ExportLogsServiceResponse | ExportMetricsServiceResponse | ExportTraceServiceResponse
    match signal:
        case Signal.LOGS:
            response = ExportLogsServiceResponse(
                partial_success=ExportLogsPartialSuccess(rejected_log_records=rejected, error_message=message)
            )
        case Signal.METRICS:
            response = ExportMetricsServiceResponse(
                partial_success=ExportMetricsPartialSuccess(rejected_data_points=rejected, error_message=message)
            )
        case Signal.TRACES:
            response = ExportTraceServiceResponse(
                partial_success=ExportTracePartialSuccess(rejected_spans=rejected, error_message=message)
            )
    body = (
        response.SerializeToString() if encoding is Encoding.PROTOBUF else MessageToJson(response, indent=None).encode()
    )
    return Answer(200, _headers(encoding), body)


def refused(refusal: RefusedError, encoding: Encoding) -> Answer:
    """An error response with a google.rpc.Status as body."""
    if encoding is Encoding.JSON:
        body = json.dumps({"code": refusal.code, "message": refusal.message}).encode()
    else:
        body = _status(refusal.code, refusal.message)
    return Answer(refusal.status, _headers(encoding) | refusal.headers, body)


def _headers(encoding: Encoding) -> dict[str, str]:
    return {"Content-Type": _CONTENT_TYPE_OF[encoding]}


# An empty Export…ServiceResponse, for any signal.
_ALL_ACCEPTED = {
    Encoding.PROTOBUF: Answer(200, _headers(Encoding.PROTOBUF), b""),
    Encoding.JSON: Answer(200, _headers(Encoding.JSON), b"{}"),
}


def _status(code: Code, message: str) -> bytes:
    """google.rpc.Status in protobuf: code is field 1, message field 2.  For two fields no generated class is needed."""
    text = message.encode()
    return b"\x08" + _varint(code) + b"\x12" + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)

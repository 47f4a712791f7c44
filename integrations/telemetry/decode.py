"""An export request's bytes → what they say."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from integrations.telemetry.decode_events import read_logs, read_traces
from integrations.telemetry.decode_json import request_from_json
from integrations.telemetry.decode_metrics import read_metrics
from integrations.telemetry.decode_reading import Reading, Signal, UnreadableRequestError
from integrations.telemetry.decode_values import MICROSECONDS_TO_2000

REQUESTS: dict[Signal, type[Message]] = {
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.TRACES: ExportTraceServiceRequest,
}
READERS: dict[Signal, Callable[[Any, Reading], None]] = {
    Signal.LOGS: read_logs,
    Signal.METRICS: read_metrics,
    Signal.TRACES: read_traces,
}


def read_protobuf(signal: Signal, body: bytes) -> Reading:
    """Raises UnreadableRequestError where the body is no such request."""
    reading = _new_reading()
    try:
        request = REQUESTS[signal].FromString(body)
    except DecodeError:
        raise UnreadableRequestError(
            f"The body is not an OTLP {signal} export request in protobuf, or it was cut off."
        ) from None
    READERS[signal](request, reading)
    return reading


def read_json(signal: Signal, body: bytes) -> Reading:
    """Raises UnreadableRequestError where the body is no such request."""
    reading = _new_reading()
    READERS[signal](request_from_json(signal, REQUESTS[signal], body, reading), reading)
    return reading


def _new_reading() -> Reading:
    return Reading(now=time.time_ns() // 1000 - MICROSECONDS_TO_2000)

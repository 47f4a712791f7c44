"""Decode export requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import Any

from integrations.telemetry.agents.values import MICROSECONDS_TO_2000, NANOSECONDS_PER_MICROSECOND
from integrations.telemetry.otlp.decode_events import read_events
from integrations.telemetry.otlp.decode_json import origins_in_json
from integrations.telemetry.otlp.decode_metrics import read_metrics
from integrations.telemetry.otlp.decode_protobuf import origins_in_protobuf
from integrations.telemetry.otlp.decoded import DecodedRequest, Encoding, Origin, Signal
from integrations.telemetry.otlp.retention import closed_days
from integrations.telemetry.otlp.store_partitions import day_of

LARGE = 1024 * 1024
_one_large = threading.Lock()
"""20 MB of empty records take 1.5 GB as messages, so large requests are decoded one at a time."""


def origins_in(
    signal: Signal, encoding: Encoding, body: bytes, decoded: DecodedRequest
) -> Iterator[tuple[Origin, Iterable[Any]]]:
    """Each resource and scope of a request with its records.  Raises UnreadableRequestError."""
    origins = origins_in_protobuf if encoding is Encoding.PROTOBUF else origins_in_json
    return origins(signal, body, decoded)


def read_request(signal: Signal, encoding: Encoding, body: bytes) -> DecodedRequest:
    """Decode a request body.  Raises UnreadableRequestError if it is not an export request."""
    decoded = DecodedRequest(
        now=time.time_ns() // NANOSECONDS_PER_MICROSECOND - MICROSECONDS_TO_2000,
        closed_days={day_of(day) for day in closed_days()} if signal is Signal.METRICS else (),
    )
    read = read_metrics if signal is Signal.METRICS else read_events
    with _one_large if len(body) > LARGE else nullcontext():
        for origin, records in origins_in(signal, encoding, body, decoded):
            origin.count_content_of_resource()
            read(origin, records)
    return decoded

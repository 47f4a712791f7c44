"""An export request's bytes → what they say."""

from __future__ import annotations

import time

from integrations.telemetry.decode_events import read_events
from integrations.telemetry.decode_json import origins_in_json
from integrations.telemetry.decode_metrics import read_metrics
from integrations.telemetry.decode_protobuf import origins_in_protobuf
from integrations.telemetry.decode_reading import Encoding, Reading, Signal
from integrations.telemetry.decode_values import MICROSECONDS_TO_2000, NANOSECONDS_PER_MICROSECOND


def read_request(signal: Signal, encoding: Encoding, body: bytes) -> Reading:
    """Raises UnreadableRequestError where the body is no such request at all."""
    reading = Reading(now=time.time_ns() // NANOSECONDS_PER_MICROSECOND - MICROSECONDS_TO_2000)
    origins = origins_in_protobuf if encoding is Encoding.PROTOBUF else origins_in_json
    read = read_metrics if signal is Signal.METRICS else read_events
    for origin, records in origins(signal, body, reading):
        origin.count_content_of_resource()
        read(origin, records)
    return reading

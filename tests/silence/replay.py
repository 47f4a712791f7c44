"""A recorded run of a real agent as a session of anybody, at any time, of any version, with something left out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache

from google.protobuf import json_format
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.recordings import Recording

REQUESTS = {
    "/v1/logs": ExportLogsServiceRequest,
    "/v1/metrics": ExportMetricsServiceRequest,
    "/v1/traces": ExportTraceServiceRequest,
}
SESSIONS = ("session.id", "conversation.id", "gen_ai.conversation.id")
PEOPLE = ("enduser.id", "user.email")
INSTALLATIONS = ("user.id", "installation.id", "user.account_id", "user.account_uuid")
TIMES = ("time_unix_nano", "observed_time_unix_nano", "start_time_unix_nano", "end_time_unix_nano")
NANO = 1_000_000_000

Drop = Callable[[Message], bool]


def nothing(_: Message) -> bool:
    return False


def metric(name: str) -> Drop:
    return lambda message: message.DESCRIPTOR.name == "Metric" and getattr(message, "name", "") == name


def event(name: str) -> Drop:
    """Log records of that event."""
    return lambda message: (
        message.DESCRIPTOR.name == "LogRecord"
        and any(pair.key == "event.name" and pair.value.string_value == name for pair in message.attributes)  # type: ignore[attr-defined]
    )


def attribute(*names: str) -> Drop:
    return lambda message: message.DESCRIPTOR.name == "KeyValue" and getattr(message, "key", "") in names


def all_metrics(message: Message) -> bool:
    return message.DESCRIPTOR.name == "ResourceMetrics"


def together(sessions: Iterable[Iterable[tuple[str, Message]]]) -> dict[str, Message]:
    """One request by path, as a collector in front of the agents sends it; programs send no empty one."""
    requests: dict[str, Message] = {}
    for session in sessions:
        for path, message in session:
            requests.setdefault(path, REQUESTS[path]()).MergeFrom(message)
    return {path: message for path, message in requests.items() if message.ByteSize()}


def session_of(
    recording: Recording, *, by: str, at: datetime, version: str, drop: Drop = nothing
) -> Iterator[tuple[str, Message]]:
    """The recording's requests: path and message, its first record at that time."""
    recorded, first = _read(recording)
    session, shift = str(uuid.uuid4()), int(at.timestamp() * NANO) - first
    for path, message in recorded:
        sent = REQUESTS[path]()
        sent.CopyFrom(message)
        _change(sent, shift, drop, session=session, by=by, version=version)
        yield path, sent


@cache
def _read(recording: Recording) -> tuple[Sequence[tuple[str, Message]], int]:
    """The recording's requests as they were sent, and its first time."""
    messages = []
    for recorded in recording.requests:
        message = REQUESTS[recorded.path]()
        if "json" in recorded.content_type:
            json_format.Parse(recorded.body, message, ignore_unknown_fields=True)
        else:
            message.ParseFromString(recorded.body)
        messages.append((recorded.path, message))
    return messages, min(time for _, message in messages for time in _times(message) if time)


def _times(message: Message) -> Iterator[int]:
    for field, value in message.ListFields():
        if field.name in TIMES:
            yield value
        elif field.message_type is not None:
            for part in value if isinstance(value, list) or hasattr(value, "__len__") else [value]:
                yield from _times(part)


def _change(message: Message, shift: int, drop: Drop, *, session: str, by: str, version: str) -> None:
    for field, value in message.ListFields():
        if field.name in TIMES and value:
            setattr(message, field.name, value + shift)
        elif field.message_type is not None and hasattr(value, "__len__"):
            kept = [part for part in value if not drop(part)]
            for part in kept:
                _change(part, shift, drop, session=session, by=by, version=version)
            del value[:]
            value.extend(kept)
        elif field.message_type is not None:
            _change(value, shift, drop, session=session, by=by, version=version)
    if message.DESCRIPTOR.name == "KeyValue":
        key = message.key  # type: ignore[attr-defined]
        if key in SESSIONS:
            message.value.string_value = session  # type: ignore[attr-defined]
        elif key in PEOPLE:
            message.value.string_value = f"{by}@example.com"  # type: ignore[attr-defined]
        elif key in INSTALLATIONS:
            message.value.string_value = f"installation-of-{by}"  # type: ignore[attr-defined]
        elif key in ("service.version", "app.version"):
            message.value.string_value = version  # type: ignore[attr-defined]

"""OTLP requests as Claude Code sends them, for test scenarios, modelled on recorded runs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

Attribute = str | int | float
VERSION = "2.1.197"
_sequence = itertools.count(1)


@dataclass(frozen=True)
class LogEvent:
    """One log record: `name` without the prefix claude_code."""

    name: str
    at: datetime
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True)
class Increment:
    """One delta point of a counter: `name` without the prefix claude_code."""

    name: str
    at: datetime
    amount: float
    attributes: Mapping[str, Attribute]


def logs_request(email: str, session: str, events: Sequence[LogEvent]) -> ExportLogsServiceRequest:
    who = _who(email, session)
    records = [
        LogRecord(
            time_unix_nano=_nanoseconds(event.at),
            observed_time_unix_nano=_nanoseconds(event.at),
            body=AnyValue(string_value=f"claude_code.{event.name}"),
            attributes=attributes(
                {
                    **who,
                    "event.name": event.name,
                    "event.timestamp": event.at.isoformat(),
                    "event.sequence": next(_sequence),
                    **event.attributes,
                }
            ),
        )
        for event in events
    ]
    scope = InstrumentationScope(name="com.anthropic.claude_code.events", version=VERSION)
    return ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(resource=_resource(email), scope_logs=[ScopeLogs(scope=scope, log_records=records)])
        ]
    )


def metrics_request(email: str, session: str, increments: Sequence[Increment]) -> ExportMetricsServiceRequest:
    who = _who(email, session)
    metrics = [
        Metric(
            name=f"claude_code.{increment.name}",
            sum=Sum(
                aggregation_temporality=AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA,
                is_monotonic=True,
                data_points=[
                    NumberDataPoint(
                        start_time_unix_nano=_nanoseconds(increment.at) - 1_000_000_000,
                        time_unix_nano=_nanoseconds(increment.at),
                        as_double=increment.amount,
                        attributes=attributes({**who, **increment.attributes}),
                    )
                ],
            ),
        )
        for increment in increments
    ]
    scope = InstrumentationScope(name="com.anthropic.claude_code", version=VERSION)
    return ExportMetricsServiceRequest(
        resource_metrics=[
            ResourceMetrics(resource=_resource(email), scope_metrics=[ScopeMetrics(scope=scope, metrics=metrics)])
        ]
    )


def attributes(values: Mapping[str, Attribute]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_any_value(value)) for key, value in values.items()]


def _any_value(value: Attribute) -> AnyValue:
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(string_value=value)


def _resource(email: str) -> Resource:
    return Resource(
        attributes=attributes({"service.name": "claude-code", "service.version": VERSION, "enduser.id": email})
    )


def _who(email: str, session: str) -> dict[str, Attribute]:
    return {"enduser.id": email, "user.id": f"installation-of-{email}", "session.id": session, "terminal.type": "xterm"}


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1000

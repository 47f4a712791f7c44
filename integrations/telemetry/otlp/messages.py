"""OTLP message classes from opentelemetry-proto, without the UTF-8 check.

The generated classes reject a whole request for one invalid string.  These classes use the same descriptors as proto2,
which does not check: an invalid string arrives as bytes, and only affects its own record.

https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar, cast

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from integrations.telemetry.agents.values import MOST_LEVELS, BadRecordError, Value

M = TypeVar("M", bound=Message)


def _unchecked_pool() -> DescriptorPool:
    pool = DescriptorPool()
    for module in (
        *(common_pb2, resource_pb2, logs_pb2, metrics_pb2, trace_pb2),
        *(logs_service_pb2, metrics_service_pb2, trace_service_pb2),
    ):
        file = FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        file.syntax = "proto2"
        for message in file.message_type:
            for field in message.field:
                if field.proto3_optional:  # all proto2 fields are optional, without a synthetic oneof
                    field.ClearField("proto3_optional")
                    field.ClearField("oneof_index")
            used = {field.oneof_index for field in message.field if field.HasField("oneof_index")}
            del message.oneof_decl[len(used) :]  # synthetic oneofs come last
        pool.Add(file)
    return pool


_POOL = _unchecked_pool()


def _unchecked(message: type[M]) -> type[M]:
    return cast("type[M]", GetMessageClass(_POOL.FindMessageTypeByName(message.DESCRIPTOR.full_name)))


LogsRequest = _unchecked(logs_service_pb2.ExportLogsServiceRequest)
MetricsRequest = _unchecked(metrics_service_pb2.ExportMetricsServiceRequest)
TraceRequest = _unchecked(trace_service_pb2.ExportTraceServiceRequest)
Resource = _unchecked(resource_pb2.Resource)
Scope = _unchecked(common_pb2.InstrumentationScope)
LogRecord = _unchecked(logs_pb2.LogRecord)
Span = _unchecked(trace_pb2.Span)
Status = _unchecked(trace_pb2.Status)
Metric = _unchecked(metrics_pb2.Metric)
NumberDataPoint = _unchecked(metrics_pb2.NumberDataPoint)
HistogramDataPoint = _unchecked(metrics_pb2.HistogramDataPoint)
KeyValue = _unchecked(common_pb2.KeyValue)
AnyValue = _unchecked(common_pb2.AnyValue)
ArrayValue = _unchecked(common_pb2.ArrayValue)
KeyValueList = _unchecked(common_pb2.KeyValueList)

EventMessage = logs_pb2.LogRecord | trace_pb2.Span
PointMessage = metrics_pb2.NumberDataPoint | metrics_pb2.HistogramDataPoint


def valid(text: str | bytes, what: str = "Its name") -> str:
    """A string of a message.  Raises BadRecordError if it is not UTF-8."""
    if isinstance(text, bytes):
        raise BadRecordError(f"{what} is not valid UTF-8.")
    return text


def body_of(record: logs_pb2.LogRecord) -> str:
    """A log record's body if it is a string, else empty."""
    body: str | bytes = record.body.string_value
    return body if isinstance(body, str) else ""


def readable(attributes: Iterable[common_pb2.KeyValue]) -> dict[str, Value]:
    """Attributes by name; invalid ones are left out."""
    by_name: dict[str, Value] = {}
    for attribute in attributes:
        with suppress(BadRecordError):
            by_name[valid(attribute.key)] = plain_value(attribute.value)
    return by_name


def plain_value(value: common_pb2.AnyValue, levels: int = MOST_LEVELS) -> Value:
    """The Python value; None for bytes.  Raises BadRecordError."""
    kind = value.WhichOneof("value")
    if kind is None or kind == "bytes_value":
        return None
    if kind == "string_value":
        return valid(value.string_value, "An attribute")
    if kind in {"array_value", "kvlist_value"}:
        if not levels:
            raise BadRecordError("An attribute is nested too deeply.")
        if kind == "array_value":
            return [plain_value(element, levels - 1) for element in value.array_value.values]
        entries = value.kvlist_value.values
        return {valid(entry.key, "An attribute"): plain_value(entry.value, levels - 1) for entry in entries}
    plain: Value = getattr(value, kind)
    return plain

"""Decode export requests in protobuf, record by record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

from integrations.telemetry.agents.content import PLACEHOLDERS, looks_like_content, name_in
from integrations.telemetry.agents.values import BadRecordError, Value
from integrations.telemetry.otlp import messages
from integrations.telemetry.otlp.decoded import (
    STATUS_ERROR,
    DecodedRequest,
    Encoding,
    MetricKind,
    MetricRecord,
    Origin,
    Signal,
    UnreadableRequestError,
)
from integrations.telemetry.otlp.messages import EventMessage, KeyValue, M, PointMessage, Resource, Scope

Part = tuple[resource_pb2.Resource, common_pb2.InstrumentationScope, Sequence[Any]]

DELTA = metrics_pb2.AGGREGATION_TEMPORALITY_DELTA
CUMULATIVE = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE
# The three requests have the same structure and field numbers under different names: resources, scopes, records.
_SHAPES: dict[Signal, tuple[type[Any], type[Any], str, str, str]] = {
    Signal.LOGS: (messages.LogsRequest, messages.LogRecord, "resource_logs", "scope_logs", "log_records"),
    Signal.METRICS: (messages.MetricsRequest, messages.Metric, "resource_metrics", "scope_metrics", "metrics"),
    Signal.TRACES: (messages.TraceRequest, messages.Span, "resource_spans", "scope_spans", "spans"),
}
_OWN, _PARTS = 1, 2  # field numbers in a resource and in a scope: its own data, and its children
_LENGTH_DELIMITED = 2  # https://protobuf.dev/programming-guides/encoding/#structure
# A request with one invalid record: replaces bytes that are not a message in quarantine.
NO_RECORD = b"\x0a\x05\x12\x03\x12\x01\xff"
# Fields of a quarantined record that are stored besides its attributes, and the body if that is its name.
_KEPT_FIELDS = frozenset(
    {
        *("time_unix_nano", "observed_time_unix_nano", "start_time_unix_nano", "end_time_unix_nano"),
        *("event_name", "name", "trace_id", "span_id", "parent_span_id", "as_double", "as_int", "sum", "flags"),
    }
)


def origins_in_protobuf(signal: Signal, body: bytes, decoded: DecodedRequest) -> Iterator[tuple[Origin, Iterable[Any]]]:
    """Each resource and scope with its records.  Raises UnreadableRequestError."""
    try:
        try:
            parts = list(_parts(signal, body, decoded))
        except DecodeError:
            parts = list(_parts_with_damaged(signal, body, decoded))
    except DecodeError:
        raise UnreadableRequestError(
            f"The body is not an OTLP {signal} export request in protobuf, or it was cut off."
        ) from None
    for resource, scope, records in parts:
        decoded.take(len(records))
        yield ProtobufOrigin(signal, decoded, resource, scope, records), records


def _parts(signal: Signal, body: bytes, decoded: DecodedRequest) -> Iterator[Part]:
    request_class, _, in_request, in_resource, in_scope = _SHAPES[signal]
    resources = getattr(request_class.FromString(body), in_request)
    decoded.take(len(resources))
    for of_resource in resources:
        decoded.take(len(getattr(of_resource, in_resource)))
        for of_scope in getattr(of_resource, in_resource):
            yield of_resource.resource, of_scope.scope, getattr(of_scope, in_scope)


def _parts_with_damaged(signal: Signal, body: bytes, decoded: DecodedRequest) -> Iterator[Part]:
    """Like `_parts`, for a request with invalid or too deeply nested records, which are returned as bytes."""
    record_class = _SHAPES[signal][1]
    for of_resource in _fields(body, _OWN):
        decoded.take(1)
        attributes = [
            _message_or_bytes(KeyValue, sent) for own in _fields(of_resource, _OWN) for sent in _fields(own, _OWN)
        ]
        resource = Resource(attributes=[attribute for attribute in attributes if not isinstance(attribute, bytes)])
        for of_scope in _fields(of_resource, _PARTS):
            decoded.take(1)
            scope = Scope.FromString(b"".join(_fields(of_scope, _OWN)))
            yield resource, scope, [_message_or_bytes(record_class, sent) for sent in _fields(of_scope, _PARTS)]


def _fields(sent: bytes, number: int) -> list[bytes]:
    return [
        field.data
        for field in UnknownFieldSet(Empty.FromString(sent))  # type: ignore[attr-defined]  # its stubs lack __iter__
        if field.field_number == number and field.wire_type == _LENGTH_DELIMITED
    ]


def _message_or_bytes(message_class: type[M], sent: bytes) -> M | bytes:
    try:
        return message_class.FromString(sent)
    except DecodeError:
        return sent


class ProtobufOrigin(Origin):
    encoding = Encoding.PROTOBUF

    def __init__(
        self,
        signal: Signal,
        decoded: DecodedRequest,
        resource: resource_pb2.Resource,
        scope: common_pb2.InstrumentationScope,
        records: Sequence[Any],
    ) -> None:
        super().__init__(signal, decoded, resource, scope, records)
        self._resource, self._scope = resource, scope

    @cached_property
    def _stored_resource(self) -> resource_pb2.Resource:
        resource: resource_pb2.Resource = _without_content(
            self._resource, [], lambda name, value: not self.vocabulary.is_content(name, value)
        )
        return resource

    def record(self, sent: EventMessage | bytes) -> EventMessage:
        if isinstance(sent, bytes):
            raise BadRecordError("It is not a record of this signal.")
        return sent

    def metric(self, sent: metrics_pb2.Metric | bytes) -> MetricRecord:
        if isinstance(sent, bytes):
            raise BadRecordError("It is not a metric.")
        name = messages.valid(sent.name)
        match sent.WhichOneof("data"):
            case "sum" | "histogram" as kind:
                data = getattr(sent, kind)
                is_cumulative = data.aggregation_temporality == CUMULATIVE
                return MetricRecord(name, MetricKind(kind), is_cumulative, data.data_points)
            case None:
                return MetricRecord(name, MetricKind.OTHER, is_cumulative=False, points=())
            case kind:
                points = getattr(sent, kind).data_points
                return MetricRecord(name, MetricKind.OTHER, is_cumulative=False, points=points)

    def data_point(self, sent: PointMessage, metric: MetricRecord) -> PointMessage:
        return sent

    def bytes_of(self, sent: Message | bytes) -> bytes:
        return sent if isinstance(sent, bytes) else sent.SerializeToString()

    def payload(self, sent: Any, metric: MetricRecord | None) -> tuple[bytes, list[str]]:
        if isinstance(sent, bytes) or (self.signal is Signal.METRICS and metric is None):
            return NO_RECORD, []
        dropped: list[str] = []
        stripped = _without_content(sent, dropped, self.may_keep)
        if metric is not None:
            alone = messages.Metric(name=metric.name)
            points: Any = alone.histogram if metric.kind is MetricKind.HISTOGRAM else alone.sum
            points.aggregation_temporality = CUMULATIVE if metric.is_cumulative else DELTA
            if metric.kind is MetricKind.SUM:
                points.is_monotonic = True
            points.data_points.append(stripped)
            stripped = alone
        request_class, _, in_request, in_resource, in_scope = _SHAPES[self.signal]
        request = request_class()
        of_resource = getattr(request, in_request).add()
        of_resource.resource.CopyFrom(self._stored_resource)
        of_scope = getattr(of_resource, in_resource).add()
        of_scope.scope.name, of_scope.scope.version = _repaired(self._scope.name), _repaired(self._scope.version)
        getattr(of_scope, in_scope).append(stripped)
        return request.SerializeToString(), dropped


def _without_content(sent: Any, dropped: list[str], may_keep: Callable[[str, Value], bool]) -> Any:
    """The fields of a message that the receiver reads, without content; dropped names are added to `dropped`."""
    stripped = type(sent)()
    for field, value in sent.ListFields():
        if field.name in _KEPT_FIELDS and not looks_like_content(value):
            setattr(stripped, field.name, _repaired(value) if field.type == FieldDescriptor.TYPE_STRING else value)
    if isinstance(sent, messages.LogRecord) and (name := name_in(messages.body_of(sent))):
        stripped.body.string_value = name
    if isinstance(sent, messages.Span) and sent.status.code == STATUS_ERROR:
        stripped.status.code = sent.status.code
    for attribute in map(_readable, sent.attributes):
        name, value = attribute.key, messages.plain_value(attribute.value)
        if may_keep(name, value):
            stripped.attributes.append(attribute)
        elif value not in PLACEHOLDERS:
            dropped.append(name)
    return stripped


def _readable(attribute: common_pb2.KeyValue) -> common_pb2.KeyValue:
    """The attribute with invalid UTF-8 replaced, so that it can be stored and shown."""
    repaired = KeyValue(key=_repaired(attribute.key), value=attribute.value)
    try:
        messages.plain_value(repaired.value)
    except BadRecordError:
        repaired.value.string_value = _repaired(attribute.value.string_value)
    return repaired


def _repaired(text: str | bytes) -> str:
    return text.decode(errors="replace") if isinstance(text, bytes) else text

"""Export requests in protobuf, record by record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from integrations.telemetry import decode_wire as wire
from integrations.telemetry.content import PLACEHOLDERS, is_no_content, name_in
from integrations.telemetry.decode_reading import (
    Encoding,
    EventRecord,
    MetricKind,
    MetricRecord,
    Origin,
    PointRecord,
    Reading,
    Signal,
    UnreadableRequestError,
    span_times,
)
from integrations.telemetry.decode_values import BadRecordError, Value
from integrations.telemetry.vocabularies.vocabulary import PARENT_SPAN_ID, SPAN_ID, TRACE_ID

DELTA, CUMULATIVE = 1, 2  # of AggregationTemporality
NO_RECORDED_VALUE = 1  # of DataPointFlags
NO_RECORD = b"\xff"  # stands in quarantine for bytes that are no message: what they hold cannot be judged
_RECORD_CLASSES = {Signal.LOGS: wire.LogRecord, Signal.TRACES: wire.Span, Signal.METRICS: wire.NumberPoint}
METRIC_KINDS = {"sum": MetricKind.SUM, "histogram": MetricKind.HISTOGRAM}
_KINDS = ("gauge", "sum", "histogram", "exponential_histogram", "summary")


def origins_in_protobuf(signal: Signal, body: bytes, reading: Reading) -> Iterator[tuple[Origin, Iterable[bytes]]]:
    """Each resource and scope with its records.  Raises UnreadableRequestError."""
    try:
        for resource in wire.Request.FromString(body).resources:
            for scope in resource.scopes:
                yield ProtobufOrigin(signal, reading, resource.resource, scope.scope), scope.records
    except DecodeError:
        raise UnreadableRequestError(
            f"The body is not an OTLP {signal} export request in protobuf, or it was cut off."
        ) from None


class ProtobufOrigin(Origin):
    encoding = Encoding.PROTOBUF

    def __init__(self, signal: Signal, reading: Reading, resource: bytes, scope: bytes) -> None:
        """Raises DecodeError where resource or scope are none."""
        self._sent = (resource, scope)
        sent = wire.ResourceAttributes.FromString(resource).attributes
        named = wire.Scope.FromString(scope)
        super().__init__(
            signal,
            reading,
            resource=dict(_readable(sent)),
            identity=wire.origin_identity(sent, named.name, named.version),
        )
        words = self.vocabulary
        self._known = wire.KnownAttributes(words.starts, words.looked_at, self.knows, words.attribute_means)
        self._record_class = _RECORD_CLASSES[signal]

    def event(self, sent: bytes) -> EventRecord:
        record = self._record(sent)
        own = list(record.attributes)  # taken out of the message once: that is what costs
        attributes = self._attributes(own)
        body = ""
        if self.signal is Signal.TRACES:
            # A span tells of its request or call when it is over, as a log record of the same does.
            time, other_time = record.end_time_unix_nano, record.start_time_unix_nano
            name = _text(record.name)
        else:
            time, other_time = record.time_unix_nano, record.observed_time_unix_nano
            named = attributes.get("event.name") or _text(record.event_name)
            name = named if isinstance(named, str) else ""
            if not name:
                body = wire.text_value(record.body)
                name = name_in(body)
        identity = wire.event_identity(time, other_time, name or body, own)
        if self.vocabulary.reads_span_context:
            attributes.update(self._context(record))
        return EventRecord(time or other_time, name, attributes, identity)

    def _context(self, record: Any) -> Iterator[tuple[str, Value]]:
        yield TRACE_ID, record.trace_id.hex()
        yield SPAN_ID, record.span_id.hex()
        if self.signal is Signal.TRACES:
            yield PARENT_SPAN_ID, record.parent_span_id.hex()
            yield from span_times(record.start_time_unix_nano, record.end_time_unix_nano)

    def all_attributes(self, sent: bytes) -> dict[str, Value]:
        return dict(map(wire.plain_attribute, self._record(sent).attributes))

    def readable_attributes(self, sent: bytes, metric: MetricRecord | None = None) -> dict[str, Value]:
        of_histogram = metric is not None and metric.kind is MetricKind.HISTOGRAM
        record = _message(wire.HistogramPoint if of_histogram else self._record_class, sent)
        return dict(_readable(record.attributes))

    def metric(self, sent: bytes) -> MetricRecord:
        try:
            metric = wire.Metric.FromString(sent)
        except DecodeError:
            raise BadRecordError("It is no metric.") from None
        kind = next((kind for kind in _KINDS if metric.HasField(kind)), None)
        return MetricRecord(
            _text(metric.name),
            METRIC_KINDS.get(kind or "", MetricKind.OTHER),
            getattr(metric, kind).aggregation_temporality == CUMULATIVE if kind in METRIC_KINDS else False,
            getattr(metric, kind).data_points if kind else (),
        )

    def point(self, sent: bytes, metric: MetricRecord) -> PointRecord:
        is_histogram = metric.kind is MetricKind.HISTOGRAM
        point = _message(wire.HistogramPoint if is_histogram else wire.NumberPoint, sent)
        value = None
        if is_histogram:
            if point.HasField("sum"):
                value = point.sum
        elif point.HasField("as_double"):
            value = point.as_double
        elif point.HasField("as_int"):
            value = float(point.as_int)
        elif not point.flags & NO_RECORDED_VALUE:
            raise BadRecordError("It has no value.")
        return PointRecord(
            wire.series_identity(metric.name, point.attributes),
            point.time_unix_nano,
            point.start_time_unix_nano,
            value,
            self._attributes(point.attributes),
        )

    def bytes_of(self, sent: bytes) -> bytes:
        return sent

    def payload(self, sent: bytes, metric: MetricRecord | None) -> tuple[bytes, list[str]]:
        dropped: list[str] = []
        try:
            record = self._kept(sent, metric, dropped)
        except DecodeError:
            record = NO_RECORD
        request = wire.Request()
        resource = request.resources.add()
        resource.resource = _without_content(
            wire.ResourceAttributes, self._sent[0], [], is_no_content
        ).SerializeToString()
        scope = resource.scopes.add()
        scope.scope = self._sent[1]
        scope.records.append(record)
        return request.SerializeToString(), dropped

    def _kept(self, sent: bytes, metric: MetricRecord | None, dropped: list[str]) -> bytes:
        if self.signal is not Signal.METRICS:
            message: bytes = _without_content(self._record_class, sent, dropped, self.may_keep).SerializeToString()
            return message
        if metric is None:
            return NO_RECORD
        alone = wire.Metric(name=metric.name.encode(errors="replace"))
        is_histogram = metric.kind is MetricKind.HISTOGRAM
        points = alone.histogram if is_histogram else alone.sum
        points.aggregation_temporality = CUMULATIVE if metric.is_cumulative else DELTA
        if not is_histogram:
            points.is_monotonic = True
        point_class = wire.HistogramPoint if is_histogram else wire.NumberPoint
        points.data_points.append(_without_content(point_class, sent, dropped, self.may_keep).SerializeToString())
        kept: bytes = alone.SerializeToString()
        return kept

    def _record(self, sent: bytes) -> Any:
        return _message(self._record_class, sent)

    def _attributes(self, sent: Iterable[bytes]) -> dict[str, Value]:
        """The attributes that the vocabulary reads, above those of the resource."""
        attributes = dict(self.resource)
        attributes.update(map(self._known.__getitem__, sent))
        return attributes


def _message(message_class: Any, sent: bytes) -> Any:
    try:
        return message_class.FromString(sent)
    except DecodeError:
        raise BadRecordError("It is no record of this signal.") from None


def _readable(attributes: Iterable[bytes]) -> Iterator[tuple[str, Value]]:
    """A resource's attributes; one that cannot be read is left out."""
    for sent in attributes:
        try:
            yield wire.plain_attribute(sent)
        except BadRecordError:
            continue


def _text(sent: bytes) -> str:
    try:
        return sent.decode()
    except UnicodeDecodeError:
        raise BadRecordError("Its name is not valid UTF-8.") from None


def _without_content(
    message_class: Any, sent: bytes, dropped: list[str], may_keep: Callable[[str, Value], bool]
) -> Any:
    """A message with what the receiver reads of it, less content, whose names are added to `dropped`.

    Raises DecodeError where it is none.
    """
    message = message_class.FromString(sent)
    message.DiscardUnknownFields()
    attributes = []
    for attribute in map(_repaired, message.attributes):
        name, value = wire.plain_attribute(attribute)
        if may_keep(name, value):
            attributes.append(attribute)
        elif value not in PLACEHOLDERS:
            dropped.append(name)
    del message.attributes[:]
    message.attributes.extend(attributes)
    if message_class is wire.LogRecord and not name_in(wire.text_value(message.body)):
        message.ClearField("body")
    return message


def _repaired(attribute: bytes) -> bytes:
    """The attribute; text that is not UTF-8 with replacement characters, so that it can be kept and shown."""
    try:
        wire.plain_attribute(attribute)
    except BadRecordError:
        try:
            text = wire.KeyText.FromString(attribute)
        except DecodeError:
            return b""
        value = AnyValue(string_value=text.value.string_value.decode(errors="replace"))
        return KeyValue(key=text.key.decode(errors="replace"), value=value).SerializeToString()
    return attribute

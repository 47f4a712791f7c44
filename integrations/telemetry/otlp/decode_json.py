"""Decode export requests in OTLP/JSON, record by record.

Each record becomes the same message as in protobuf (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
google.protobuf.json_format would read hexadecimal ids as base64, and reject a whole request for one invalid value.
Senders differ: integers are strings or numbers, null attributes are `"value": {}`, enumerations are names or numbers,
and keys are in any case.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any

from opentelemetry.proto.common.v1 import common_pb2

from integrations.telemetry.agents.content import (
    CONTENT_ATTRIBUTES,
    PLACEHOLDERS,
    looks_like_content,
    name_in,
)
from integrations.telemetry.agents.values import MOST_LEVELS, BadRecordError, Value
from integrations.telemetry.otlp.decoded import (
    NO_RECORDED_VALUE,
    STATUS_ERROR,
    DecodedRequest,
    Encoding,
    MetricKind,
    MetricRecord,
    Origin,
    Signal,
    UnreadableRequestError,
)
from integrations.telemetry.otlp.messages import (
    AnyValue,
    ArrayValue,
    EventMessage,
    HistogramDataPoint,
    KeyValue,
    KeyValueList,
    LogRecord,
    NumberDataPoint,
    PointMessage,
    Resource,
    Scope,
    Span,
    Status,
)

Json = Any
_LEVELS = {
    Signal.LOGS: ("resourceLogs", "scopeLogs", "logRecords"),
    Signal.METRICS: ("resourceMetrics", "scopeMetrics", "metrics"),
    Signal.TRACES: ("resourceSpans", "scopeSpans", "spans"),
}
_KINDS = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")
_METRIC_KINDS = {"sum": MetricKind.SUM, "histogram": MetricKind.HISTOGRAM}
_CUMULATIVE = (2, "2", "AGGREGATION_TEMPORALITY_CUMULATIVE")
MOST_OBJECTS = 2_000_000  # including lists: each takes at least 64 bytes in memory
MOST_NANOSECONDS = 2**64 - 1  # the limit of protobuf, in the year 2554
_STATUS = {False: Status(), True: Status(code=Status.STATUS_CODE_ERROR)}
_SNAKE_CASE = {
    name: re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", name)
    for name in (
        *(name for names in _LEVELS.values() for name in names),
        *("timeUnixNano", "observedTimeUnixNano", "startTimeUnixNano", "endTimeUnixNano", "eventName"),
        *("dataPoints", "asDouble", "asInt", "aggregationTemporality", "isMonotonic", "exponentialHistogram"),
        *("traceId", "spanId", "parentSpanId"),
        *("stringValue", "intValue", "doubleValue", "boolValue", "arrayValue", "kvlistValue", "bytesValue"),
    )
}


def origins_in_json(signal: Signal, body: bytes, decoded: DecodedRequest) -> Iterator[tuple[Origin, Iterable[Json]]]:
    """Each resource and scope with its records.  Raises UnreadableRequestError."""
    document = _parsed(body)
    in_document, in_resource, in_scope = _LEVELS[signal]
    for resource in _objects(document, in_document, "The request", decoded):
        for scope in _objects(resource, in_resource, in_document, decoded):
            records = _list(scope, in_scope, in_resource)
            decoded.take(len(records))
            yield JsonOrigin(signal, decoded, resource.get("resource"), scope.get("scope"), records), records


def _parsed(body: bytes) -> Json:
    if body.count(b"{") + body.count(b"[") > MOST_OBJECTS:
        raise UnreadableRequestError(f"A request may have {MOST_OBJECTS:,} objects and lists. Send smaller batches.")
    try:
        return json.loads(body.decode("utf-8-sig", "surrogateescape"))  # invalid UTF-8 only affects its own record
    except RecursionError:
        raise UnreadableRequestError("The JSON is nested too deeply.") from None
    except ValueError as problem:
        where = f" (line {problem.lineno}, column {problem.colno})" if isinstance(problem, json.JSONDecodeError) else ""
        raise UnreadableRequestError(f"The body is not JSON, or it was cut off{where}.") from None


def _list(parent: Json, name: str, where: str) -> list[Json]:
    if not isinstance(parent, dict):
        raise UnreadableRequestError(f"{where} must be a JSON object.")
    elements = _get(parent, name)
    if elements is None:
        return []
    if not isinstance(elements, list):
        raise UnreadableRequestError(f"{name} must be a list.")
    return elements


def _objects(parent: Json, name: str, where: str, decoded: DecodedRequest) -> list[dict[str, Json]]:
    elements = _list(parent, name, where)
    if not all(isinstance(element, dict) for element in elements):
        raise UnreadableRequestError(f"{name} must be a list of objects.")
    decoded.take(len(elements))
    return elements


class JsonOrigin(Origin):
    encoding = Encoding.JSON

    def __init__(
        self, signal: Signal, decoded: DecodedRequest, resource: Json, scope: Json, records: Sequence[Json]
    ) -> None:
        self._resource = resource if isinstance(resource, dict) else {}
        self._scope = scope if isinstance(scope, dict) else {}
        name, version = (_text(self._scope.get(field)).encode(errors="replace") for field in ("name", "version"))
        written = Scope(name=name.decode(), version=version.decode())
        super().__init__(signal, decoded, Resource(attributes=_readable(self._resource)), written, records)

    def record(self, sent: Json) -> EventMessage:
        record = _object(sent)
        attributes = list(_key_values(_attributes(record)))
        if self.signal is Signal.TRACES:
            return Span(
                name=_text(record.get("name")),
                start_time_unix_nano=_nanoseconds(record, "startTimeUnixNano"),
                end_time_unix_nano=_nanoseconds(record, "endTimeUnixNano"),
                trace_id=_id(record, "traceId"),
                span_id=_id(record, "spanId"),
                parent_span_id=_id(record, "parentSpanId"),
                status=_STATUS[_is_failed(record)],
                attributes=attributes,
            )
        return LogRecord(
            time_unix_nano=_nanoseconds(record, "timeUnixNano"),
            observed_time_unix_nano=_nanoseconds(record, "observedTimeUnixNano"),
            event_name=_text(_get(record, "eventName")),
            body=AnyValue(string_value=_body(record)),
            trace_id=_id(record, "traceId"),
            span_id=_id(record, "spanId"),
            attributes=attributes,
        )

    def metric(self, sent: Json) -> MetricRecord:
        metric = _object(sent)
        kind = next((kind for kind in _KINDS if isinstance(_get(metric, kind), dict)), None)
        data = _get(metric, kind) if kind else {}
        points = _get(data, "dataPoints")
        if points is not None and not isinstance(points, list):
            raise BadRecordError("dataPoints must be a list.")
        return MetricRecord(
            _text(metric.get("name")),
            _METRIC_KINDS.get(kind or "", MetricKind.OTHER),
            _get(data, "aggregationTemporality") in _CUMULATIVE,
            points or [],
        )

    def data_point(self, sent: Json, metric: MetricRecord) -> PointMessage:
        point = _object(sent)
        attributes = list(_key_values(_attributes(point)))
        time, start = _nanoseconds(point, "timeUnixNano"), _nanoseconds(point, "startTimeUnixNano")
        if metric.kind is MetricKind.HISTOGRAM:
            histogram = HistogramDataPoint(time_unix_nano=time, start_time_unix_nano=start, attributes=attributes)
            if (total := point.get("sum")) is not None:
                histogram.sum = _real(total, "Its sum")
            return histogram
        number = NumberDataPoint(time_unix_nano=time, start_time_unix_nano=start, attributes=attributes)
        value = next((sent for name in ("asDouble", "asInt") if (sent := _get(point, name)) is not None), None)
        if value is not None:
            number.as_double = _real(value, "Its value")
        elif _get(point, "flags") in (NO_RECORDED_VALUE, str(NO_RECORDED_VALUE)):
            number.flags = NO_RECORDED_VALUE
        return number

    @cached_property
    def _stored_resource(self) -> Json:
        return _without_content(self._resource, [], lambda name, value: not self.vocabulary.is_content(name, value))

    def bytes_of(self, sent: Json) -> bytes:
        try:
            return json.dumps(sent, sort_keys=True, separators=(",", ":")).encode()
        except RecursionError:
            raise UnreadableRequestError("The JSON is nested too deeply.") from None

    def payload(self, sent: Json, metric: MetricRecord | None) -> tuple[bytes, list[str]]:
        dropped: list[str] = []
        stripped = _without_content(sent, dropped, self.may_keep)
        if metric is not None:
            temporality = 2 if metric.is_cumulative else 1
            points: dict[str, Json] = {"dataPoints": [stripped], "aggregationTemporality": temporality}
            if metric.kind is MetricKind.SUM:
                points["isMonotonic"] = True
            stripped = {"name": metric.name, metric.kind.value: points}
        in_document, in_resource, in_scope = _LEVELS[self.signal]
        scope = {"scope": self._scope, in_scope: [stripped]}
        request = {in_document: [{"resource": self._stored_resource, in_resource: [scope]}]}
        return json.dumps(request).encode(), dropped


def _readable(resource: dict[str, Json]) -> Iterator[common_pb2.KeyValue]:
    """A resource's attributes; invalid ones are left out."""
    entries = resource.get("attributes")
    by_name: dict[str, common_pb2.KeyValue] = {}
    for entry in entries if isinstance(entries, list) else ():
        with suppress(BadRecordError, UnicodeError):
            for attribute in _key_values(_named([entry], MOST_LEVELS)):
                by_name[attribute.key] = attribute
    yield from by_name.values()


def _key_values(attributes: Mapping[str, Value]) -> Iterator[common_pb2.KeyValue]:
    return (KeyValue(key=name, value=_any_value(value)) for name, value in attributes.items())


def _any_value(value: Value) -> common_pb2.AnyValue:
    sent = AnyValue()
    match value:
        case bool():
            sent.bool_value = value
        case int():
            sent.int_value = value
        case float():
            sent.double_value = value
        case str():
            sent.string_value = value
        case Mapping():
            sent.kvlist_value.CopyFrom(KeyValueList(values=_key_values(value)))
        case Sequence():
            sent.array_value.CopyFrom(ArrayValue(values=map(_any_value, value)))
    return sent


def _id(record: dict[str, Json], name: str) -> bytes:
    sent = _text(_get(record, name))
    try:
        return bytes.fromhex(sent)
    except ValueError:
        return sent.encode()


def _get(parent: dict[str, Json], name: str) -> Json:
    value = parent.get(name)
    return parent.get(_SNAKE_CASE.get(name, name)) if value is None else value


def _object(sent: Json) -> dict[str, Json]:
    if not isinstance(sent, dict):
        raise BadRecordError("It is not a JSON object.")
    return sent


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _body(record: dict[str, Json]) -> str:
    body = record.get("body")
    return _text(_get(body, "stringValue")) if isinstance(body, dict) else ""


def _nanoseconds(record: dict[str, Json], name: str) -> int:
    """A time, sent as digits or a number; 0 if absent."""
    value = _get(record, name)
    if value is None or value == "":
        return 0
    try:
        nanoseconds = int(value) if isinstance(value, str | int | float) else -1
    except (ValueError, OverflowError):
        nanoseconds = -1
    if nanoseconds < 0 or isinstance(value, bool):
        raise BadRecordError(f"{name} is not a number of nanoseconds.")
    return min(nanoseconds, MOST_NANOSECONDS)


def _real(value: Json, what: str) -> float:
    try:
        return float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except ValueError:
        raise BadRecordError(f"{what} is not a number.") from None
    except OverflowError:
        return math.inf


def _attributes(owner: dict[str, Json]) -> dict[str, Value]:
    entries = owner.get("attributes")
    if entries is None:
        return {}
    if not isinstance(entries, list):
        raise BadRecordError("attributes must be a list.")
    return _named(entries, MOST_LEVELS)


def _named(entries: list[Json], levels: int) -> dict[str, Value]:
    attributes: dict[str, Value] = {}
    for entry in entries:
        if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
            raise BadRecordError("An attribute has no key.")
        attributes[entry["key"]] = _plain(entry.get("value"), levels)
    return attributes


def _plain(value: Json, levels: int) -> Value:
    """An AnyValue as a Python value; null, `{}` and bytes are None."""
    if not value:
        return None
    if not isinstance(value, dict):
        raise BadRecordError("An attribute's value is not an object.")
    kind, plain = next(iter(value.items()))
    read = _VALUES.get(kind)
    return read(plain, levels) if read else None


def _string(value: Json, levels: int) -> Value:
    if not isinstance(value, str | None):
        raise BadRecordError("A stringValue is not text.")
    return value


def _list_value(value: Json, levels: int) -> Value:
    return [_plain(element, levels - 1) for element in _elements(value, levels)]


def _map_value(value: Json, levels: int) -> Value:
    return _named(_elements(value, levels), levels - 1)


def _elements(value: Json, levels: int) -> list[Json]:
    if not levels:
        raise BadRecordError("An attribute is nested too deeply.")
    elements = value.get("values") if isinstance(value, dict) else None
    return elements if isinstance(elements, list) else []


def _integer(value: Json) -> int | float:
    """An integer, sent as a number or digits."""
    try:
        number = int(value) if isinstance(value, str | int) else _real(value, "An intValue")
    except ValueError:
        raise BadRecordError("An intValue is not a number.") from None
    if not -(2**63) <= number < 2**63:
        raise BadRecordError("An intValue does not fit into 64 bits.")
    return number


_VALUES: dict[str, Callable[[Json, int], Value]] = {
    "stringValue": _string,
    "intValue": lambda value, levels: _integer(value),
    "doubleValue": lambda value, levels: _real(value, "A doubleValue"),
    "boolValue": lambda value, levels: value in (True, "true"),
    "arrayValue": _list_value,
    "kvlistValue": _map_value,
}
_VALUES |= {_SNAKE_CASE[name]: read for name, read in _VALUES.items()}


def _without_content(sent: Json, dropped: list[str], may_keep: Callable[[str, Value], bool]) -> Json:
    """The fields of a record that the receiver reads, without content; dropped names are added to `dropped`."""
    if not isinstance(sent, dict):
        return None
    names = ("timeUnixNano", "observedTimeUnixNano", "startTimeUnixNano", "endTimeUnixNano", "eventName", "name")
    stripped: dict[str, Json] = {
        name: value
        for name in (*names, "asDouble", "asInt", "sum", "traceId", "spanId", "parentSpanId")
        if isinstance(value := _get(sent, name), str | int | float) and not looks_like_content(value)
    }
    if name := name_in(_body(sent)):
        stripped["body"] = {"stringValue": name}
    if _is_failed(sent):
        stripped["status"] = {"code": STATUS_ERROR}
    stripped["attributes"] = []
    entries = sent.get("attributes")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        name, sent_value = _text(entry.get("key")), entry.get("value")
        plain: Value = None
        try:
            plain = _plain(sent_value, MOST_LEVELS)
            is_kept = may_keep(name, plain)
        except BadRecordError:  # possibly the reason for the rejection
            is_kept = name not in CONTENT_ATTRIBUTES and _is_short(sent_value)
        if is_kept:
            stripped["attributes"].append({"key": name, "value": sent_value})
        elif plain not in PLACEHOLDERS:
            dropped.append(name)
    return stripped


def _is_failed(span: dict[str, Json]) -> bool:
    status = span.get("status")
    return isinstance(status, dict) and status.get("code") in (STATUS_ERROR, str(STATUS_ERROR), "STATUS_CODE_ERROR")


def _is_short(value: Json) -> bool:
    """Whether an invalid AnyValue is short, such as a word instead of a number."""
    return not isinstance(value, dict) or all(
        isinstance(part, str | int | float | None) and not looks_like_content(part) for part in value.values()
    )

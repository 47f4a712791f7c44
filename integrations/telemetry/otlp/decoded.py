"""A decoded request: rows to store, rejected records, and counts."""

from __future__ import annotations

import functools
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from struct import Struct
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

from integrations.telemetry.agents import vocabulary_of
from integrations.telemetry.agents.content import content_among, is_plain, name_in
from integrations.telemetry.agents.dictionary import learned
from integrations.telemetry.agents.values import Attributes, BadRecordError, Value
from integrations.telemetry.agents.vocabulary import (
    LIBRARY,
    PARENT_SPAN_ID,
    SPAN_DURATION_MS,
    SPAN_FAILED,
    SPAN_ID,
    SPAN_START,
    TRACE_ID,
    UNKNOWN,
    EventRule,
    Vocabulary,
)
from integrations.telemetry.otlp.messages import (
    EventMessage,
    HistogramDataPoint,
    KeyValue,
    PointMessage,
    Span,
    body_of,
    plain_value,
    readable,
    valid,
)
from integrations.telemetry.otlp.session_keys import SessionKey, session_of, unnamed_session_of
from integrations.telemetry.otlp.store_rows import EventRow, PointRow, storable_name, time_at

DIGEST_BYTES = 16
# Limits per request, so that time and memory are linear in its size.  Agents and SDKs send up to 512 records at once,
# collectors some thousands.
MOST_PARTS = 100_000  # records, points, and resources with their attributes in each of their scopes
MOST_RESOURCE_ATTRIBUTES = 1000  # copied to each of its records; programs send some dozens
MOST_REJECTED = 2000
MOST_REJECTED_BYTES = 20 * 1024 * 1024  # each is quarantined with its resource
MOST_NAMED_BY = 10  # events or spans whose names identify the program if the scope's name does not
NO_RECORDED_VALUE = 1  # a flag of DataPointFlags
STATUS_ERROR = 2  # a span's status
QUARTER_OF_AN_HOUR = 900_000_000  # in microseconds: every zone's midnight falls on a quarter
_encoded = KeyValue.SerializeToString
_times = Struct("<QQ").pack


class UnreadableRequestError(ValueError):
    """A body that is not an export request; the message says what is expected."""


class Signal(StrEnum):
    LOGS = "logs"
    METRICS = "metrics"
    TRACES = "traces"


class Encoding(StrEnum):
    PROTOBUF = "protobuf"
    JSON = "json"


class Counted(StrEnum):
    """The subject of a tally."""

    UNREAD = "unread"  # events, metrics and spans that no vocabulary reads
    NOT_KEPT = "not_kept"  # known to a vocabulary, without figures
    DROPPED = "dropped"  # attributes with content


class Tally(NamedTuple):
    counted: Counted
    agent: str
    signal: str  # empty for attributes with content
    name: str
    attribute: str = ""  # the unknown attribute, if the rest of the record is understood


class RejectedRecord(NamedTuple):
    """A record that cannot be stored; `payload` is a request with only this record, without content attributes."""

    signal: Signal
    encoding: Encoding
    digest: bytes
    reason: str
    payload: bytes


@dataclass(slots=True)
class DecodedRequest:
    now: int  # microseconds since 2000
    closed_days: Container[int] = ()  # since 2000: the series of these days are dropped, so points are rejected
    events: list[EventRow] = field(default_factory=list)
    points: list[PointRow] = field(default_factory=list)
    rejected: list[RejectedRecord] = field(default_factory=list)
    counts: Counter[Tally] = field(default_factory=Counter)
    # Counted only if the row with this digest is new: a repeated request must not count its rows again.
    counts_of_rows: list[tuple[bytes, Tally]] = field(default_factory=list)
    sessions_of_traces: dict[str, str] = field(default_factory=dict)  # session ids that records of a trace name
    _parts: int = 0
    _rejected_bytes: int = 0

    def take(self, parts: int) -> None:
        """Count parts of the request.  Raises UnreadableRequestError beyond MOST_PARTS."""
        self._parts += parts
        if self._parts > MOST_PARTS:
            raise UnreadableRequestError(f"A request may have {MOST_PARTS:,} records. Send smaller batches.")

    def reject(self, record: RejectedRecord) -> None:
        """Add a rejected record.  Raises UnreadableRequestError if there are too many."""
        self.rejected.append(record)
        self._rejected_bytes += len(record.payload)
        if len(self.rejected) > MOST_REJECTED or self._rejected_bytes > MOST_REJECTED_BYTES:
            raise UnreadableRequestError(f"Too many records cannot be stored. The first: {self.rejected[0].reason}")


class EventRecord(NamedTuple):
    """A log record or a span."""

    time_unix_nano: int  # 0: none
    name: str
    attributes: Attributes  # known to the vocabulary
    identity: bytes  # identifies it within its origin: times, name, attributes, and a span's ids


class MetricKind(StrEnum):
    SUM = "sum"
    HISTOGRAM = "histogram"  # its sum is read
    OTHER = "other"


class MetricRecord(NamedTuple):
    """A metric with its points, not decoded yet."""

    name: str
    kind: MetricKind
    is_cumulative: bool
    points: Sequence[Any]


class PointRecord(NamedTuple):
    """A point of a sum, or of a histogram with its sum."""

    series: bytes  # identifies its series within the origin
    time_unix_nano: int
    start_time_unix_nano: int  # 0: none
    value: float | None  # None: no recorded value
    attributes: Attributes


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


class Origin(ABC):
    """A resource and one of its scopes, shared by their records.

    A record is identified by its origin, times, name and attributes.  Other fields are left out, so that a record that
    another program resends, which adds defaults or drops unknown fields, is the same record.
    """

    encoding: Encoding

    def __init__(
        self,
        signal: Signal,
        decoded: DecodedRequest,
        resource: resource_pb2.Resource,
        scope: common_pb2.InstrumentationScope,
        records: Sequence[Any],
    ) -> None:
        if len(resource.attributes) > MOST_RESOURCE_ATTRIBUTES:
            raise UnreadableRequestError(f"A resource may have {MOST_RESOURCE_ATTRIBUTES:,} attributes.")
        decoded.take(len(resource.attributes))
        self.signal = signal
        self.decoded = decoded
        own = readable(resource.attributes)
        service = own.get("service.name")
        self.vocabulary: Vocabulary = learned(
            vocabulary_of(
                service if isinstance(service, str) else "",
                scope=scope.name if isinstance(scope.name, str) else "",
                names=self._names(records),
            )
        )
        self.resource: Mapping[str, Value] = self.vocabulary.with_known_names(own)
        library = scope.name or service or ""
        self._library = f"{library} {scope.version}".strip() if isinstance(library, str) else ""
        self._hasher = blake2b(digest_size=DIGEST_BYTES, person=signal.encode())
        for part in (b"".join(map(_encoded, resource.attributes)), _bytes(scope.name), _bytes(scope.version)):
            self._hasher.update(len(part).to_bytes(4, "big"))
            self._hasher.update(part)
        self.rules: dict[str, tuple[str, EventRule]] = {}  # by event name as sent: names repeat
        self._sessions: dict[tuple[Value, ...], SessionKey | None] = {}
        # Cached, because most attributes repeat on every record of a request.
        self._attribute = functools.cache(self._read_attribute)

    @abstractmethod
    def record(self, sent: Any) -> EventMessage:
        """A log record or span as a message.  Raises BadRecordError."""

    @abstractmethod
    def metric(self, sent: Any) -> MetricRecord:
        """A metric.  Raises BadRecordError."""

    @abstractmethod
    def data_point(self, sent: Any, metric: MetricRecord) -> PointMessage:
        """A point of a sum or a histogram as a message.  Raises BadRecordError."""

    @abstractmethod
    def bytes_of(self, sent: Any) -> bytes:
        """The complete record or point, as bytes."""

    @abstractmethod
    def payload(self, sent: Any, metric: MetricRecord | None) -> tuple[bytes, list[str]]:
        """An export request of one record, or of one point of `metric`, without attributes that have content.

        Returned together with the names of those attributes.
        """

    def event(self, record: EventMessage) -> EventRecord:
        """Decode a log record or span.  Raises BadRecordError."""
        own = list(map(_encoded, record.attributes))
        attributes = dict(self.resource)
        attributes.update(map(self._attribute, own))
        body, ids = "", b""
        if isinstance(record, Span):
            ids = record.trace_id + record.span_id  # calls at once may be alike in everything else
            # A span dates its request or call by the end, as a log record does.
            time, other_time = record.end_time_unix_nano, record.start_time_unix_nano
            name = valid(record.name)
        else:
            time, other_time = record.time_unix_nano, record.observed_time_unix_nano
            named = attributes.get("event.name") or valid(record.event_name)
            name = named if isinstance(named, str) else ""
            if not name:
                body = body_of(record)
                name = name_in(body)
        identity = _times(time, other_time) + (name or body).encode() + b"\x00" + b"".join(own) + ids
        if self.vocabulary.reads_span_context:
            attributes.update(_context(record))
        if self.vocabulary.counts_differ:
            attributes[LIBRARY] = self._sender(attributes)
        return EventRecord(time or other_time, name, attributes, identity)

    def _sender(self, attributes: Attributes) -> str:
        """The sender of the counts: the library, its version, and other attributes that distinguish ways of
        counting.
        """
        others = [value for key in self.vocabulary.sender_keys if isinstance(value := attributes.get(key), str)]
        return f"{self._library} ({', '.join(others)})" if others else self._library

    def point(self, point: PointMessage, metric: MetricRecord) -> PointRecord:
        """Decode a point.  Raises BadRecordError."""
        own = list(map(_encoded, point.attributes))
        attributes = dict(self.resource)
        attributes.update(map(self._attribute, own))
        value = None
        if isinstance(point, HistogramDataPoint):
            if point.HasField("sum"):
                value = point.sum
        elif point.HasField("as_double"):
            value = point.as_double
        elif point.HasField("as_int"):
            value = float(point.as_int)
        elif not point.flags & NO_RECORDED_VALUE:
            raise BadRecordError("It has no value.")
        series = metric.name.encode() + b"\x00" + b"".join(own)
        return PointRecord(series, point.time_unix_nano, point.start_time_unix_nano, value, attributes)

    def _names(self, records: Sequence[Any]) -> Iterator[str]:
        """The names of metrics, or of some records in whichever field they are sent, and the names of spans'
        attributes.
        """
        for sent in records if self.signal is Signal.METRICS else records[:MOST_NAMED_BY]:
            with suppress(BadRecordError, UnicodeError):
                if self.signal is Signal.METRICS:
                    yield self.metric(sent).name
                    continue
                record = self.record(sent)
                if isinstance(record, Span):
                    yield valid(record.name)
                    yield from (valid(attribute.key) for attribute in record.attributes)
                    continue
                for attribute in record.attributes:
                    if attribute.key == "event.name":
                        yield valid(attribute.value.string_value)
                yield valid(record.event_name)
                yield body_of(record)

    def _read_attribute(self, encoded: bytes) -> tuple[str, Value]:
        """The mapped name of an attribute, and its value.

        Known but unused attributes get an empty name, unknown ones `UNKNOWN`; invalid values of either are ignored.
        """
        attribute = KeyValue.FromString(encoded)
        name = attribute.key
        if name in self.vocabulary.looked_at:
            return name, plain_value(attribute.value)
        try:
            name, value = valid(name), plain_value(attribute.value)
        except BadRecordError:
            return "", None
        if name in self.vocabulary.attribute_means:
            return self.vocabulary.attribute_means[name], value
        return ("", None) if value is None or self.knows(name) else (UNKNOWN, None)

    def knows(self, name: str) -> bool:
        """Whether an attribute is known, either to the vocabulary or because it repeats one of the resource."""
        return self.vocabulary.knows(name) or name in self.resource

    def may_keep(self, name: str, value: Value) -> bool:
        """Whether an attribute may be stored: not if it is content, or text under an unknown name."""
        return not self.vocabulary.is_content(name, value) and (self.knows(name) or is_plain(name, value))

    def unknown_among(self, own: Mapping[str, Value]) -> Iterator[str]:
        """The unknown attributes of a record that have a value."""
        return (name for name, value in own.items() if value is not None and not self.knows(name))

    def digest(self, identity: bytes) -> bytes:
        """The digest that identifies a record of this origin, independent of batching, order and repetition."""
        hasher = self._hasher.copy()
        hasher.update(identity)
        return hasher.digest()

    def session(self, attributes: Attributes) -> SessionKey | None:
        """The session of a record; None if it names none.  Raises BadRecordError."""
        named = tuple(map(attributes.get, self.vocabulary.naming))
        return self._cached_session(named, lambda: session_of(attributes, self.vocabulary))

    def unnamed_session(self, attributes: Attributes, at: int) -> SessionKey | None:
        """The substitute session of a record that names none; None for programs without a vocabulary, which have none.

        `at` is in microseconds since 2000.  Raises BadRecordError.
        """
        if self.vocabulary.is_generic:
            return None
        quarter = at // QUARTER_OF_AN_HOUR
        named = (quarter, *map(attributes.get, self.vocabulary.naming))

        def read() -> SessionKey:
            day = time_at(quarter * QUARTER_OF_AN_HOUR).astimezone(ZoneInfo(settings.TIME_ZONE)).date()
            return unnamed_session_of(attributes, self.vocabulary, day)

        return self._cached_session(named, read)

    def _cached_session(self, named: tuple[Value, ...], read: Callable[[], SessionKey | None]) -> SessionKey | None:
        try:
            return self._sessions[named]
        except KeyError:
            session = self._sessions[named] = read()
            return session
        except TypeError:  # a list or an object where a text is expected
            return read()

    def count(self, counted: Counted, name: str, times: int = 1) -> None:
        """Count something that is not stored."""
        self.decoded.counts[self.tally(counted, name)] += times

    def count_with_row(self, digest: bytes, counted: Counted, name: str, attribute: str = "") -> None:
        """Count something of a row, but only if the row is new."""
        self.decoded.counts_of_rows.append((digest, self.tally(counted, name, attribute)))

    def count_content_of_resource(self) -> None:
        """Count dropped attributes of the resource, once per request."""
        for name in content_among(self.resource):
            self.count(Counted.DROPPED, name)

    def tally(self, counted: Counted, name: str, attribute: str = "") -> Tally:
        signal = "" if counted is Counted.DROPPED else self.signal
        return Tally(
            counted, self.vocabulary.agent, signal, storable_name(name), attribute and storable_name(attribute)
        )

    def reject(self, sent: Any, problem: ValueError, metric: MetricRecord | None = None) -> None:
        """Put a record, or a point of `metric`, into quarantine."""
        identity = self.bytes_of(sent)
        if metric is not None:
            identity = metric.name.encode(errors="replace") + b"\x00" + identity
        elif self.signal is not Signal.METRICS:
            with suppress(BadRecordError, UnicodeError):  # the identity that its row will get on replay
                identity = self.event(self.record(sent)).identity
        payload, dropped = self.payload(sent, metric)
        for name in dropped:
            self.count(Counted.DROPPED, name)
        reason = "Its text is not valid Unicode." if isinstance(problem, UnicodeError) else str(problem)
        self.decoded.reject(RejectedRecord(self.signal, self.encoding, self.digest(identity), reason, payload))


def _context(record: EventMessage) -> Iterator[tuple[str, Value]]:
    yield TRACE_ID, record.trace_id.hex()
    yield SPAN_ID, record.span_id.hex()
    if isinstance(record, Span):
        yield PARENT_SPAN_ID, record.parent_span_id.hex()
        start, end = record.start_time_unix_nano, record.end_time_unix_nano
        if 0 < start <= end:
            yield SPAN_START, start
            yield SPAN_DURATION_MS, round((end - start) / 1_000_000)
        if record.status.code == STATUS_ERROR:
            yield SPAN_FAILED, True

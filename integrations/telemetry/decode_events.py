"""Log records and spans: each becomes one row of integrations_agent_event, or is only counted."""

from __future__ import annotations

import json as json_text

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from integrations.telemetry import store_rows
from integrations.telemetry.content import CONTENT_ATTRIBUTES, PLACEHOLDERS, drop_content
from integrations.telemetry.decode_reading import LONGEST_NAME, Counted, Origin, Reading, Signal, Tally
from integrations.telemetry.decode_values import BadRecord, amount_of, count_of, key_of, text_of, time_of
from integrations.telemetry.events import EventKind
from integrations.telemetry.quarantine_payloads import reject
from integrations.telemetry.sightings import session_of
from integrations.telemetry.store_rows import EventRow
from integrations.telemetry.vocabularies.vocabulary import Event, EventReading, NotKept

LONGEST_KEY = 200
LONGEST_WORD = 120  # models, tools and error types; longer ones are cut
MOST_ATTRIBUTE_BYTES = 16_384  # of an event that nobody reads yet


def read_logs(request: ExportLogsServiceRequest, reading: Reading) -> None:
    for resource_logs in request.resource_logs:
        for scope_logs in resource_logs.scope_logs:
            origin = Origin(resource_logs.resource, scope_logs.scope, Signal.LOGS)
            origin.count_dropped(reading)
            for record in scope_logs.log_records:
                digest = origin.digest(record.SerializeToString(deterministic=True))
                try:
                    at = time_of(record.time_unix_nano, record.observed_time_unix_nano, reading.now)
                    _read_record(record, at, digest, origin, reading)
                except BadRecord as problem:
                    reject(Signal.LOGS, record, digest, str(problem), origin, reading)


def read_traces(request: ExportTraceServiceRequest, reading: Reading) -> None:
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            origin = Origin(resource_spans.resource, scope_spans.scope, Signal.TRACES)
            origin.count_dropped(reading)
            for span in scope_spans.spans:
                digest = origin.digest(span.SerializeToString(deterministic=True))
                try:
                    # A span tells of its request or call when it is over, as a log record of the same does.
                    at = time_of(span.end_time_unix_nano, span.start_time_unix_nano, reading.now)
                    _read(
                        span,
                        span.name,
                        origin.vocabulary.spans.get(span.name),
                        Signal.TRACES,
                        at,
                        digest,
                        origin,
                        reading,
                    )
                except BadRecord as problem:
                    reject(Signal.TRACES, span, digest, str(problem), origin, reading)


def _read_record(record: LogRecord, at: int, digest: bytes, origin: Origin, reading: Reading) -> None:
    name = ""
    for attribute in record.attributes:
        if attribute.key == "event.name":
            name = attribute.value.string_value
            break
    if not name:
        name = record.event_name or record.body.string_value
    name = name.removeprefix(origin.vocabulary.event_prefix)
    _read(record, name, origin.vocabulary.events.get(name), Signal.LOGS, at, digest, origin, reading)


def _read(
    record: LogRecord | Span,
    name: str,
    event: EventReading | None,
    signal: Signal,
    at: int,
    digest: bytes,
    origin: Origin,
    reading: Reading,
) -> None:
    attributes: dict[str, AnyValue] = {
        **origin.attributes,
        **{attribute.key: attribute.value for attribute in record.attributes},
    }
    agent = origin.vocabulary.agent
    if event is None:
        _keep_unread(record, name, signal, at, digest, attributes, origin, reading)
        return
    if not CONTENT_ATTRIBUTES.isdisjoint(attributes):
        for key in CONTENT_ATTRIBUTES & attributes.keys() - origin.attributes.keys():
            if attributes[key].string_value not in PLACEHOLDERS:
                reading.counts_of_rows.append((digest, Tally(Counted.DROPPED, agent, "", key)))
    if callable(event):
        event = event(attributes)
    if isinstance(event, NotKept):
        reading.counts[Tally(Counted.NOT_KEPT, agent, signal, name)] += 1
        return
    session = session_of(attributes, origin.vocabulary)
    reading.events.append(EventRow(at, digest, session, event.kind, _figures(name, event, attributes)))


def _figures(name: str, event: Event, attributes: dict[str, AnyValue]) -> bytes:
    def value(attribute: str | None) -> AnyValue | None:
        return attributes.get(attribute) if attribute else None

    return b"".join(
        (
            store_rows.text(name),
            store_rows.text(key_of(value(event.key), event.key or "", LONGEST_KEY)),
            store_rows.text(text_of(value(event.model), event.model or "", LONGEST_WORD)),
            store_rows.text(text_of(value(event.tool), event.tool or "", LONGEST_WORD)),
            store_rows.text(event.outcome(attributes) if event.outcome else ""),
            store_rows.text(text_of(value(event.error_type), event.error_type or "", LONGEST_WORD)),
            store_rows.whole(count_of(value(event.input_tokens), event.input_tokens or "")),
            store_rows.whole(count_of(value(event.cache_read_tokens), event.cache_read_tokens or "")),
            store_rows.whole(count_of(value(event.cache_write_tokens), event.cache_write_tokens or "")),
            store_rows.whole(count_of(value(event.output_tokens), event.output_tokens or "")),
            store_rows.whole(count_of(value(event.duration_ms), event.duration_ms or "")),
            store_rows.money(amount_of(value(event.reported_cost), event.reported_cost or "")),
            store_rows.json(None),
        )
    )


def _keep_unread(
    record: LogRecord | Span,
    name: str,
    signal: Signal,
    at: int,
    digest: bytes,
    attributes: dict[str, AnyValue],
    origin: Origin,
    reading: Reading,
) -> None:
    """An event that no vocabulary reads: kept with its attributes, content left out, for the vocabulary to come."""
    agent = origin.vocabulary.agent
    name = name.replace("\x00", "")[:LONGEST_NAME] or "(unnamed)"
    session = session_of(attributes, origin.vocabulary)
    kept = list(record.attributes)
    for dropped in drop_content(kept):
        reading.counts_of_rows.append((digest, Tally(Counted.DROPPED, agent, "", dropped[:LONGEST_NAME])))
    plain = json_text.dumps({entry.key: plain_value(entry.value) for entry in kept}, ensure_ascii=False).encode()
    if b"\\u0000" in plain:
        raise BadRecord("An attribute contains a NUL character.")
    if len(plain) > MOST_ATTRIBUTE_BYTES:
        raise BadRecord(f"Its attributes take more than {MOST_ATTRIBUTE_BYTES} bytes.")
    figures = b"".join(
        (
            store_rows.text(name),
            *(store_rows.text(""),) * 5,
            *(store_rows.whole(None),) * 5,
            store_rows.money(None),
            store_rows.json(plain),
        )
    )
    reading.events.append(EventRow(at, digest, session, EventKind.UNREAD, figures))
    reading.counts_of_rows.append((digest, Tally(Counted.UNREAD, agent, signal, name)))


def plain_value(value: AnyValue) -> object:
    """The value as JSON has it; numbers that JSON has not (NaN, infinities) as words."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [plain_value(element) for element in value.array_value.values]
    if kind == "kvlist_value":
        return {entry.key: plain_value(entry.value) for entry in value.kvlist_value.values}
    if kind is None or kind == "bytes_value":
        return None
    plain = getattr(value, kind)
    if kind == "double_value" and not -1e308 < plain < 1e308:
        return str(plain)
    return plain

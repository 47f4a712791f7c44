"""Log records and spans: each becomes one row of integrations_agent_event, or is only counted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from integrations.telemetry import store_rows
from integrations.telemetry.content import CONTENT_ATTRIBUTES, PLACEHOLDERS, is_content
from integrations.telemetry.decode_figures import LONGEST_WORD, figures_of, unread_figures, with_attributes
from integrations.telemetry.decode_reading import Counted, EventRecord, Origin, Signal, storable_name
from integrations.telemetry.decode_values import BadRecordError, Value, first_text_of, time_of
from integrations.telemetry.events import EventKind
from integrations.telemetry.sightings import SessionKey
from integrations.telemetry.store_rows import EventRow, PointRow
from integrations.telemetry.vocabularies.vocabulary import (
    NOT_KEPT,
    SPAN_START,
    TRACE_ID,
    EventChoice,
    EventReading,
    NotKept,
)

MOST_ATTRIBUTE_BYTES = 16_384  # of an event that nobody reads yet


def read_events(origin: Origin, records: Iterable[Any]) -> None:
    """Read log records or spans; those that cannot be stored go into quarantine, alone."""
    for sent in records:
        try:
            _read_event(origin, sent)
        except (BadRecordError, UnicodeError) as problem:
            origin.reject(sent, problem)


def _read_event(origin: Origin, sent: Any) -> None:
    record = origin.event(sent)
    at = time_of(record.time_unix_nano, origin.reading.now)
    vocabulary = origin.vocabulary
    name, event = _meaning(origin, record)
    if event is None:
        _keep_unread(origin, sent, record, name, at)
        return
    digest = origin.digest(record.identity)
    if not CONTENT_ATTRIBUTES.isdisjoint(record.attributes):
        _count_content(origin, record, digest, is_kept=not isinstance(event, NotKept))
    if isinstance(event, NotKept):
        origin.count(Counted.NOT_KEPT, name)
        return
    figures = figures_of(name, event, record.attributes)
    if event.tells and event.tells.isdisjoint(record.attributes):
        # It counts by other words than are known: its attributes are kept, to be read later.
        origin.count_with_row(digest, Counted.UNREAD, name)
        figures = with_attributes(figures, _kept_attributes(origin, sent, digest))
    session = origin.session(record.attributes)
    if session is None and vocabulary.trace_is_session:
        session = _session_of_trace(origin, record)
    if event.increments is not None and session is not None:
        model = first_text_of(record.attributes, event.model, LONGEST_WORD)
        for measure, amount in tuple(event.increments(record.attributes)):
            series = origin.digest(measure.encode() + b"\x00" + record.identity)
            labels = store_rows.text(measure) + store_rows.text(model)
            origin.reading.points.append(PointRow(at, series, at, session, False, labels, float(amount)))
    if event.at_start and isinstance(start := record.attributes.get(SPAN_START), int):
        at = time_of(start, origin.reading.now)
    origin.reading.events.append(EventRow(at, digest, session, event.kind, figures))


def _meaning(origin: Origin, record: EventRecord) -> tuple[str, EventReading | None]:
    """The event's name as its vocabulary has it, and what it is; None where no vocabulary reads it."""
    vocabulary, name = origin.vocabulary, record.name
    event: EventReading | EventChoice | None
    if origin.signal is Signal.LOGS:
        name = name.removeprefix(vocabulary.event_prefix)
        event = vocabulary.events.get(name)
    else:
        event = vocabulary.spans.get(name)
        if event is None and vocabulary.unlisted_spans_not_kept:
            event = NOT_KEPT
    if event is None and vocabulary.unlisted is not None:
        event = vocabulary.unlisted(record.attributes)
    return name, event(record.attributes) if callable(event) else event


def _session_of_trace(origin: Origin, record: EventRecord) -> SessionKey | None:
    trace = record.attributes.get(TRACE_ID)
    return origin.session({**record.attributes, origin.vocabulary.session_keys[0]: trace}) if trace else None


def _count_content(origin: Origin, record: EventRecord, digest: bytes, *, is_kept: bool) -> None:
    for name in CONTENT_ATTRIBUTES & record.attributes.keys() - origin.resource.keys():
        if record.attributes[name] in PLACEHOLDERS:
            continue
        if is_kept:
            origin.count_with_row(digest, Counted.DROPPED, name)
        else:
            origin.count(Counted.DROPPED, name)


def _keep_unread(origin: Origin, sent: Any, record: EventRecord, name: str, at: int) -> None:
    """An event that no vocabulary reads: kept with its attributes, content left out, for the vocabulary to come."""
    digest = origin.digest(record.identity)
    name = storable_name(name)
    encoded = _kept_attributes(origin, sent, digest, dropped=True)
    session = origin.session(record.attributes)
    origin.reading.events.append(EventRow(at, digest, session, EventKind.UNREAD, unread_figures(name, encoded)))
    origin.count_with_row(digest, Counted.UNREAD, name)


def _kept_attributes(origin: Origin, sent: Any, digest: bytes, *, dropped: bool = False) -> bytes:
    """All attributes but content, as JSON; `dropped` counts what of content was left out."""
    kept: dict[str, Value] = {}
    for attribute, value in origin.all_attributes(sent).items():
        if is_content(attribute, value):
            if dropped and value not in PLACEHOLDERS:
                origin.count_with_row(digest, Counted.DROPPED, attribute)
        else:
            kept[attribute] = _storable(value)
    encoded = json.dumps(kept, ensure_ascii=False).encode()
    if b"\\u0000" in encoded:
        raise BadRecordError("An attribute contains a NUL character.")
    if len(encoded) > MOST_ATTRIBUTE_BYTES:
        raise BadRecordError(f"Its attributes take more than {MOST_ATTRIBUTE_BYTES:,} bytes.")
    return encoded


def _storable(value: Value) -> Value:
    """The value as JSON can have it: NaN and infinities, which it has not, as words."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {name: _storable(element) for name, element in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_storable(element) for element in value]
    return value

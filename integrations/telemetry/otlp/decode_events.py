"""Decode log records and spans: each becomes a row of integrations_agent_event, or is only counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from integrations.telemetry.agents.content import CONTENT_ATTRIBUTES, PLACEHOLDERS
from integrations.telemetry.agents.events import EventKind
from integrations.telemetry.agents.gen_ai import tokens_in_metadata
from integrations.telemetry.agents.place import commit_in_parameters
from integrations.telemetry.agents.values import Attributes, BadRecordError, BadSumError, time_of
from integrations.telemetry.agents.vocabulary import (
    INCOMPLETE,
    NOT_KEPT,
    NOTHING,
    SPAN_DURATION_MS,
    SPAN_START,
    TRACE_ID,
    UNKNOWN,
    Event,
    EventReading,
    EventRule,
    NotKept,
    Vocabulary,
)
from integrations.telemetry.otlp.decode_figures import figures_of, model_of
from integrations.telemetry.otlp.decode_unread import Unread
from integrations.telemetry.otlp.decoded import DIGEST_BYTES, Counted, EventRecord, Origin, Signal
from integrations.telemetry.otlp.messages import EventMessage
from integrations.telemetry.otlp.session_keys import SessionKey
from integrations.telemetry.otlp.store_rows import EventRow, Figures, PointRow, storable_name

_MAY_COUNT = re.compile(r"token|usage|count|input|prompt", re.IGNORECASE)  # names of figures

MICROSECONDS_OF_A_MILLISECOND = 1000


def read_events(origin: Origin, records: Iterable[Any]) -> None:
    """Decode log records or spans; invalid ones go into quarantine one by one.

    A record without a session belongs to the session of its trace, which a later record may name, so it is read last.
    """
    last = []
    for sent in records:
        try:
            record = origin.event(message := origin.record(sent))
            if origin.vocabulary.trace_is_session and not _note_trace(origin, record):
                last.append(sent)
            else:
                _read_event(origin, message, record)
        except (BadRecordError, UnicodeError) as problem:
            origin.reject(sent, problem)
    for sent in last:
        try:
            _read_event(origin, message := origin.record(sent), origin.event(message))
        except (BadRecordError, UnicodeError) as problem:
            origin.reject(sent, problem)


def _note_trace(origin: Origin, record: EventRecord) -> bool:
    """Remember the session of a record for others of its trace; returns whether it names one."""
    session = origin.session(record.attributes)
    if session is not None and isinstance(trace := record.attributes.get(TRACE_ID), str) and trace:
        origin.decoded.sessions_of_traces.setdefault(trace, session.external_id)
    return session is not None


def _read_event(origin: Origin, message: EventMessage, record: EventRecord) -> None:
    if told := {**commit_in_parameters(record.attributes), **tokens_in_metadata(record.attributes)}:
        record = record._replace(attributes={**record.attributes, **told})
    at = time_of(record.time_unix_nano, origin.decoded.now)
    attributes = record.attributes
    known = origin.rules.get(record.name)
    if known is None:
        known = origin.rules[record.name] = event_rule(origin.vocabulary, origin.signal, record.name)
    name, rule = known
    event = rule(attributes) if callable(rule) else rule
    digest = origin.digest(record.identity)
    if not CONTENT_ATTRIBUTES.isdisjoint(attributes):
        _count_content(origin, record, digest, is_kept=_is_kept(event, attributes))
    session = origin.session(attributes)
    if session is None or UNKNOWN in attributes or not isinstance(event, Event):
        read = _read_in_part(origin, record, event, session, at)
        if isinstance(read, NotKept):
            origin.count(Counted.NOT_KEPT, name)
            return
        event, session = read
        unread = Unread(origin, message, attributes, digest)
        figures = None
        if event is not None and session is not None:
            figures = _figures_with_unread(unread, name, event, attributes, with_author=session.is_unnamed)
        if event is None or session is None or figures is None:
            figures = _unread_figures(unread, name, session)
            origin.decoded.events.append(EventRow(at, digest, session, EventKind.UNREAD, figures))
            return
    else:
        figures = figures_of(name, event, attributes)
        if event.expects and event.expects.isdisjoint(attributes):
            figures = (
                _figures_with_unread(Unread(origin, message, attributes, digest), name, event, attributes) or figures
            )
    if event.at_start:
        at = time_of_event(event, attributes, at, origin.decoded.now)
    if event.increments is not None:
        origin.decoded.points.extend(increments_of(event, attributes, at, digest, session))
    origin.decoded.events.append(EventRow(at, digest, session, event.kind, figures))


def _is_kept(event: EventReading | None, attributes: Attributes) -> bool:
    return not isinstance(event, NotKept) or (event is INCOMPLETE and UNKNOWN in attributes)


def _read_in_part(
    origin: Origin, record: EventRecord, event: EventReading | None, session: SessionKey | None, at: int
) -> NotKept | tuple[Event | None, SessionKey | None]:
    """The event rule and session of a record that is not fully understood; None for what is unknown."""
    if isinstance(event, NotKept):
        return (None, session) if _is_kept(event, record.attributes) else event
    if session is None and event is not None and origin.vocabulary.trace_is_session:
        session = _session_of_trace(origin, record)
    if session is None and event is not None:
        session = origin.unnamed_session(record.attributes, at)
    if session is not None and session.is_process and UNKNOWN in record.attributes:
        session = None  # its conversation may be in an unknown attribute
    return event, session


def _figures_with_unread(
    unread: Unread, name: str, event: Event, attributes: Attributes, *, with_author: bool = False
) -> Figures | None:
    """The columns of an event with its other attributes; unknown ones are listed as unread.

    None if a sum does not add up, because a part may have an unknown name.
    """
    try:
        figures = figures_of(name, event, attributes)
    except BadSumError:
        if not unread.unknown:
            raise
        return None
    if figures.sender and not figures.subtracted_tokens and any(map(_MAY_COUNT.search, unread.unknown)):
        return None  # the rest of its input may have that name, rather than its sender count apart
    lacks_figures = bool(event.expects) and event.expects.isdisjoint(attributes)
    if not (lacks_figures or unread.unknown):
        return figures
    unread.list(name, as_a_whole=lacks_figures)
    return figures._replace(attributes=unread.attributes_to_store(with_author=with_author))


def meaning(
    vocabulary: Vocabulary, signal: Signal, name: str, attributes: Attributes
) -> tuple[str, EventReading | None]:
    """The normalised event name and its rule; None if no vocabulary reads it."""
    name, rule = event_rule(vocabulary, signal, name)
    return name, rule(attributes) if callable(rule) else rule


def event_rule(vocabulary: Vocabulary, signal: Signal, name: str) -> tuple[str, EventRule]:
    """The normalised event name and the rule for that name, before looking at attributes."""
    if signal is Signal.LOGS:
        name = name.removeprefix(vocabulary.event_prefix)
    if vocabulary.name_means:
        name = vocabulary.name_means.get(name, name)
        if name == NOTHING:
            return name, NOT_KEPT
    rule: EventRule
    if signal is Signal.LOGS:
        rule = vocabulary.events.get(name)
    else:
        rule = vocabulary.spans.get(name)
        if rule is None and vocabulary.drops_unlisted:
            rule = NOT_KEPT
    return name, vocabulary.unlisted if rule is None else rule


def increments_of(
    event: Event, attributes: Attributes, at: int, digest: bytes, session: SessionKey
) -> Iterator[PointRow]:
    """Metric points for measures without an event column; deterministic, so that reprocessing yields the same points.

    They cover the time of a span up to its end, even if its event is at its start.
    """
    if event.increments is None:
        return
    until = at
    if event.at_start and isinstance(duration := attributes.get(SPAN_DURATION_MS), int):
        until += (duration + 1) * MICROSECONDS_OF_A_MILLISECOND  # durations are rounded
    model = model_of(event, attributes)
    for measure, amount in tuple(event.increments(attributes)):
        series = blake2b(measure.encode() + digest, digest_size=DIGEST_BYTES).digest()
        yield PointRow(until, series, at, session, False, measure, model, float(amount))


def time_of_event(event: Event, attributes: Attributes, at: int, now: int) -> int:
    """The time of an event: the end of a span, or its start.  Raises BadRecordError."""
    if event.at_start and isinstance(start := attributes.get(SPAN_START), int):
        return time_of(start, now)
    return at


def _session_of_trace(origin: Origin, record: EventRecord) -> SessionKey | None:
    trace = record.attributes.get(TRACE_ID)
    if not isinstance(trace, str) or not trace:
        return None
    session = origin.decoded.sessions_of_traces.get(trace, trace)
    return origin.session({**record.attributes, origin.vocabulary.session_keys[0]: session})


def _count_content(origin: Origin, record: EventRecord, digest: bytes, *, is_kept: bool) -> None:
    for name in CONTENT_ATTRIBUTES & record.attributes.keys() - origin.resource.keys():
        if record.attributes[name] in PLACEHOLDERS:
            continue
        if is_kept:
            origin.count_with_row(digest, Counted.DROPPED, name)
        else:
            origin.count(Counted.DROPPED, name)


def _unread_figures(unread: Unread, name: str, session: SessionKey | None) -> Figures:
    """An event without a rule or a session: stored for a later vocabulary."""
    name = storable_name(name)
    unread.list(name, as_a_whole=True)
    return Figures(name, attributes=unread.attributes_to_store(with_author=session is None))

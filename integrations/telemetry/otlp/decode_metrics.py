"""Decode metric points: those with a rule become rows of integrations_agent_point, others are counted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, NamedTuple

from integrations.telemetry.agents.events import EventKind, Measure
from integrations.telemetry.agents.values import (
    LARGEST_COUNT,
    Attributes,
    BadRecordError,
    Value,
    first_text_of,
    text_of,
    time_of,
)
from integrations.telemetry.agents.vocabulary import NOT_KEPT, NOTHING, UNKNOWN, Metric, NotKept, Vocabulary
from integrations.telemetry.otlp.decode_figures import LONGEST_WORD
from integrations.telemetry.otlp.decode_unread import (
    IS_CUMULATIVE,
    IS_HISTOGRAM,
    IS_READ,
    SERIES,
    START,
    VALUE,
    Unread,
)
from integrations.telemetry.otlp.decoded import (
    DIGEST_BYTES,
    Counted,
    MetricKind,
    MetricRecord,
    Origin,
    PointRecord,
)
from integrations.telemetry.otlp.messages import PointMessage
from integrations.telemetry.otlp.session_keys import SessionKey
from integrations.telemetry.otlp.store_partitions import day_number
from integrations.telemetry.otlp.store_rows import EventRow, Figures, PointRow, storable_name
from integrations.telemetry.prices.sellers import local_server, sold_name

_KIND = {False: MetricKind.SUM, True: MetricKind.HISTOGRAM}


def read_metrics(origin: Origin, records: Iterable[Any]) -> None:
    """Decode metrics; invalid points go into quarantine one by one."""
    for sent in records:
        try:
            metric = origin.metric(sent)
        except BadRecordError as problem:
            origin.reject(sent, problem)
            continue
        origin.decoded.take(len(metric.points))
        rule = metric_rule(origin.vocabulary, metric.name)
        if not isinstance(rule, NotKept) and not _may_be_read(metric, rule):
            origin.count(Counted.UNREAD, metric.name, len(metric.points) or 1)
        elif isinstance(rule, NotKept):
            origin.count(Counted.NOT_KEPT, metric.name, len(metric.points))
        else:
            for point in metric.points:
                try:
                    _read_point(origin, origin.data_point(point, metric), metric, rule)
                except (BadRecordError, UnicodeError) as problem:
                    origin.reject(point, problem, metric)


def metric_rule(vocabulary: Vocabulary, name: str) -> Metric | NotKept | None:
    """The rule for a metric; None if no vocabulary reads it."""
    name = vocabulary.name_means.get(name, name)
    rule = vocabulary.metrics.get(name)
    if name == NOTHING or (rule is None and vocabulary.drops_unlisted):
        return NOT_KEPT
    return rule


def _may_be_read(metric: MetricRecord, rule: Metric | None) -> bool:
    """Whether a metric may be a count, judging by its kind and name."""
    if metric.kind is MetricKind.HISTOGRAM:
        return rule is not None or "token" in metric.name  # other histograms measure durations
    return metric.kind is MetricKind.SUM


class _Point(NamedTuple):
    """A point: its time, series and value."""

    at: int
    series: bytes
    start: int
    value: float


def _read_point(origin: Origin, message: PointMessage, metric: MetricRecord, rule: Metric | None) -> None:
    point = origin.point(message, metric)
    session = origin.session(point.attributes)
    if rule is not None and metric.kind is not _KIND[rule.is_histogram]:
        rule = None
    measure = measure_of(rule, point.attributes)
    if isinstance(measure, NotKept) or point.value is None:
        origin.count(Counted.NOT_KEPT if session else Counted.UNREAD, metric.name)
        return
    has_unknown = UNKNOWN in point.attributes
    if session is None and rule is not None and origin.vocabulary.points_need_session:
        origin.count(Counted.NOT_KEPT, metric.name)
        return
    if session is None and (origin.vocabulary.is_generic or (rule is None and not has_unknown)):
        origin.count(Counted.UNREAD, metric.name)  # it cannot be assigned to anybody
        return
    sent_point = _checked(origin, metric, point, point.value)
    if session is None and not has_unknown:  # otherwise its session may be in an unknown attribute
        session = origin.unnamed_session(point.attributes, sent_point.at)
    if rule is None or measure is None or session is None or has_unknown:
        is_read = rule is not None and measure is not None and session is not None
        _keep_unread(
            origin,
            Unread(origin, message, point.attributes, _unread_digest(sent_point)),
            metric,
            sent_point,
            session,
            is_read=is_read,
        )
    if rule is not None and measure is not None and session is not None:
        model = model_of_point(rule, point.attributes)
        at, series, start, value = sent_point
        origin.decoded.points.append(PointRow(at, series, start, session, metric.is_cumulative, measure, model, value))


def measure_of(rule: Metric | None, attributes: Attributes) -> Measure | NotKept | None:
    """The measure of a point; None if the vocabulary does not define it."""
    if rule is None:
        return None
    if rule.attribute and (picked := text_of(attributes.get(rule.attribute), rule.attribute, LONGEST_WORD)):
        return rule.measures[picked] or NOT_KEPT if picked in rule.measures else None
    return rule.otherwise


def model_of_point(rule: Metric, attributes: Attributes) -> str:
    """The model's name as sent, with its seller if only an attribute names the seller."""
    model = first_text_of(attributes, rule.model, LONGEST_WORD)
    seller = local_server(attributes.get("server.port")) or first_text_of(attributes, rule.seller, LONGEST_WORD)
    return sold_name(model, seller) if model else model


def _checked(origin: Origin, metric: MetricRecord, point: PointRecord, value: float) -> _Point:
    """Validate time and value.  Raises BadRecordError."""
    at = time_of(point.time_unix_nano, origin.decoded.now)
    if day_number(at) in origin.decoded.closed_days:
        raise BadRecordError("The raw telemetry of its day has expired: it can no longer be put into its series.")
    # Points of a cumulative counter without a start belong together: their start is the epoch.
    start = 0 if metric.is_cumulative else at
    if point.start_time_unix_nano:
        start = time_of(point.start_time_unix_nano, origin.decoded.now)
    if start > at:
        raise BadRecordError("It starts after its own time.")
    return _Point(at, origin.digest(point.series), start, _counted(value))


def _unread_digest(point: _Point) -> bytes:
    identity = point.series + point.start.to_bytes(8, "big")
    return blake2b(identity, digest_size=DIGEST_BYTES, person=b"unread point").digest()


def _keep_unread(
    origin: Origin, unread: Unread, metric: MetricRecord, point: _Point, session: SessionKey | None, *, is_read: bool
) -> None:
    """Store a point that is not fully understood as an event, for a later vocabulary."""
    name = storable_name(metric.name)
    unread.list(name, as_a_whole=not is_read)
    beside: dict[str, Value] = {
        VALUE: point.value,
        SERIES: point.series.hex(),
        START: point.start,
        IS_CUMULATIVE: metric.is_cumulative,
        IS_HISTOGRAM: metric.kind is MetricKind.HISTOGRAM,
        IS_READ: is_read,
    }
    figures = Figures(name, attributes=unread.attributes_to_store(with_author=session is None, beside=beside))
    origin.decoded.events.append(EventRow(point.at, unread.digest, session, EventKind.UNREAD_POINT, figures))


def _counted(value: float) -> float:
    """Validate the value of a counter."""
    if not math.isfinite(value):
        raise BadRecordError("Its value is not a finite number.")
    if value < 0:
        raise BadRecordError("Its value is negative, but it is a count.")
    if value > LARGEST_COUNT:
        raise BadRecordError(f"Its value is larger than {LARGEST_COUNT:,}.")
    return value

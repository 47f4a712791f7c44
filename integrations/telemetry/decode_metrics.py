"""Metric points: those that a vocabulary reads become rows of integrations_agent_point, all others are counted."""

from __future__ import annotations

import math
from collections.abc import Sequence

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.metrics.v1.metrics_pb2 import NumberDataPoint

from integrations.telemetry import store_rows
from integrations.telemetry.decode_events import LONGEST_WORD
from integrations.telemetry.decode_reading import LONGEST_NAME, Counted, Origin, Reading, Signal, Tally
from integrations.telemetry.decode_values import LARGEST_COUNT, BadRecord, text_of, time_of
from integrations.telemetry.events import Measure
from integrations.telemetry.quarantine_payloads import reject_point
from integrations.telemetry.sightings import session_of
from integrations.telemetry.store_rows import PointRow
from integrations.telemetry.vocabularies.vocabulary import Attributes, Metric, NotKept

CUMULATIVE = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE


def read_metrics(request: ExportMetricsServiceRequest, reading: Reading) -> None:
    for resource_metrics in request.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            origin = Origin(resource_metrics.resource, scope_metrics.scope, Signal.METRICS)
            origin.count_dropped(reading)
            for metric in scope_metrics.metrics:
                _read_metric(metric, origin, reading)


def _read_metric(metric: metrics_pb2.Metric, origin: Origin, reading: Reading) -> None:
    words = origin.vocabulary.metrics.get(metric.name)
    if words is None or isinstance(words, NotKept) or metric.WhichOneof("data") != "sum":
        counted = Counted.NOT_KEPT if isinstance(words, NotKept) else Counted.UNREAD
        _count(counted, metric, len(_points(metric)) or 1, origin, reading)
        return
    for point in metric.sum.data_points:
        try:
            _read_point(point, metric, words, origin, reading)
        except BadRecord as problem:
            reject_point(point, metric, str(problem), origin, reading)


def _read_point(
    point: NumberDataPoint, metric: metrics_pb2.Metric, words: Metric, origin: Origin, reading: Reading
) -> None:
    at = time_of(point.time_unix_nano, 0, reading.now)
    attributes = {**origin.attributes, **{attribute.key: attribute.value for attribute in point.attributes}}
    session = session_of(attributes, origin.vocabulary)
    measure = _measure(words, attributes)
    if session is None or measure is None:
        counted = Counted.UNREAD if session is None or _is_new_word(words, attributes) else Counted.NOT_KEPT
        _count(counted, metric, 1, origin, reading)
        return
    value = point.as_double if point.HasField("as_double") else float(point.as_int)
    if not math.isfinite(value):
        raise BadRecord("Its value is not a finite number.")
    if value < 0:
        raise BadRecord("Its value is negative, and it counts something.")
    if value > LARGEST_COUNT:
        raise BadRecord(f"Its value is larger than {LARGEST_COUNT}.")
    model = text_of(attributes.get(words.model), words.model, LONGEST_WORD) if words.model else ""
    cumulative = metric.sum.aggregation_temporality == CUMULATIVE
    # Readings of a counter that never says when it began belong together: their start is the earliest there is.
    start = 0 if cumulative else at
    if point.start_time_unix_nano:
        start = time_of(point.start_time_unix_nano, 0, reading.now)
        if start > at:
            raise BadRecord("It starts after its own time.")
    reading.points.append(
        PointRow(
            at,
            series_of(point, metric, origin),
            start,
            session,
            cumulative,
            store_rows.text(measure) + store_rows.text(model),
            value,
        )
    )


def series_of(point: NumberDataPoint, metric: metrics_pb2.Metric, origin: Origin) -> bytes:
    """Identity of the series: the origin, the metric's name and the point's attributes, as sent."""
    named = NumberDataPoint(attributes=point.attributes).SerializeToString(deterministic=True)
    return origin.digest(metric.name.encode() + b"\x00" + named)


def _measure(words: Metric, attributes: Attributes) -> Measure | None:
    if not words.attribute:
        return words.otherwise
    picked = text_of(attributes.get(words.attribute), words.attribute, LONGEST_WORD)
    return words.measures.get(picked) if picked else words.otherwise


def _is_new_word(words: Metric, attributes: Attributes) -> bool:
    """Whether the attribute that picks the measure has a value that the vocabulary does not list."""
    picked = text_of(attributes.get(words.attribute), words.attribute, LONGEST_WORD)
    return picked not in words.measures


def _points(metric: metrics_pb2.Metric) -> Sequence[object]:
    kind = metric.WhichOneof("data")
    return getattr(metric, kind).data_points if kind else ()


def _count(counted: Counted, metric: metrics_pb2.Metric, points: int, origin: Origin, reading: Reading) -> None:
    name = metric.name.replace("\x00", "")[:LONGEST_NAME] or "(unnamed)"
    reading.counts[Tally(counted, origin.vocabulary.agent, Signal.METRICS, name)] += points

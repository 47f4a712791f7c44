"""Metric points: those that a vocabulary reads become rows of integrations_agent_point, all others are counted."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from integrations.telemetry import store_rows
from integrations.telemetry.decode_figures import LONGEST_WORD
from integrations.telemetry.decode_reading import Counted, MetricKind, MetricRecord, Origin
from integrations.telemetry.decode_values import (
    LARGEST_COUNT,
    Attributes,
    BadRecordError,
    first_text_of,
    text_of,
    time_of,
)
from integrations.telemetry.events import Measure
from integrations.telemetry.store_partitions import day_number
from integrations.telemetry.store_rows import PointRow
from integrations.telemetry.vocabularies.vocabulary import NOT_KEPT, Metric, NotKept

_KIND = {False: MetricKind.SUM, True: MetricKind.HISTOGRAM}


def read_metrics(origin: Origin, records: Iterable[Any]) -> None:
    """Read metrics; points that cannot be stored go into quarantine, alone."""
    for sent in records:
        try:
            metric = origin.metric(sent)
        except BadRecordError as problem:
            origin.reject(sent, problem)
            continue
        words = origin.vocabulary.metrics.get(metric.name)
        if words is None and origin.vocabulary.unlisted_metrics_not_kept:
            words = NOT_KEPT
        if words is None or (isinstance(words, Metric) and metric.kind is not _KIND[words.is_histogram]):
            origin.count(Counted.UNREAD, metric.name, len(metric.points) or 1)
        elif isinstance(words, NotKept):
            origin.count(Counted.NOT_KEPT, metric.name, len(metric.points))
        else:
            for point in metric.points:
                try:
                    _read_point(origin, point, metric, words)
                except (BadRecordError, UnicodeError) as problem:
                    origin.reject(point, problem, metric)


def _read_point(origin: Origin, sent: Any, metric: MetricRecord, words: Metric) -> None:
    point = origin.point(sent, metric)
    session = origin.session(point.attributes)
    measure = words.otherwise
    if words.attribute and (picked := text_of(point.attributes.get(words.attribute), words.attribute, LONGEST_WORD)):
        if picked not in words.measures:
            origin.count(Counted.UNREAD, metric.name)
            return
        measure = words.measures[picked]
    if session is None or measure is None or point.value is None:
        origin.count(Counted.NOT_KEPT if session else Counted.UNREAD, metric.name)
        return
    at = time_of(point.time_unix_nano, origin.reading.now)
    if day_number(at) in origin.reading.closed_days:
        raise BadRecordError("The raw telemetry of its day has expired: it can no longer be put into its series.")
    # Readings of a counter that never says when it began belong together: their start is the earliest there is.
    start = 0 if metric.is_cumulative else at
    if point.start_time_unix_nano:
        start = time_of(point.start_time_unix_nano, origin.reading.now)
    if start > at:
        raise BadRecordError("It starts after its own time.")
    origin.reading.points.append(
        PointRow(
            at,
            origin.digest(point.series),
            start,
            session,
            metric.is_cumulative,
            _measure_and_model(measure, words, point.attributes),
            _counted(point.value),
        )
    )


def _measure_and_model(measure: Measure, words: Metric, attributes: Attributes) -> bytes:
    model = first_text_of(attributes, words.model, LONGEST_WORD)
    return store_rows.text(measure) + store_rows.text(model)


def _counted(value: float) -> float:
    """The value of something that only grows."""
    if not math.isfinite(value):
        raise BadRecordError("Its value is not a finite number.")
    if value < 0:
        raise BadRecordError("Its value is negative, and it counts something.")
    if value > LARGEST_COUNT:
        raise BadRecordError(f"Its value is larger than {LARGEST_COUNT:,}.")
    return value

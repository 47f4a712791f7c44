"""Answers as JSON documents: what the API sends and the command prints.  Shapes: PRODUCT.md §12."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings

from insights.metrics.query import Figure, MetricQuery, SeriesAnswer
from insights.metrics.registry import get

Document = dict[str, Any]


def series_document(answer: SeriesAnswer) -> Document:
    return {
        **heading(answer.query),
        "granularity": answer.query.granularity.value,
        "computed_at": instant(answer.computed_at),
        "fresh_until": instant(answer.fresh_until),
        **({} if answer.query.scope.unit or answer.query.scope.person_id else {"unmatched": answer.unmatched}),
        "total": [_figure(figure) for figure in answer.total],
        "series": [
            {"from": figure.window.start.isoformat(), "to": figure.window.end.isoformat(), **_figure(figure)}
            for figure in answer.series
        ],
    }


def heading(query: MetricQuery) -> Document:
    """What was asked, and the metric's own properties."""
    metric = get(query.key)
    statistic = query.statistic or metric.statistic
    return {
        "key": metric.key,
        "version": metric.version,
        "unit_of_measure": metric.unit.value,
        "better": metric.better.value,
        "belongs_to": metric.belongs_to.value,
        "statistic": statistic.value if statistic else None,
        "time_zone": settings.TIME_ZONE,
        "scope": {"unit": query.scope.unit, "where": {name: list(v) for name, v in query.scope.where.items()}},
        "facets": {dimension.value: list(values) for dimension, values in query.facets.items()},
        "from": query.window.start.isoformat(),
        "to": query.window.end.isoformat(),
    }


def instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def _figure(figure: Figure) -> Document:
    return {
        "segment": dict(figure.segment),
        "value": figure.value,
        "numerator": figure.numerator,
        "denominator": figure.denominator,
        "sample_size": figure.sample_size,
        "people": figure.people,
        "reason": figure.reason,
        "to_date": figure.to_date,
    }

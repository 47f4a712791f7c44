"""Comparisons answered from what was computed a short while ago, as of a moment that is said."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

from django.utils import timezone

from insights.formulas.differences import Interval
from insights.metrics.comparison import Comparison, Group, read_comparison
from insights.metrics.figures import fingerprint
from insights.metrics.query import MetricQuery
from insights.metrics.registry import get
from insights.models import KeptComparison
from insights.windows import local_today

KEPT_FOR = timedelta(minutes=10)  # an interval of weeks hardly moves in that time


def comparison(query: MetricQuery, line: str) -> Comparison:
    """As `read_comparison`, as of `computed_at`.  Raises QueryError where the query cannot be answered."""
    now, question = timezone.now(), _question(query, line)
    found = KeptComparison.objects.filter(question=question, computed_at__gt=now - KEPT_FOR).first()
    if found is not None:
        return replace(_from_json(query, line, found.answer), computed_at=found.computed_at)
    read = read_comparison(query, line)
    as_of = read.computed_at or now
    computed = replace(read, computed_at=as_of)
    KeptComparison.keep(question, _as_json(computed), as_of)
    return computed


def _question(query: MetricQuery, line: str) -> str:
    """Of the scope by its words: a unit that is asked for by the same slug later may be another one by then."""
    metric = get(query.key)
    measured = sorted(fingerprint(measure) for measure in metric.measures)
    where = sorted((name, tuple(values)) for name, values in query.scope.where.items())
    told = (
        *(query.key, metric.version, measured, query.window, query.granularity, query.statistic, line, local_today()),
        *(query.scope.unit, query.scope.person_id, query.scope.unassigned, where, sorted(query.facets.items())),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()


def _as_json(computed: Comparison) -> dict[str, Any]:
    return {
        "first": asdict(computed.first),
        "second": asdict(computed.second),
        "interval": computed.interval and asdict(computed.interval),
        "reason": computed.reason,
        "unmatched": computed.unmatched,
    }


def _from_json(query: MetricQuery, line: str, answer: dict[str, Any]) -> Comparison:
    return Comparison(
        query,
        line,
        Group(**answer["first"]),
        Group(**answer["second"]),
        Interval(**answer["interval"]) if answer["interval"] else None,
        answer["reason"],
        answer["unmatched"],
    )

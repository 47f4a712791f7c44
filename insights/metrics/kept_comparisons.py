"""Comparisons answered from what was computed a short while ago, as of a moment that is said."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from django.utils import timezone

from insights.formulas.differences import Interval
from insights.metrics.comparison import Comparison, Group, read_comparison
from insights.metrics.kept_answers import KEPT_FOR, question_of
from insights.metrics.query import MetricQuery
from insights.models import KeptComparison


def comparison(query: MetricQuery, line: str) -> Comparison:
    """As `read_comparison`, as of `computed_at`.  Raises QueryError where the query cannot be answered."""
    now, question = timezone.now(), question_of(query, "comparison", line)
    found = KeptComparison.objects.filter(question=question, computed_at__gt=now - KEPT_FOR).first()
    if found is not None:
        return _from_json(query, line, found.answer)
    read = read_comparison(query, line)
    as_of = read.computed_at or now  # what is kept of everybody may be older than the answer
    KeptComparison.keep(question, {**_as_json(read), "as_of": as_of.isoformat()}, now)
    return replace(read, computed_at=as_of)


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
        computed_at=datetime.fromisoformat(answer["as_of"]),
    )

"""Comparisons answered from what was computed a short while ago, as of a moment that is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from insights import windows
from insights.formulas.differences import Interval
from insights.metrics.comparison import ANY_AGENT, Comparison, Group, read_comparison
from insights.metrics.kept_answers import KEPT_FOR, question_of
from insights.metrics.query import MetricQuery, Statistic
from insights.models import KeptComparison
from insights.people_figures.lines import LINES
from insights.people_figures.store import kept_at

# What the AI page sets side by side unless something else is picked, and how it is read.
SIDE_BY_SIDE: Mapping[str, Statistic | None] = {
    "pr.cycle_time": Statistic.MEDIAN,
    "pr.merged_per_developer": None,
    "work.delivered_per_developer": None,
}
# Ahead of the page they are compared again before they are too old for it; the background looks every minute.
AGAIN_AFTER = KEPT_FOR - timedelta(minutes=2)


def comparison(query: MetricQuery, line: str) -> Comparison:
    """As `read_comparison`, as of `computed_at`.  Raises QueryError where the query cannot be answered."""
    return _comparison(query, line, KEPT_FOR)


def compare_ahead() -> int:
    """Any agent and Non-AI, of the whole organisation in the pages' windows where lines are kept; how many times."""
    kept = [window for window in map(windows.trailing, windows.TRAILING_WEEKS) if kept_at(LINES, window) is not None]
    asked = [MetricQuery(key, window, statistic=how) for window in kept for key, how in SIDE_BY_SIDE.items()]
    for query in asked:
        _comparison(query, ANY_AGENT, AGAIN_AFTER)
    return len(asked)


def _comparison(query: MetricQuery, line: str, kept_for: timedelta) -> Comparison:
    now, question = timezone.now(), question_of(query, "comparison", line)
    found = KeptComparison.objects.filter(question=question, computed_at__gt=now - kept_for).first()
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

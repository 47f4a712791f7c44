"""Comparisons answered from what was computed a short while ago, as of a moment that is said."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from insights import windows
from insights.formulas.differences import Interval
from insights.metrics.comparison import ANY_AGENT, Comparison, Group, ReadTogether, read_comparison
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
SLOW_SECONDS = 0.03  # beside it a response has other things to do


def comparisons(queries: Sequence[MetricQuery], line: str) -> list[Comparison]:
    """Each as `read_comparison`, in order, as of `computed_at`; what they have in common is read once.

    What is read quickly is read each time.  Raises QueryError where one of the queries cannot be answered.
    """
    return _comparisons(queries, line, KEPT_FOR, SLOW_SECONDS)


def compare_ahead() -> int:
    """Any agent and Non-AI, of the whole organisation in the pages' windows where lines are kept; how many times."""
    kept = [window for window in map(windows.trailing, windows.TRAILING_WEEKS) if kept_at(LINES, window) is not None]
    for window in kept:
        asked = [MetricQuery(key, window, statistic=how) for key, how in SIDE_BY_SIDE.items()]
        _comparisons(asked, ANY_AGENT, AGAIN_AFTER, slow_seconds=0.0)
    return len(kept) * len(SIDE_BY_SIDE)


def _comparisons(
    queries: Sequence[MetricQuery], line: str, kept_for: timedelta, slow_seconds: float
) -> list[Comparison]:
    began, now, together = time.monotonic(), timezone.now(), ReadTogether()
    questions = [question_of(query, "comparison", line) for query in queries]
    known = KeptComparison.answers_to(questions, since=now - kept_for)
    new: dict[str, Any] = {}
    found = []
    for query, question in zip(queries, questions, strict=True):
        if question in known:
            found.append(_from_json(query, line, known[question].answer))
            continue
        read = read_comparison(query, line, together)
        as_of = read.computed_at or now  # what is kept of everybody may be older than the answer
        new[question] = {**_as_json(read), "as_of": as_of.isoformat()}
        found.append(replace(read, computed_at=as_of))
    if time.monotonic() - began > slow_seconds:
        KeptComparison.keep(new, now)
    return found


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

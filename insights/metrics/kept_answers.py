"""Answers that take longer than a page may: those of a short while ago are given again, with the moment they are of.

What is read quickly is read each time, so that small organisations always see what is true now.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from insights.metrics.figures import fingerprint
from insights.metrics.query import MetricQuery
from insights.metrics.registry import get
from insights.models import KeptComparison
from insights.windows import local_today

KEPT_FOR = timedelta(minutes=10)  # what is told of weeks hardly moves in that time
SLOW_SECONDS = 0.15


def kept(
    question: str, compute: Callable[[], Any], *, kept_for: timedelta = KEPT_FOR, slow_seconds: float | None = None
) -> tuple[Any, datetime]:
    """The answer to a question (see `question_of`), as JSON, and when it was computed.

    It is kept where that took longer than `slow_seconds`, or SLOW_SECONDS.
    """
    now = timezone.now()
    found = KeptComparison.answers_to([question], since=now - kept_for).get(question)
    if found is not None:
        return found.answer, found.computed_at
    began = time.monotonic()
    answer = compute()
    if time.monotonic() - began > (SLOW_SECONDS if slow_seconds is None else slow_seconds):
        KeptComparison.keep({question: answer}, now)
    return answer, now


def question_of(query: MetricQuery, *what: object) -> str:
    """Of all that the answer depends on, but facts; of the scope by its words: a unit that is asked for by the same
    slug later may be another one by then.
    """
    metric = get(query.key)
    measured = sorted(fingerprint(measure) for measure in metric.measures)
    where = sorted((name, tuple(values)) for name, values in query.scope.where.items())
    told = (
        *(query.key, metric.version, measured, query.window, query.granularity, query.statistic, *what, local_today()),
        *(query.scope.unit, query.scope.person_id, query.scope.unassigned, where, sorted(query.facets.items())),
    )
    return hashlib.sha256(repr(told).encode()).hexdigest()

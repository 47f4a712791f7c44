"""What taking up an agent changed, and developers by how much they use agents, as of a short while ago.

Both read every developer's days of the window from facts.  What is read quickly is read each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from insights.formulas.differences import Interval
from insights.metrics.adoption_effect import CYCLE_TIME, MERGED, Cohort, Course, Effect, read_cohorts, read_effect
from insights.metrics.figures import fingerprint
from insights.metrics.kept_answers import kept, question_of
from insights.metrics.query import MetricQuery
from insights.metrics.registry import get


def effect(query: MetricQuery) -> tuple[Effect, datetime]:
    """As `read_effect`, and as of when."""
    answer, computed_at = kept(_question(query, "adoption effect"), lambda: asdict(read_effect(query)))
    return _effect(answer), computed_at


def cohorts(query: MetricQuery) -> tuple[Sequence[Cohort], datetime]:
    """As `read_cohorts`, and as of when."""
    question = _question(query, "cohorts of use")
    answer, computed_at = kept(question, lambda: [asdict(each) for each in read_cohorts(query)])
    return [Cohort(**each) for each in answer], computed_at


def _question(query: MetricQuery, what: str) -> str:
    """Both are made of two metrics, whichever of them the query names."""
    measured = [fingerprint(measure) for key in (CYCLE_TIME, MERGED) for measure in get(key).measures]
    return question_of(query, what, *sorted(measured))


def _effect(answer: dict[str, Any]) -> Effect:
    return Effect(
        took_up=Course(**answer["took_up"]),
        did_not=Course(**answer["did_not"]),
        merged=answer["merged"],
        merged_interval=_interval(answer["merged_interval"]),
        cycle=answer["cycle"],
        cycle_interval=_interval(answer["cycle_interval"]),
    )


def _interval(answer: dict[str, float] | None) -> Interval | None:
    return Interval(**answer) if answer else None

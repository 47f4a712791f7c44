"""What taking up an agent changed, and developers by how much they use agents, as of a short while ago.

Both are made of what every developer did in the window (`DeveloperFacts`), which the background keeps for large
organisations and is otherwise read from facts.  What is read quickly is read each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime, timedelta
from typing import Any

from insights import windows
from insights.formulas.differences import Interval
from insights.metrics.adoption_effect import Course, Effect, courses_of, effect_of
from insights.metrics.developer_facts import CYCLE_TIME, MERGED, DeveloperFacts
from insights.metrics.figures import fingerprint
from insights.metrics.kept_answers import KEPT_FOR, kept, question_of
from insights.metrics.query import MetricQuery
from insights.metrics.registry import get
from insights.metrics.usage_cohorts import Cohort, cohorts_of
from insights.people_figures.adoption import developer_facts, kept_since

# An answer from what is kept is as true as that, however old: it is computed once.
AS_LONG_AS_KEPT, ALWAYS = timedelta(days=1), 0.0


def effect_and_cohorts(query: MetricQuery) -> tuple[Effect, Sequence[Cohort], datetime]:
    """Both, of the same facts, and as of when."""
    since = kept_since(query)
    answer, computed_at = kept(
        _question(query, since),
        lambda: _answer(developer_facts(query)[0], query),
        kept_for=KEPT_FOR if since is None else AS_LONG_AS_KEPT,
        slow_seconds=None if since is None else ALWAYS,
    )
    return _effect(answer["effect"]), [Cohort(**each) for each in answer["cohorts"]], since or computed_at


def answer_ahead() -> int:
    """Of the whole organisation in the pages' windows, where what they are made of is kept: how many questions."""
    queries = [MetricQuery(CYCLE_TIME, windows.trailing(weeks)) for weeks in windows.TRAILING_WEEKS]
    asked = [query for query in queries if kept_since(query) is not None]
    for query in asked:
        effect_and_cohorts(query)
    return len(asked)


def _answer(facts: DeveloperFacts, query: MetricQuery) -> dict[str, Any]:
    effect = effect_of(courses_of(facts), query)
    return {"effect": asdict(effect), "cohorts": [asdict(each) for each in cohorts_of(facts)]}


def _question(query: MetricQuery, since: datetime | None) -> str:
    """Both are made of two metrics, whichever of them the query names; what another release kept has another shape."""
    measured = [fingerprint(measure) for key in (CYCLE_TIME, MERGED) for measure in get(key).measures]
    told = [field.name for kind in (Effect, Course, Cohort) for field in fields(kind)]
    return question_of(query, "adoption and cohorts", since, *sorted(measured), *told)


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

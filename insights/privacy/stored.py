"""Answers to store now and show later, to viewers who are not known yet.

The answers are complete.  Each value's `people` is the number of confirmed people behind it, or behind a quotient's
numerator if that is smaller, so that the caller can decide whether to show it.  `withheld` means that the value is
withheld from the public today: next to other values, it could reveal few people although many contribute to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from insights.catalogue.registry import get
from insights.engine.contributors import Contributors
from insights.engine.read import AnswerSet, UnitQueries, read_together
from insights.privacy.evidence import OWN_SCOPE, Question
from insights.privacy.families import Family
from insights.privacy.suppression import Minimum, Row
from insights.privacy.visible import visible_together
from insights.privacy.withhold import key_of, minimum_for, minimum_of
from insights.query.enums import BelongsTo
from insights.query.query import Answer, Freshness, MetricValue, Query
from orgtree.access.access import Access, public_access


def read_to_store(
    *,
    series: Sequence[Query] = (),
    totals: Sequence[Query] = (),
    units: Sequence[UnitQueries] = (),
    freshness: Freshness = Freshness.AT_ONCE,
) -> AnswerSet:
    """`read_together` for stored values.  Raises QueryError if a query cannot be answered."""
    public = public_access()
    answers = read_with_known_people(public, series=series, totals=totals, units=units, freshness=freshness)
    shown = visible_together(public, series=series, totals=totals, units=units, freshness=freshness)
    return AnswerSet(
        series=_marked(answers.series, shown.series),
        totals=_marked(answers.totals, shown.totals),
        units=[
            {unit: _marked(of_unit, of_public[unit]) for unit, of_unit in by_unit.items()}
            for by_unit, of_public in zip(answers.units, shown.units, strict=True)
        ],
    )


def read_with_known_people(
    access: Access,
    *,
    series: Sequence[Query] = (),
    totals: Sequence[Query] = (),
    units: Sequence[UnitQueries] = (),
    freshness: Freshness = Freshness.AT_ONCE,
) -> AnswerSet:
    """`read_together` without withholding; `people` counts only people whom this viewer may count."""
    questions = [
        *(_question(query, [], of_buckets=True) for query in series),
        *(_question(query, []) for query in totals),
        *(_question(query, of_units.units) for of_units in units for query in of_units.queries),
    ]
    answers = read_together(
        series=series,
        totals=totals,
        units=units,
        people=[question.contributors_query for question in questions if question],
        freshness=freshness,
    )
    found = iter(answers.people)
    counted = iter([(question, next(found) if question else None) for question in questions])
    minimum = minimum_of(access)
    return AnswerSet(
        series=[_counted(answer, *next(counted), OWN_SCOPE, minimum) for answer in answers.series],
        totals=[_counted(answer, *next(counted), OWN_SCOPE, minimum) for answer in answers.totals],
        units=[
            _counted_of_units(by_unit, [next(counted) for _ in of_units.queries], minimum)
            for of_units, by_unit in zip(units, answers.units, strict=True)
        ],
    )


def _question(query: Query, units: Sequence[int], *, of_buckets: bool = False) -> Question | None:
    """The question that the query raises; None if no people contribute."""
    if get(query.key).belongs_to is not BelongsTo.PERSON:
        return None
    return Question(query, units, Family(units), of_buckets)


def _counted_of_units(
    by_unit: Mapping[int, Sequence[Answer]],
    counted: Sequence[tuple[Question | None, Contributors | None]],
    minimum: Minimum,
) -> Mapping[int, Sequence[Answer]]:
    return {
        unit: [
            _counted(answer, question, contributors, unit, minimum)
            for answer, (question, contributors) in zip(answers, counted, strict=True)
        ]
        for unit, answers in by_unit.items()
    }


def _counted(
    answer: Answer, question: Question | None, contributors: Contributors | None, unit: Row, minimum: Minimum
) -> Answer:
    if question is None or contributors is None:
        return answer
    fewest = question.fewest_known(contributors, unit, minimum_for(answer.query, minimum))

    def counted(value: MetricValue) -> MetricValue:
        return replace(value, people=fewest.get(key_of(value), 0))

    return replace(
        answer,
        total=[counted(value) for value in answer.total],
        series=[counted(value) for value in answer.series],
    )


def _marked(answers: Sequence[Answer], shown: Sequence[Answer]) -> list[Answer]:
    """The complete answers, with `withheld` copied from the visible ones."""
    marked = []
    for answer, of_public in zip(answers, shown, strict=True):
        hidden = {key_of(value) for value in (*of_public.total, *of_public.series) if value.withheld}
        total, series = (
            [replace(value, withheld=key_of(value) in hidden) for value in values]
            for values in (answer.total, answer.series)
        )
        marked.append(replace(answer, total=total, series=series))
    return marked

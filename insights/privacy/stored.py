"""Answers to store now and show later, to viewers who are not known yet.

The answers are complete.  Each value's `people` is the number of confirmed people behind it, or behind a quotient's
numerator if that is smaller, so that the caller can decide whether to show it.  `withheld` means that the value is
withheld from the public today: next to other values, it could reveal few people although many contribute to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from insights.engine.read import AnswerSet, UnitQueries, read_together
from insights.privacy.differences import key_of
from insights.privacy.visible import visible_together
from insights.privacy.withhold import known_people, numerator_of, unconfirmed_for
from insights.query.query import Answer, Freshness, MetricValue, Query
from orgtree.access.access import public_access


def read_to_store(
    *,
    series: Sequence[Query] = (),
    totals: Sequence[Query] = (),
    units: Sequence[UnitQueries] = (),
    freshness: Freshness = Freshness.AT_ONCE,
) -> AnswerSet:
    """As `read_together`.  Raises QueryError where one of them cannot be answered."""
    of_series, of_totals = WithNumerators(series), WithNumerators(totals)
    of_units = [WithNumerators(unit_queries.queries) for unit_queries in units]
    public = public_access()
    answers = read_together(
        series=of_series.queries,
        totals=of_totals.queries,
        units=[
            UnitQueries(queries.queries, unit_queries.units)
            for queries, unit_queries in zip(of_units, units, strict=True)
        ],
        freshness=freshness,
        unconfirmed=unconfirmed_for(public),
    )
    shown = visible_together(public, series=series, totals=totals, units=units, freshness=freshness)
    return AnswerSet(
        series=_marked(of_series.counted(answers.series), shown.series),
        totals=_marked(of_totals.counted(answers.totals), shown.totals),
        units=[
            {unit: _marked(queries.counted(of_unit), of_public[unit]) for unit, of_unit in by_unit.items()}
            for queries, by_unit, of_public in zip(of_units, answers.units, shown.units, strict=True)
        ],
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


class WithNumerators:
    """The queries, followed by the queries of their numerators.

    `counted` are the answers to the former, with the number of people that decides whether a value may be shown.
    """

    def __init__(self, queries: Sequence[Query]) -> None:
        self.queries = list(queries)
        self._positions: list[int | None] = []
        for query in queries:
            numerator = numerator_of(query)
            self._positions.append(None if numerator is None else len(self.queries))
            if numerator is not None:
                self.queries.append(numerator)

    def counted(self, answers: Sequence[Answer]) -> list[Answer]:
        return [
            _counted(answer, None if position is None else answers[position])
            for answer, position in zip(answers, self._positions, strict=False)
        ]


def _counted(answer: Answer, numerator: Answer | None) -> Answer:
    above = {key_of(value): known_people(value) for value in (*numerator.total, *numerator.series)} if numerator else {}

    def counted(value: MetricValue) -> MetricValue:
        groups = [people for people in (known_people(value), above.get(key_of(value), 0)) if people]
        return replace(value, people=min(groups, default=0))

    return replace(
        answer,
        total=[counted(value) for value in answer.total],
        series=[counted(value) for value in answer.series],
    )

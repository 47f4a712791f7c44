"""Metric values of every person in a scope at once, equal to those of a query for each person.

The same fact queries are run grouped by person, and each metric combines its measures as usual: there is no second
definition of a metric.  One statement per relation and facets, however many people there are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from insights.catalogue.declarations import MetricResult
from insights.engine.connected import NOTHING, ConnectedSince, why_no_data
from insights.engine.fact_query import FactQuery
from insights.engine.live_rows import rows_of_answer
from insights.engine.plan import Clock, MeasureQuery, Plan, ScopeResolver, plan_total
from insights.engine.scan import MeasuredGroup, scan
from insights.query.measures import NOTHING as NOTHING_MEASURED
from insights.query.measures import Distribution, Facts, Measure, MeasureValue, Total
from insights.query.query import Query, Statistic

Segment = tuple[str, ...]
GroupsOfPeople = Mapping[tuple[int, Segment], MeasuredGroup]


@dataclass(frozen=True)
class PersonValue:
    """A metric's value for one person, or why there is none."""

    value: float | None
    reason: str = ""
    missing: bool = False  # there were facts that could not be added: tokens of a model without a price


class People:
    """The answers to queries by person, computed lazily, because most are never used.

    `ids` are the people with a fact in the window of any query.  Values are as of `read_at`.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        measured: Mapping[FactQuery, GroupsOfPeople],
        since: ConnectedSince,
        read_at: datetime,
    ) -> None:
        self._plans = {(plan.query.key, plan.segments): plan for plan in plans}
        self._measured = measured
        self._since = since
        self.read_at = read_at
        self.ids: frozenset[int] = frozenset(person_id for groups in measured.values() for person_id, _ in groups)

    def value(self, key: str, person_id: int) -> PersonValue:
        """The person's value of that metric, without segments.

        Raises TypeError for metrics that have no value per person: rates over time, and statistics other than the mean.
        """
        plan = self._plan_of(key)
        result = self._result(plan, person_id, ())
        value = _value_of(plan, result)
        if value is not None:
            return PersonValue(value)
        if result.missing:
            return PersonValue(None, plan.metric.missing_reason, missing=True)
        if self._is_nought(plan, person_id):
            return PersonValue(0.0)
        return PersonValue(None, self._why_no_data(plan, person_id))

    def numbers(self, key: str, people: Sequence[int]) -> Sequence[float]:
        """The `value` for each of these people, NaN where there is none."""
        plan = self._plan_of(key)

        def number(person_id: int) -> float:
            result = self._result(plan, person_id, ())
            value = _value_of(plan, result)
            if value is None and not result.missing and self._is_nought(plan, person_id):
                return 0.0
            return math.nan if value is None else value

        return [number(person_id) for person_id in people]

    def _plan_of(self, key: str) -> Plan:
        plan = self._plans[key, ()]
        statistic = plan.query.statistic or plan.metric.statistic
        if plan.metric.per_period or plan.metric.per_days or statistic not in (None, Statistic.MEAN):
            raise TypeError(f"{key} has no value that can be read for each person.")
        return plan

    def _is_nought(self, plan: Plan, person_id: int) -> bool:
        """Whether the value of a person without facts is 0."""
        return plan.metric.zero_of_nothing and self._why_no_data(plan, person_id) is NOTHING

    def _why_no_data(self, plan: Plan, person_id: int) -> str:
        connected = self._since.of(plan.metric, plan.scope, person_id)
        return why_no_data(plan.query.window, connected, plan.clock.today)

    def split(self, key: str, person_id: int) -> Mapping[str, float]:
        """The person's values by the query's only segment, in descending order."""
        plan, segments_of = self._splits[key]
        results = {segment: self._result(plan, person_id, segment).value for segment in segments_of.get(person_id, ())}
        values = [(segment[0], value) for segment, value in results.items() if value]
        return dict(sorted(values, key=lambda item: (-item[1], item[0])))

    @cached_property
    def _splits(self) -> Mapping[str, tuple[Plan, Mapping[int, Collection[Segment]]]]:
        """The plans with a segment, by metric, each with the segments in which a person has facts."""
        splits: dict[str, tuple[Plan, Mapping[int, Collection[Segment]]]] = {}
        for (key, segments), plan in self._plans.items():
            if not segments:
                continue
            of_person: dict[int, set[Segment]] = defaultdict(set)
            for measure_query in plan.measure_queries.values():
                for person_id, segment in self._measured[measure_query.fact_query]:
                    of_person[person_id].add(segment)
            splits[key] = plan, of_person
        return splits

    def _result(self, plan: Plan, person_id: int, segment: Segment) -> MetricResult:
        if self._since.lacks_a_source(plan.metric, plan.query.window, plan.scope, person_id):
            return plan.metric.result(lambda _measure: NOTHING_MEASURED)
        return plan.metric.result(lambda measure: self._value(plan.measure_queries[measure], person_id, segment))

    def _value(self, measure_query: MeasureQuery, person_id: int, segment: Segment) -> MeasureValue:
        group = self._measured[measure_query.fact_query].get((person_id, segment))
        return group.values[measure_query.measure] if group else NOTHING_MEASURED


def read_people(queries: Sequence[Query]) -> People:
    """Answer all queries together; they share one scope and window.  Those with a segment serve `split`, the others
    `value`.

    Raises QueryError where one of them cannot be answered, and TypeError where it has no value per person.
    """
    clock, scopes = Clock.read(), ScopeResolver()
    plans = [plan_total(query, clock, scopes) for query in queries]
    measures_by_query: dict[FactQuery, dict[Measure, None]] = {}
    for plan in plans:
        for measure_query in plan.measure_queries.values():
            measures_by_query.setdefault(_fact_query(measure_query), {})[measure_query.measure] = None
    with rows_of_answer():
        measured = {
            fact_query: _groups_of(fact_query, tuple(measures)) for fact_query, measures in measures_by_query.items()
        }
    return People(plans, measured, ConnectedSince((plan.metric for plan in plans), by_person=True), clock.now)


def _groups_of(fact_query: FactQuery, measures: Sequence[Measure]) -> GroupsOfPeople:
    """Groups by person and segment, over the whole window."""
    groups = scan(replace(fact_query.over_whole_window(), by_person=True), measures)
    return {(key.unit_id or 0, key.segment): group for key, group in groups.items()}


def _value_of(plan: Plan, result: MetricResult) -> float | None:
    is_mean = (plan.query.statistic or plan.metric.statistic) is Statistic.MEAN
    return result.statistics.get(Statistic.MEAN) if is_mean else result.value


def _fact_query(measure_query: MeasureQuery) -> FactQuery:
    if (
        not isinstance(measure_query.query, FactQuery)
        or measure_query.query.relation.owner
        or measure_query.query.relation.shared_facts
    ):
        raise TypeError("Only facts of people are read for each person.")
    if not isinstance(measure_query.measure, (Facts, Total, Distribution)):
        raise TypeError(f"{type(measure_query.measure).__name__} is not read for each person.")
    return measure_query.query

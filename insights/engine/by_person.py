"""Metrics of every person of a scope at once: what a query that names one person answers, for all of them.

It asks the engine what any other query asks, by person, and each metric puts its measures together as elsewhere: there
is no second definition of a figure.  One statement per relation and facets, however many people there are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from insights.catalogue.outcome import Outcome
from insights.engine.connected import NOTHING, ConnectedSince, why_no_data
from insights.engine.fact_query import Reading
from insights.engine.live_rows import rows_of_answer
from insights.engine.plan import Clock, Need, Places, Plan, plan_total
from insights.engine.scan import Cell, scan
from insights.query.measures import NOTHING as NOTHING_MEASURED
from insights.query.measures import Distribution, Facts, Measure, MeasureValue, Total
from insights.query.query import MetricQuery, Statistic

Segment = tuple[str, ...]
CellsOfPeople = Mapping[tuple[int, Segment], Cell]


@dataclass(frozen=True)
class PersonValue:
    """A metric's value of one person, or why there is none."""

    value: float | None
    reason: str = ""
    missing: bool = False  # something is there that could not be added: tokens of a model without a price


class People:
    """The answers to queries by person; they are put together when they are asked for, for many never are.

    The ids are those of everybody of whom any of the queries found a fact in the window.  The figures are those of
    `read_at`.
    """

    def __init__(
        self,
        plans: Sequence[Plan],
        measured: Mapping[Reading, CellsOfPeople],
        since: ConnectedSince,
        read_at: datetime,
    ) -> None:
        self._plans = {(plan.query.key, plan.segments): plan for plan in plans}
        self._measured = measured
        self._since = since
        self.read_at = read_at
        self.ids: frozenset[int] = frozenset(person_id for cells in measured.values() for person_id, _ in cells)

    def value(self, key: str, person_id: int) -> PersonValue:
        """What the query of that metric, without segments, answers for the person.

        Raises TypeError for what people have no value of: rates over time, and statistics other than the mean.
        """
        each = self._plan_of(key)
        outcome = self._outcome(each, person_id, ())
        value = _value_of(each, outcome)
        if value is not None:
            return PersonValue(value)
        if outcome.missing:
            return PersonValue(None, each.metric.missing_reason, missing=True)
        if self._is_nought(each, person_id):
            return PersonValue(0.0)
        return PersonValue(None, self._why_no_data(each, person_id))

    def numbers(self, key: str, people: Sequence[int]) -> Sequence[float]:
        """The `value` of each of these people, NaN where there is none."""
        each = self._plan_of(key)

        def number(person_id: int) -> float:
            outcome = self._outcome(each, person_id, ())
            value = _value_of(each, outcome)
            if value is None and not outcome.missing and self._is_nought(each, person_id):
                return 0.0
            return math.nan if value is None else value

        return [number(person_id) for person_id in people]

    def _plan_of(self, key: str) -> Plan:
        each = self._plans[key, ()]
        statistic = each.query.statistic or each.metric.statistic
        if each.metric.per_period or each.metric.per_days or statistic not in (None, Statistic.MEAN):
            raise TypeError(f"{key} has no value that can be read for each person.")
        return each

    def _is_nought(self, each: Plan, person_id: int) -> bool:
        """Of somebody of whom nothing was found."""
        return each.metric.zero_of_nothing and self._why_no_data(each, person_id) is NOTHING

    def _why_no_data(self, each: Plan, person_id: int) -> str:
        connected = self._since.of(each.metric, each.placement, person_id)
        return why_no_data(each.query.window, connected, each.clock.today)

    def split(self, key: str, person_id: int) -> Mapping[str, float]:
        """The person's values by the one segment of that metric's query, the greatest first."""
        each, segments_of = self._splits[key]
        found = {segment: self._outcome(each, person_id, segment).value for segment in segments_of.get(person_id, ())}
        values = [(segment[0], value) for segment, value in found.items() if value]
        return dict(sorted(values, key=lambda item: (-item[1], item[0])))

    @cached_property
    def _splits(self) -> Mapping[str, tuple[Plan, Mapping[int, Collection[Segment]]]]:
        """The queries by a segment, and of each person the segments in which anything was found."""
        found: dict[str, tuple[Plan, Mapping[int, Collection[Segment]]]] = {}
        for (key, segments), each in self._plans.items():
            if not segments:
                continue
            of_person: dict[int, set[Segment]] = defaultdict(set)
            for need in _needs(each):
                for person_id, segment in self._measured[need.of_facts]:
                    of_person[person_id].add(segment)
            found[key] = each, of_person
        return found

    def _outcome(self, each: Plan, person_id: int, segment: Segment) -> Outcome:
        return each.metric.outcome(lambda measure: self._value(each.needs[measure], person_id, segment))

    def _value(self, need: Need, person_id: int, segment: Segment) -> MeasureValue:
        cell = self._measured[need.of_facts].get((person_id, segment))
        return cell.values[need.measure] if cell else NOTHING_MEASURED


def read_people(queries: Sequence[MetricQuery]) -> People:
    """All queries together, which have one scope and window; those with a segment tell `split`, the others `value`.

    Raises QueryError where one of them cannot be answered, and TypeError where a person has no such figure.
    """
    clock, places = Clock.read(), Places()
    plans = [plan_total(query, clock, places) for query in queries]
    wanted: dict[Reading, dict[Measure, None]] = {}
    for each in plans:
        for need in _needs(each):
            wanted.setdefault(_reading(need), {})[need.measure] = None
    with rows_of_answer():
        measured = {reading: _cells_of(reading, tuple(measures)) for reading, measures in wanted.items()}
    return People(plans, measured, ConnectedSince((plan.metric for plan in plans), by_person=True), clock.now)


def _cells_of(reading: Reading, measures: Sequence[Measure]) -> CellsOfPeople:
    """In the whole window."""
    found = scan(replace(reading.of_whole(), by_person=True), measures)
    return {(key.unit_id or 0, key.segment): cell for key, cell in found.items()}


def among(plan: Plan, people: Collection[int]) -> Plan:
    """The plan for these people alone, of whom there are some."""
    placement = replace(plan.placement, among=tuple(sorted(people)))
    needs = {
        measure: replace(need, reading=replace(need.reading, placement=placement))
        for measure, need in plan.needs.items()
    }
    return replace(plan, placement=placement, needs=needs)


def _is_mean(each: Plan) -> bool:
    return (each.query.statistic or each.metric.statistic) is Statistic.MEAN


def _value_of(each: Plan, outcome: Outcome) -> float | None:
    return outcome.statistics.get(Statistic.MEAN) if _is_mean(each) else outcome.value


def _needs(each: Plan) -> Sequence[Need]:
    return tuple(each.needs.values())


def _reading(need: Need) -> Reading:
    if not isinstance(need.reading, Reading) or need.reading.relation.owner or need.reading.relation.shared_facts:
        raise TypeError("Only facts of people are read for each person.")
    if not isinstance(need.measure, (Facts, Total, Distribution)):
        raise TypeError(f"{type(need.measure).__name__} is not read for each person.")
    return need.reading

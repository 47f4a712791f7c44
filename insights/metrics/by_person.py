"""Metrics of every person of a scope at once: what a query that names one person answers, for all of them.

It asks the engine what any other query asks, by person, and each metric puts its measures together as elsewhere: there
is no second definition of a figure.  One statement per relation and facets, however many people there are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from insights.engine.rows import rows_of_answer
from insights.engine.scan import Cells, scan
from insights.metrics.connected import NOTHING, ConnectedSince, why_no_data
from insights.metrics.many_cells import Amounts, amounts_of_cells
from insights.metrics.measures import NOTHING as NOTHING_MEASURED
from insights.metrics.measures import Distribution, Facts, Measure, MeasureValue, Total
from insights.metrics.outcome import Outcome
from insights.metrics.plan import Clock, Need, Places, Plan, plan_total
from insights.metrics.query import MetricQuery, Statistic
from insights.metrics.reading import CellKey, Reading

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

Segment = tuple[str, ...]


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
        measured: Mapping[Reading, Cells],
        since: ConnectedSince,
        read_at: datetime,
    ) -> None:
        self._plans = {(each.query.key, each.segments): each for each in plans}
        self._measured = measured
        self._since = since
        self.read_at = read_at
        self.ids: frozenset[int] = frozenset(key.unit_id or 0 for cells in measured.values() for key in cells)

    def value(self, key: str, person_id: int) -> PersonValue:
        """What the query of that metric, without segments, answers for the person.

        Raises TypeError for what people have no value of: rates over time, and statistics other than the mean.
        """
        each = self._plan_of(key)
        outcome = self._outcome(each, person_id, ())
        value = outcome.statistics.get(Statistic.MEAN) if _is_mean(each) else outcome.value
        if value is not None:
            return PersonValue(value)
        if outcome.missing:
            return PersonValue(None, each.metric.missing_reason, missing=True)
        if self._is_nought(each, person_id):
            return PersonValue(0.0)
        return PersonValue(None, self._why_no_data(each, person_id))

    def numbers(self, key: str, people: Sequence[int]) -> Floats:
        """The `value` of each of these people, NaN where there is none: of thousands in a fraction of the time."""
        import numpy as np

        each = self._plan_of(key)

        def amounts(measure: Measure) -> Amounts:
            return Amounts.of(self._value(each.needs[measure], person, ()) for person in people)

        found = None if _is_mean(each) else amounts_of_cells(each.metric, amounts)
        if found is None:
            values = (self.value(key, person).value for person in people)
            return np.array([np.nan if value is None else value for value in values], dtype=np.float64)
        if each.metric.zero_of_nothing:
            nothing = np.flatnonzero(np.isnan(found.values) & ~found.missing).tolist()
            found.values[[place for place in nothing if self._is_nought(each, people[place])]] = 0.0
        return found.values

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

    def days(self, person_id: int) -> tuple[date, date]:
        """The first and the last day of the person's facts in the window."""
        return self._days[person_id]

    @cached_property
    def _days(self) -> Mapping[int, tuple[date, date]]:
        found: dict[int, tuple[date, date]] = {}
        for cells in self._measured.values():
            for (person_id, _, _), cell in cells.items():
                if person_id and cell.days:
                    first, last = found.get(person_id, cell.days)
                    found[person_id] = (min(first, cell.days[0]), max(last, cell.days[1]))
        return found

    def since(self, key: str, person_id: int) -> date | None:
        """The first local day from which all that the metric is computed from tells of the person; None: never."""
        each = self._plans[key, ()]
        return self._since.of(each.metric, each.placement, person_id).since

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
                for person_id, _, segment in self._measured[_reading(need)]:
                    of_person[person_id or 0].add(segment)
            found[key] = each, of_person
        return found

    def _outcome(self, each: Plan, person_id: int, segment: Segment) -> Outcome:
        return each.metric.outcome(lambda measure: self._value(each.needs[measure], person_id, segment))

    def _value(self, need: Need, person_id: int, segment: Segment) -> MeasureValue:
        reading = _reading(need)
        cell = self._measured[reading].get(CellKey(person_id, reading.hull, segment))
        return cell.values[need.measure] if cell else NOTHING_MEASURED


def read_people(
    queries: Sequence[MetricQuery], *, only: Collection[int] | None = None, places: Places | None = None
) -> People:
    """All queries together, which have one scope and window; those with a segment tell `split`, the others `value`.

    `only` narrows them to these people, of whom there are some; `places` has what was looked up before.

    Raises QueryError where one of them cannot be answered, and TypeError where a person has no such figure.
    """
    clock, places = Clock.read(), places or Places()
    plans = [among(plan_total(query, clock, places), only) for query in queries]
    wanted: dict[Reading, dict[Measure, None]] = {}
    for each in plans:
        for need in _needs(each):
            wanted.setdefault(_reading(need), {})[need.measure] = None
    with rows_of_answer():
        measured = {
            reading: scan(replace(reading.of_whole(), by_person=True), tuple(measures))
            for reading, measures in wanted.items()
        }
    return People(plans, measured, ConnectedSince((each.metric for each in plans), by_person=True), clock.now)


def among(plan: Plan, only: Collection[int] | None) -> Plan:
    """The plan for these people alone, of whom there are some; None: as it is."""
    if only is None:
        return plan
    placement = replace(plan.placement, among=tuple(sorted(only)))
    needs = {
        measure: replace(need, reading=replace(need.reading, placement=placement))
        for measure, need in plan.needs.items()
    }
    return replace(plan, placement=placement, needs=needs)


def _is_mean(each: Plan) -> bool:
    return (each.query.statistic or each.metric.statistic) is Statistic.MEAN


def _needs(each: Plan) -> Sequence[Need]:
    return tuple(each.needs.values())


def _reading(need: Need) -> Reading:
    if not isinstance(need.reading, Reading) or need.reading.relation.owner or need.reading.relation.shared_facts:
        raise TypeError("Only facts of people are read for each person.")
    if not isinstance(need.measure, (Facts, Total, Distribution)):
        raise TypeError(f"{type(need.measure).__name__} is not read for each person.")
    return need.reading

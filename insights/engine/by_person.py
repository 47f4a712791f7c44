"""Metric values of every person in a scope, equal to those of a separate query for each person.

The same fact queries run grouped by person.  Their results become a DuckDB table with one row per person; statements
sort, rank and add up over it, and only the rows to show are read.  Metric values are computed from the measures of
those rows as everywhere else; `number` gives the same value as SQL, for sorting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from insights.catalogue.declarations import Count, Duration, MetricResult, Ratio
from insights.columns.rows import types_of
from insights.engine import aggregation, measures
from insights.engine.connected import NOTHING, ConnectedSince, why_no_data
from insights.engine.fact_query import FactQuery
from insights.engine.plan import Clock, MeasureQuery, Plan, ScopeResolver, plan_total
from insights.engine.scan import Found, select_from_result
from insights.engine.scope import Parameters
from insights.engine.statement import Part, Source, Statement, enrolled_since, segment_names, statement_over_parts
from insights.query.enums import UnitOfMeasure
from insights.query.measures import NOTHING as NOTHING_MEASURED
from insights.query.measures import Measure, MeasureValue
from insights.query.query import Query, Statistic

Row = Mapping[str, Any]


@dataclass(frozen=True)
class PersonValue:
    """A metric's value for one person, or the reason why there is none."""

    value: float | None
    reason: str = ""
    missing: bool = False  # some facts could not be added, such as tokens of a model without a price


class People:
    """Everybody with a fact in the window of any query, as rows of a table.  Its columns are person_id; enrolled_on;
    part_0, part_1 and so on, the row of each fact query's result; and for each split a list of segment names, called
    after `splits`.

    Values are as of `read_at`.
    """

    def __init__(self, plans: Sequence[Plan], splits: Mapping[str, Plan], clock: Clock) -> None:
        self._plans = {plan.query.key: plan for plan in plans}
        self._splits = splits
        self._scope, self._today, self.read_at = plans[0].scope, clock.today, clock.now
        self._since = ConnectedSince(plan.metric for plan in plans)
        self._measures: dict[FactQuery, dict[Measure, int]] = {}  # with the position of each
        for plan in (*plans, *splits.values()):
            for measure_query in plan.measure_queries.values():
                of_query = self._measures.setdefault(_fact_query(measure_query), {})
                of_query.setdefault(measure_query.measure, len(of_query))
        self._names = {fact_query: f"part_{number}" for number, fact_query in enumerate(self._measures)}

    def select(self, text: str, **values: Any) -> Found:
        """Rows of a SELECT over {result}, the table.  Raises QuestionStoppedError if it exceeds a limit."""
        return select_from_result(self._statement, text, **values)

    def number(self, key: str) -> str:
        """The value of a metric as SQL over a row of the table; NULL if there is none.

        Raises TypeError for metrics that have no value per person: rates over time, and statistics other than the mean.
        """
        plan = self._plan_of(key)
        metric, window = plan.metric, plan.query.window
        values = {measure: self._as_sql(measure_query) for measure, measure_query in plan.measure_queries.items()}
        is_connected = self._since.before_end(metric, window, "enrolled_on")
        if isinstance(metric, Ratio):
            (above, above_missing), (below, _) = values[metric.numerator], values[metric.denominator]
            above = f"CASE WHEN {above_missing} THEN NULL ELSE coalesce({above}, 0) END"
            number = f"{above} / nullif({below}, 0)" + (" * 100" if metric.unit is UnitOfMeasure.PERCENT else "")
        elif isinstance(metric, (Count, Duration)):
            number, missing = values[metric.of]
            if metric.zero_of_nothing and window.start <= self._today:
                number = f"coalesce({number}, CASE WHEN {is_connected} AND NOT {missing} THEN 0 END)"
        else:
            raise TypeError(f"{key} has no value that can be read for each person.")
        return f"CASE WHEN {is_connected} THEN {number} END" if self._since.needs_several(metric) else f"({number})"

    def values(self, row: Row) -> Mapping[str, PersonValue]:
        """The value of each metric in a row of the table.  Raises TypeError as `number`."""
        self._since.note_enrolled(self._scope, {row["person_id"]: row["enrolled_on"]} if row["enrolled_on"] else {})
        return {key: self._value(self._plan_of(key), row) for key in self._plans}

    def _value(self, plan: Plan, row: Row) -> PersonValue:
        result = self._result(plan, row)
        is_mean = (plan.query.statistic or plan.metric.statistic) is Statistic.MEAN
        value = result.statistics.get(Statistic.MEAN) if is_mean else result.value
        if value is not None:
            return PersonValue(value)
        if result.missing:
            return PersonValue(None, plan.metric.missing_reason, missing=True)
        connected = self._since.of(plan.metric, plan.scope, row["person_id"])
        reason = why_no_data(plan.query.window, connected, self._today)
        return PersonValue(0.0) if plan.metric.zero_of_nothing and reason is NOTHING else PersonValue(None, reason)

    def _result(self, plan: Plan, row: Row) -> MetricResult:
        if self._since.lacks_a_source(plan.metric, plan.query.window, plan.scope, row["person_id"]):
            return plan.metric.result(lambda _measure: NOTHING_MEASURED)
        return plan.metric.result(lambda measure: self._measured(plan.measure_queries[measure], row))

    def _measured(self, measure_query: MeasureQuery, row: Row) -> MeasureValue:
        found = row[self._names[measure_query.fact_query]]
        if found["facts"] is None:
            return NOTHING_MEASURED
        return measures.value_in(found, measure_query.measure, self._position(measure_query))

    def _as_sql(self, measure_query: MeasureQuery) -> tuple[str, str]:
        name = self._names[measure_query.fact_query]
        return measures.value_as_sql(measure_query.measure, self._position(measure_query), name)

    def _position(self, measure_query: MeasureQuery) -> int:
        return self._measures[measure_query.fact_query][measure_query.measure]

    def _plan_of(self, key: str) -> Plan:
        plan = self._plans[key]
        statistic = plan.query.statistic or plan.metric.statistic
        if plan.metric.per_period or plan.metric.per_days or statistic not in (None, Statistic.MEAN):
            raise TypeError(f"{key} has no value that can be read for each person.")
        return plan

    def _statement(self, source: Source) -> Statement:
        parts = [_part(fact_query, tuple(of_query)) for fact_query, of_query in self._measures.items()]
        parameters = Parameters()
        names = [*self._names.values()]
        whole = [name for fact_query, name in self._names.items() if not fact_query.segments]
        split = {name: self._split(name, plan) for name, plan in self._splits.items()}
        text = f"""
SELECT everybody.person_id, enrolled.since AS enrolled_on, {", ".join([*whole, *(f"{name}.{name}" for name in split)])}
FROM ({" UNION ".join(f"SELECT unit_id AS person_id FROM {name}" for name in names)}) AS everybody
LEFT JOIN ({enrolled_since(self._scope, parameters)}) AS enrolled USING (person_id)
{" ".join(f"LEFT JOIN {name} ON {name}.unit_id = everybody.person_id" for name in whole)}
{" ".join(f"LEFT JOIN ({text}) AS {name} ON {name}.unit_id = everybody.person_id" for name, text in split.items())}"""
        return statement_over_parts(parts, source, text, parameters)

    def _split(self, name: str, plan: Plan) -> str:
        """A SELECT of the segments in which each person has a value, as a list ordered from the largest."""
        [measure_query] = plan.measure_queries.values()
        value, _ = self._as_sql(measure_query)
        values = f"SELECT unit_id, segment_0, {value} AS value FROM {self._names[measure_query.fact_query]}"
        listed = f"list(segment_0 ORDER BY value DESC, segment_0) AS {name}"
        return f"SELECT unit_id, {listed} FROM ({values}) WHERE value <> 0 GROUP BY unit_id"


def read_people(queries: Sequence[Query], splits: Mapping[str, Query]) -> People:
    """Answer all queries together; they share one scope and window.  `splits`, by name, each have one segment.

    Raises QueryError if one of them cannot be answered, and TypeError if it has no value per person.
    """
    clock, scopes = Clock.read(), ScopeResolver()
    plans = [plan_total(query, clock, scopes) for query in queries]
    return People(plans, {name: plan_total(query, clock, scopes) for name, query in splits.items()}, clock)


def _part(fact_query: FactQuery, of_query: Sequence[Measure]) -> Part:
    by_person = replace(fact_query.over_whole_window(), by_person=True)
    keys = ", ".join(("unit_id", "window_id", *segment_names(by_person)))
    return Part(by_person, of_query, aggregation.select(by_person, of_query, keys, types_of(by_person.relation)))


def _fact_query(measure_query: MeasureQuery) -> FactQuery:
    fact_query = measure_query.query
    if not isinstance(fact_query, FactQuery) or fact_query.relation.owner or fact_query.relation.shared_facts:
        raise TypeError("Only facts of people are read for each person.")
    measures.value_as_sql(measure_query.measure, 0, "")
    return fact_query

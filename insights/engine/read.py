"""Answers queries: values of the whole window and of each of its buckets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from insights.catalogue.declarations import Metric, MetricResult
from insights.columns.source import EXACT, PAGE
from insights.engine.connected import DIRECTLY, NOTHING, OF_NO_PERSON, ConnectedSince, why_no_data, why_not_entered
from insights.engine.contributors import Contributors, PeopleQuery, contributors_of, plan_people
from insights.engine.fact_query import ScopeKind
from insights.engine.live_rows import rows_of_answer
from insights.engine.plan import Clock, Plan, ScopeResolver, plan_query, plan_total, plan_units
from insights.engine.results import MeasuredFacts, MetricResults, Segment, results_of
from insights.engine.scan import select
from insights.engine.scope import is_of_people
from insights.query import windows
from insights.query.enums import BelongsTo
from insights.query.measures import NOTHING as NOTHING_MEASURED
from insights.query.query import Answer, Dimension, Freshness, MetricValue, Query, Statistic, Window

_UNMATCHED = "SELECT coalesce(sum(c_0), 0) AS part FROM counted WHERE person_id = 0"
FRESH_FOR = timedelta(seconds=5)  # new facts are counted after this long at most


@dataclass(frozen=True)
class UnitQueries:
    """Queries to answer for each of these units (ids) instead of their own scope, without buckets unless requested."""

    queries: Sequence[Query]
    units: Sequence[int]
    of_buckets: bool = False


@dataclass(frozen=True)
class AnswerSet:
    """The answers to the queries of a page, in the order of the queries; those of units by id."""

    series: Sequence[Answer]
    totals: Sequence[Answer]  # `series` is empty
    units: Sequence[Mapping[int, Sequence[Answer]]]  # `series` is empty unless buckets were requested
    people: Sequence[Contributors] = ()


def read_series(queries: Sequence[Query], *, freshness: Freshness = Freshness.AT_ONCE) -> list[Answer]:
    """Answer all queries together, in order.

    Raises QueryError if one of them cannot be answered.
    """
    return list(read_together(series=queries, freshness=freshness).series)


def read_totals(queries: Sequence[Query], *, freshness: Freshness = Freshness.AT_ONCE) -> list[Answer]:
    """`read_series` for the whole window alone: `series` is empty."""
    return list(read_together(totals=queries, freshness=freshness).totals)


def read_unmatched(query: Query) -> float:
    """The part of a sum over the whole window that is not matched to a person."""
    plan = plan_total(query, Clock.read())
    [measure_query] = plan.measure_queries.values()
    fact_query = measure_query.fact_query.over_whole_window()
    [row] = select(fact_query, [measure_query.measure], _UNMATCHED)
    return float(row["part"])


def read_together(
    *,
    series: Sequence[Query] = (),
    totals: Sequence[Query] = (),
    units: Sequence[UnitQueries] = (),
    people: Sequence[PeopleQuery] = (),
    freshness: Freshness = Freshness.AT_ONCE,
) -> AnswerSet:
    """Answer all queries with few statements, in one snapshot, regardless of the number of queries and units.

    `people` ask who contributes: insights/engine/contributors.py.
    """
    clock, scopes = Clock.read(), ScopeResolver()

    plans = [plan_query(query, clock, scopes) for query in series]
    plans += [plan_total(query, clock, scopes) for query in totals]
    for side_by_side in units:
        for query in side_by_side.queries if side_by_side.units else ():
            plans += plan_units(query, side_by_side.units, clock, scopes, of_buckets=side_by_side.of_buckets)
    people_plans = [plan_people(query, clock, scopes) for query in people]
    with rows_of_answer(PAGE if freshness is Freshness.OF_PAGES else EXACT) as rows:
        facts = MeasuredFacts.read(
            (measure_query for plan in plans for measure_query in plan.measure_queries.values()),
            whose=(measure_query for plan in people_plans for measure_query in plan.measure_queries.values()),
        )
        answers_read = _answers(plans, facts)
        contributors = contributors_of(people_plans, facts)
        lag = rows.lag
        answers = iter(
            [
                replace(answer, computed_at=lag.as_of or answer.computed_at, days_lacking=lag.days_lacking)
                for answer in answers_read
            ]
        )
    return AnswerSet(
        series=[next(answers) for _ in series],
        totals=[next(answers) for _ in totals],
        units=[_by_unit(unit_queries, answers) for unit_queries in units],
        people=contributors,
    )


def _by_unit(unit_queries: UnitQueries, answers: Iterator[Answer]) -> Mapping[int, Sequence[Answer]]:
    by_unit: dict[int, list[Answer]] = {unit: [] for unit in unit_queries.units}
    for _ in unit_queries.queries:
        for unit in unit_queries.units:
            by_unit[unit].append(next(answers))
    return by_unit


def _answers(plans: Sequence[Plan], facts: MeasuredFacts) -> list[Answer]:
    results = [results_of(plan, facts) for plan in plans]
    lacking = [
        plan.metric for plan, results_of_plan in zip(plans, results, strict=True) if _lacks_any(plan, results_of_plan)
    ]
    since = ConnectedSince(metric for metric in lacking if metric.belongs_to is not BelongsTo.UNIT)
    return [_answer(plan, results_of_plan, since) for plan, results_of_plan in zip(plans, results, strict=True)]


def _lacks_any(plan: Plan, results: MetricResults) -> bool:
    """Whether a value is missing, so that its sources have to be looked up."""
    segments = results.segments or [()]
    windows_shown = (plan.query.window, *(bucket.clipped for bucket in _buckets_shown(plan)))
    shown = (results.groups.get((window, segment)) for window in windows_shown for segment in segments)
    return any(result is None or result.value is None for result in shown)


def _buckets_shown(plan: Plan) -> Sequence[windows.Bucket]:
    return plan.buckets if plan.of_buckets else ()


def _answer(plan: Plan, results: MetricResults, since: ConnectedSince) -> Answer:
    segments = results.segments or [()]
    return Answer(
        query=plan.query,
        total=[_figure(plan, results, since, plan.query.window, segment) for segment in segments],
        series=[
            _figure(plan, results, since, bucket.clipped, segment)
            for bucket in _buckets_shown(plan)
            for segment in segments
        ],
        unmatched=results.unmatched,
        computed_at=plan.clock.now,
        fresh_until=plan.clock.now + FRESH_FOR,
    )


def _figure(plan: Plan, results: MetricResults, since: ConnectedSince, window: Window, segment: Segment) -> MetricValue:
    metric, query, today = plan.metric, plan.query, plan.clock.today
    result = results.groups.get((window, segment)) or _nothing(metric, results, window)
    # A stock is counted as of today, so a future window has none.
    if window.start > today or since.lacks_a_source(metric, window, plan.scope, plan.unit_id):
        result = metric.result(lambda _measure: NOTHING_MEASURED)
    if metric.per_period:
        result = _per_period(result, windows.periods(window, query.granularity, today=today))
    if metric.per_days:
        result = _per_days(result, windows.passed(window, today=today).days / metric.per_days)
    statistic = query.statistic or metric.statistic
    if statistic is not None:
        result = result._replace(value=result.statistics.get(statistic))
        if statistic is not Statistic.MEAN:  # only the mean is a quotient
            result = result._replace(numerator=None, denominator=None)
    value, reason = result.value, None
    if value is None:
        reason = metric.missing_reason if result.missing else _why_no_data(plan, window, since)
        if reason is NOTHING and metric.needs_pull_requests and not result.left_out and window == query.window:
            reason = DIRECTLY if _only_direct_commits(plan, since) else NOTHING
        if reason is NOTHING and (metric.zero_of_nothing or (metric.over_buckets and result.denominator)):
            value, reason = 0.0, None
    return MetricValue(
        window=window,
        segment={dimension.value: name for dimension, name in zip(plan.segments, segment, strict=bool(segment))},
        value=value,
        numerator=result.numerator,
        denominator=result.denominator,
        sample_size=result.sample_size,
        people=result.people if metric.belongs_to is BelongsTo.PERSON else 0,
        reason=reason,
        low=result.low,
        high=None if result.low is None else value,
        mix=result.mix,
        left_out=result.left_out,
        to_date=window.start <= today < window.end,
    )


def _why_no_data(plan: Plan, window: Window, since: ConnectedSince) -> str:
    if plan.metric.belongs_to is BelongsTo.OWNER and is_of_people(plan.scope):
        return OF_NO_PERSON
    if plan.metric.belongs_to is BelongsTo.UNIT:
        return why_not_entered(plan.scope, window, plan.clock.today)
    return why_no_data(window, since.of(plan.metric, plan.scope, plan.unit_id), plan.clock.today)


def _only_direct_commits(plan: Plan, since: ConnectedSince) -> bool:
    """Whether the scope works without pull requests and no agreement says so; False for people and other facets."""
    scope, facets = plan.scope, plan.query.facets
    if scope.kind not in (ScopeKind.ANYBODY, ScopeKind.UNIT, ScopeKind.UNITS) or is_of_people(scope):
        return False
    if not facets.keys() <= {Dimension.REPOSITORY}:
        return False
    return since.only_direct_commits(
        scope, plan.unit_id, plan.query.window, tuple(facets.get(Dimension.REPOSITORY, ()))
    )


def _nothing(metric: Metric, results: MetricResults, window: Window) -> MetricResult:
    """The result of a group without facts, with the denominator that the segments of its window share."""
    return results.shared.get(window) or metric.result(lambda _measure: NOTHING_MEASURED)


def _per_period(result: MetricResult, periods: float) -> MetricResult:
    """Divide by time as well: the denominator becomes people × granularity units."""
    if result.numerator is None or not result.denominator or not periods:
        return result._replace(value=None)
    denominator = result.denominator * periods
    return result._replace(value=result.numerator / denominator, denominator=denominator)


def _per_days(result: MetricResult, units_of_time: float) -> MetricResult:
    """Divide a count by the elapsed time; there is no value if none has elapsed."""
    divided = result._replace(numerator=result.value or 0, denominator=units_of_time)
    return divided._replace(value=None if result.value is None or not units_of_time else result.value / units_of_time)

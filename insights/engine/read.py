"""Answering queries: figures of the whole window and of each of its buckets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from insights.catalogue.declarations import Metric
from insights.catalogue.outcome import Outcome
from insights.columns.source import EXACT, PAGE, Lag
from insights.engine.connected import NOTHING, OF_NO_PERSON, ConnectedSince, why_no_data
from insights.engine.contributions import read_person_totals, read_rows
from insights.engine.distribution import read_distribution
from insights.engine.live_rows import rows_of_answer
from insights.engine.outcomes import Outcomes, Segment, outcomes_of_plans
from insights.engine.plan import Clock, Places, Plan, plan, plan_total, plan_units
from insights.engine.scope import is_of_people
from insights.engine.unconfirmed import noting_unconfirmed, plans_of_unconfirmed
from insights.query import windows
from insights.query.measures import NOTHING as NOTHING_MEASURED
from insights.query.query import Figure, Freshness, MetricQuery, SeriesAnswer, Statistic, Window
from insights.query.terms import BelongsTo

__all__ = [
    "Freshness",
    "SideBySide",
    "Together",
    "read_distribution",
    "read_person_totals",
    "read_rows",
    "read_series",
    "read_together",
    "read_totals",
    "unconfirmed_in",
]

FRESH_FOR = timedelta(seconds=5)  # what arrives is counted within this time


@dataclass(frozen=True)
class SideBySide:
    """Queries of each of these units (ids) instead of their own scope."""

    queries: Sequence[MetricQuery]
    units: Sequence[int]


@dataclass(frozen=True)
class Together:
    """What a page asks for at once: answers in the order of their queries, those of units by id."""

    series: Sequence[SeriesAnswer]
    totals: Sequence[SeriesAnswer]  # their `series` is empty
    units: Sequence[Mapping[int, Sequence[SeriesAnswer]]]  # so is theirs


def read_series(
    queries: Sequence[MetricQuery], *, freshness: Freshness = Freshness.AT_ONCE, unconfirmed: Sequence[int] = ()
) -> list[SeriesAnswer]:
    """Answer all queries together, in order.

    Raises QueryError where one of them cannot be answered.
    """
    return list(read_together(series=queries, freshness=freshness, unconfirmed=unconfirmed).series)


def read_totals(
    queries: Sequence[MetricQuery], *, freshness: Freshness = Freshness.AT_ONCE, unconfirmed: Sequence[int] = ()
) -> list[SeriesAnswer]:
    """As `read_series`, for the whole window alone: `series` is empty."""
    return list(read_together(totals=queries, freshness=freshness, unconfirmed=unconfirmed).totals)


def unconfirmed_in(query: MetricQuery, people: Sequence[int]) -> int:
    """How many of these people have anything in the query's window: at most so many of any group of it are."""
    if not people:
        return 0
    [answer] = read_totals([replace(query, segments=(), statistic=None)], unconfirmed=people)
    return sum(figure.unconfirmed for figure in answer.total)


def read_together(
    *,
    series: Sequence[MetricQuery] = (),
    totals: Sequence[MetricQuery] = (),
    units: Sequence[SideBySide] = (),
    freshness: Freshness = Freshness.AT_ONCE,
    unconfirmed: Sequence[int] = (),
) -> Together:
    """All of it with the same few statements, as of one moment: whatever the number of queries and units.

    Figures say how many of their people are among `unconfirmed` (ids): see insights.engine.unconfirmed.
    """
    clock, places = Clock.read(), Places()

    plans = [plan(query, clock, places) for query in series]
    plans += [plan_total(query, clock, places) for query in totals]
    for side_by_side in units:
        for query in side_by_side.queries if side_by_side.units else ():
            plans += plan_units(query, side_by_side.units, clock, places)
    with rows_of_answer(PAGE if freshness is Freshness.OF_PAGES else EXACT) as rows:
        found = _answers(plans, freshness)
        if unconfirmed:
            found = _with_unconfirmed(plans, found, unconfirmed)
        answers = iter([_lagging(answer, rows.lag) for answer in found])
    return Together(
        series=[next(answers) for _ in series],
        totals=[next(answers) for _ in totals],
        units=[_by_unit(asked, answers) for asked in units],
    )


def _lagging(answer: SeriesAnswer, lag: Lag) -> SeriesAnswer:
    """As of when it is, and what of it is still to come."""
    return replace(answer, computed_at=lag.as_of or answer.computed_at, days_lacking=lag.days_lacking)


def _with_unconfirmed(
    plans: Sequence[Plan], answers: Sequence[SeriesAnswer], people: Sequence[int]
) -> list[SeriesAnswer]:
    narrowed = plans_of_unconfirmed(plans, people)
    found = iter(_answers([each for each in narrowed if each], Freshness.AT_ONCE))
    return [
        answer if each is None else noting_unconfirmed(answer, next(found))
        for each, answer in zip(narrowed, answers, strict=True)
    ]


def _by_unit(asked: SideBySide, answers: Iterator[SeriesAnswer]) -> Mapping[int, Sequence[SeriesAnswer]]:
    found: dict[int, list[SeriesAnswer]] = {unit: [] for unit in asked.units}
    for _ in asked.queries:
        for unit in asked.units:
            found[unit].append(next(answers))
    return found


def _answers(plans: Sequence[Plan], freshness: Freshness) -> list[SeriesAnswer]:
    outcomes = outcomes_of_plans(plans)
    lacking = [each.metric for each, found in zip(plans, outcomes, strict=True) if _lacks_any(each, found)]
    since = ConnectedSince(lacking)
    return [_answer(each, found, since) for each, found in zip(plans, outcomes, strict=True)]


def _lacks_any(each: Plan, outcomes: Outcomes) -> bool:
    """Whether a value is missing, so that it will be asked since when its sources are there."""
    segments = outcomes.segments or [()]
    windows_asked = (each.query.window, *(bucket.clipped for bucket in _buckets_asked(each)))
    cells = (outcomes.cells.get((window, segment)) for window in windows_asked for segment in segments)
    return any(cell is None or cell.value is None for cell in cells)


def _buckets_asked(each: Plan) -> Sequence[windows.Bucket]:
    return each.buckets if each.of_buckets else ()


def _answer(each: Plan, outcomes: Outcomes, since: ConnectedSince) -> SeriesAnswer:
    segments = outcomes.segments or [()]
    return SeriesAnswer(
        query=each.query,
        total=[_figure(each, outcomes, since, each.query.window, segment) for segment in segments],
        series=[
            _figure(each, outcomes, since, bucket.clipped, segment)
            for bucket in _buckets_asked(each)
            for segment in segments
        ],
        unmatched=outcomes.unmatched,
        computed_at=each.clock.now,
        fresh_until=each.clock.now + FRESH_FOR,
    )


def _figure(each: Plan, outcomes: Outcomes, since: ConnectedSince, window: Window, segment: Segment) -> Figure:
    metric, query, today = each.metric, each.query, each.clock.today
    outcome = outcomes.cells.get((window, segment)) or _nothing(metric, outcomes, window)
    if window.start > today:  # a stock is one of today, and no figure of a time that has not come
        outcome = metric.outcome(lambda _measure: NOTHING_MEASURED)
    if metric.per_period:
        outcome = _per_period(outcome, windows.periods(window, query.granularity, today=today))
    if metric.per_days:
        outcome = _per_days(outcome, windows.passed(window, today=today).days / metric.per_days)
    statistic = query.statistic or metric.statistic
    if statistic is not None:
        outcome = outcome._replace(value=outcome.statistics.get(statistic))
        if statistic is not Statistic.MEAN:  # only the mean is a quotient
            outcome = outcome._replace(numerator=None, denominator=None)
    value, reason = outcome.value, None
    if value is None:
        reason = metric.missing_reason if outcome.missing else _why_no_data(each, window, since)
        if reason is NOTHING and (metric.zero_of_nothing or (metric.over_buckets and outcome.denominator)):
            value, reason = 0.0, None
    return Figure(
        window=window,
        segment={dimension.value: name for dimension, name in zip(each.segments, segment, strict=bool(segment))},
        value=value,
        numerator=outcome.numerator,
        denominator=outcome.denominator,
        sample_size=outcome.sample_size,
        people=0 if metric.belongs_to is BelongsTo.OWNER else outcome.people,
        reason=reason,
        low=outcome.low,
        high=None if outcome.low is None else value,
        mix=outcome.mix,
        left_out=outcome.left_out,
        to_date=window.start <= today < window.end,
    )


def _why_no_data(each: Plan, window: Window, since: ConnectedSince) -> str:
    if each.metric.belongs_to is BelongsTo.OWNER and is_of_people(each.placement):
        return OF_NO_PERSON
    return why_no_data(window, since.of(each.metric, each.placement, each.unit_id), each.clock.today)


def _nothing(metric: Metric, outcomes: Outcomes, window: Window) -> Outcome:
    """A cell in which nothing was found, with what the segments of its window have in common."""
    return outcomes.shared.get(window) or metric.outcome(lambda _measure: NOTHING_MEASURED)


def _per_period(outcome: Outcome, periods: float) -> Outcome:
    """Divide by time too: the denominator becomes people × granularity units."""
    if outcome.numerator is None or not outcome.denominator or not periods:
        return outcome._replace(value=None)
    denominator = outcome.denominator * periods
    return outcome._replace(value=outcome.numerator / denominator, denominator=denominator)


def _per_days(outcome: Outcome, units_of_time: float) -> Outcome:
    """Divide what was counted by the time that has come; nothing where none has."""
    told = outcome._replace(numerator=outcome.value or 0, denominator=units_of_time)
    return told._replace(value=None if outcome.value is None or not units_of_time else outcome.value / units_of_time)

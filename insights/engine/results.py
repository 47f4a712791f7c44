"""Computes metric results by window and segment from facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from insights.catalogue.declarations import Metric, MetricResult
from insights.catalogue.shares import PerDeveloper
from insights.engine.fact_query import Edges, FactQuery, GroupKey, ScopeKind, StockQuery
from insights.engine.plan import Clock, MeasureQuery, Plan
from insights.engine.scan import MeasuredGroups, scan, stock
from insights.query.enums import BelongsTo
from insights.query.measures import NOTHING, Measure, MeasureValue
from insights.query.query import Window

Segment = tuple[str, ...]


@dataclass(frozen=True)
class MetricResults:
    """Results of a query by window and segment; absent ones are empty.

    `shared` is the denominator of a window's segments, if it is the same for all. `unmatched` is the share 0–1 of the
    whole window's sample without a person, for scopes that include such facts.
    """

    groups: Mapping[tuple[Window, Segment], MetricResult]
    shared: Mapping[Window, MetricResult]
    unmatched: float | None

    @property
    def segments(self) -> list[Segment]:
        """The segments with data in the window or any bucket of it, in alphabetical order."""
        return sorted({segment for _, segment in self.groups})


@dataclass(frozen=True)
class MeasuredFacts:
    """The results of a batch of fact queries and stock queries."""

    groups_by_query: Mapping[FactQuery, MeasuredGroups]
    stock_counts: Mapping[StockQuery, Mapping[tuple[int | None, Window], int]]
    with_people: Mapping[FactQuery, MeasuredGroups]
    """Groups with sets of people, by query without windows."""

    @classmethod
    def read(cls, measure_queries: Iterable[MeasureQuery], whose: Iterable[MeasureQuery] = ()) -> Self:
        """Reads one statement per relation, scope, facets and segments, regardless of the number of metrics and
        windows.

        Results include all windows of the statement, which may be more than a single fact query has.  They include the
        sets of people of each group for the queries in `whose` that have the same scope, facets and segments.
        """
        fact_queries: dict[FactQuery, dict[FactQuery, None]] = defaultdict(dict)
        measures: dict[FactQuery, dict[Measure, None]] = defaultdict(dict)
        stocks: dict[StockQuery, dict[StockQuery, None]] = defaultdict(dict)
        for measure_query in measure_queries:
            if isinstance(measure_query.query, StockQuery):
                stocks[measure_query.query.without_windows()][measure_query.query] = None
                continue
            merged = measure_query.query.without_windows()
            fact_queries[merged][measure_query.query] = None
            measures[merged][measure_query.measure] = None
        of_people: dict[FactQuery, dict[Edges, None]] = defaultdict(dict)
        for measure_query in whose:
            merged_with = measure_query.query.without_windows()
            # If a row can name several people, the contributors are read from rows of their own.
            if isinstance(merged_with, FactQuery) and merged_with in measures and not merged_with.relation.people:
                measures[merged_with][measure_query.measure] = None
                of_people[merged_with] |= dict.fromkeys(measure_query.fact_query.window_edges)
        groups_by_query: dict[FactQuery, MeasuredGroups] = {}
        with_people: dict[FactQuery, MeasuredGroups] = {}
        for merged, measures_read in measures.items():
            window_edges = dict.fromkeys(
                edges for fact_query in fact_queries[merged] for edges in fact_query.window_edges
            )
            window_edges |= of_people.get(merged, {})
            groups = scan(
                replace(merged, window_edges=tuple(window_edges)), tuple(measures_read), of_people=merged in of_people
            )
            if merged in of_people:
                with_people[merged] = groups
            groups_by_query |= dict.fromkeys(fact_queries[merged], groups)
        stock_counts: dict[StockQuery, Mapping[tuple[int | None, Window], int]] = {}
        for stock_query, stock_queries in stocks.items():
            windows = tuple(sorted({window for query in stock_queries for window in query.windows}))
            stock_counts |= dict.fromkeys(stock_queries, stock(replace(stock_query, windows=windows)))
        return cls(groups_by_query, stock_counts, with_people)

    def outcomes(
        self, metric: Metric, measure_queries: Mapping[Measure, MeasureQuery], clock: Clock
    ) -> Callable[[GroupKey], MetricResult]:
        """A function that computes the metric's result for a group."""
        parts = {measure: self._values(measure_query, clock) for measure, measure_query in measure_queries.items()}
        return lambda key: metric.result(lambda measure: parts[measure](key))

    def _values(self, measure_query: MeasureQuery, clock: Clock) -> Callable[[GroupKey], MeasureValue]:
        """A function that looks up the measure's value for a group of the query."""
        if isinstance(measure_query.query, StockQuery):
            stock_counts = self.stock_counts[measure_query.query]

            def people(key: GroupKey) -> MeasureValue:
                people = stock_counts.get((key.unit_id, clock.stock_window(key.window)), 0)
                return MeasureValue(float(people), people, people)

            return people
        groups_by_query, measure = self.groups_by_query[measure_query.query], measure_query.measure

        def value(key: GroupKey) -> MeasureValue:
            group = groups_by_query.get(measure_query.key(key))
            return group.values[measure] if group else NOTHING

        return value

    def segments(self, measure_queries: Mapping[Measure, MeasureQuery], key: GroupKey) -> Iterable[Segment]:
        """The segments that have facts, over the measures with as many splits as the key's segment."""
        for measure_query in measure_queries.values():
            if isinstance(measure_query.query, FactQuery) and len(measure_query.split) == len(key.segment):
                yield from self._by_window[measure_query.query].get((key.unit_id, key.window), ())

    @cached_property
    def _by_window(self) -> Mapping[FactQuery, Mapping[tuple[int | None, Window], list[Segment]]]:
        """The segments of each fact query by unit and window."""
        by_query: dict[FactQuery, dict[tuple[int | None, Window], list[Segment]]] = {}
        for fact_query, groups in self.groups_by_query.items():
            of_query = by_query[fact_query] = defaultdict(list)
            for unit_id, window, segment in groups:
                of_query[unit_id, window].append(segment)
        return by_query

    def unmatched(
        self, metric: Metric, measure_queries: Mapping[Measure, MeasureQuery], window: Window
    ) -> float | None:
        """The share 0–1 of the window's sample without a person; None for an empty sample."""
        fact_query = measure_queries[metric.sampled].query
        if isinstance(fact_query, StockQuery):
            return None
        facts, matched = self._counted.get((fact_query, window), (0, 0))
        return (facts - matched) / facts if facts else None

    @cached_property
    def _counted(self) -> Mapping[tuple[FactQuery, Window], tuple[int, int]]:
        """Facts and matched facts of each fact query and window, over all segments."""
        counted: dict[tuple[FactQuery, Window], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for fact_query, groups in self.groups_by_query.items():
            for key, group in groups.items():
                facts, matched = counted[fact_query, key.window]
                counted[fact_query, key.window] = facts + group.facts, matched + group.matched_facts
        return counted


def results_of(plan: Plan, facts: MeasuredFacts) -> MetricResults:
    """A plan's metric results from the facts that were read."""
    whole = plan.query.window
    key = GroupKey(plan.unit_id, whole, ("",) * len(plan.segments))
    # The stock at the end of a bucket may differ from that at the end of the window.
    spans = plan.windows if plan.metric.is_stock else (whole,)
    segments_found = (
        segment for window in spans for segment in facts.segments(plan.measure_queries, key._replace(window=window))
    )
    segments = dict.fromkeys(segments_found) if plan.segments else {(): None}
    result_of = facts.outcomes(plan.metric, plan.measure_queries, plan.clock)
    groups = {
        (window, segment): result_of(GroupKey(plan.unit_id, window, segment))
        for window in plan.windows
        for segment in segments
    }
    if isinstance(plan.metric, PerDeveloper):
        for segment in segments:
            of_buckets = [groups[bucket.clipped, segment] for bucket in plan.buckets]
            groups[whole, segment] = plan.metric.over(groups[whole, segment], of_buckets)
    entered = {
        segment
        for segment in segments
        if not plan.segments or any(plan.metric.entered(groups[window, segment], plan.segments) for window in spans)
    }
    results = {key: result for key, result in groups.items() if key[1] in entered and not result.empty}
    # What the segments of a window have in common, taken from any one of them.
    shared = {window: plan.metric.shared_part(result, plan.segments) for (window, _), result in results.items()}
    return MetricResults(
        results,
        {window: part for window, part in shared.items() if part is not None},
        facts.unmatched(plan.metric, plan.measure_queries, whole) if _tells_unmatched(plan, results) else None,
    )


def _tells_unmatched(plan: Plan, results: Mapping[tuple[Window, Segment], MetricResult]) -> bool:
    """Whether the scope includes unmatched facts, and any fact contributed."""
    whole = plan.query.window
    entered = any(result.sample_size for (window, _), result in results.items() if window == whole)
    if plan.metric.belongs_to is BelongsTo.UNIT:
        return False
    return entered and plan.scope.kind in (ScopeKind.ANYBODY, ScopeKind.UNASSIGNED)

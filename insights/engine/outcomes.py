"""What metrics come to in each window and segment, read from facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

from insights.catalogue.declarations import Metric
from insights.catalogue.outcome import Outcome
from insights.catalogue.per_developer import PerDeveloper
from insights.engine.fact_query import CellKey, Placed, Reading, StockReading
from insights.engine.plan import Clock, Need, Plan
from insights.engine.scan import Cells, scan, stock
from insights.query.measures import NOTHING, Measure, MeasureValue
from insights.query.query import Window

Segment = tuple[str, ...]


@dataclass(frozen=True)
class Outcomes:
    """By window and segment; what is absent is nothing.

    `shared` is what the segments of a window have in common, where their denominator is one.  `unmatched` is the
    share 0–1 of the whole window's sample without a person, where everybody's was asked for.
    """

    cells: Mapping[tuple[Window, Segment], Outcome]
    shared: Mapping[Window, Outcome]
    unmatched: float | None

    @property
    def segments(self) -> list[Segment]:
        """The segments found in the window, or any bucket of it, in alphabetical order."""
        return sorted({segment for _, segment in self.cells})


@dataclass(frozen=True)
class Facts:
    """What a batch of readings found."""

    scanned: Mapping[Reading, Cells]
    stocked: Mapping[StockReading, Mapping[tuple[int | None, Window], int]]

    @classmethod
    def read(cls, needs: Iterable[Need]) -> Self:
        """One statement per relation, scope, facets and segments, whatever the number of metrics and windows.

        What is found has all windows of its statement, which may be more than a reading asked for.
        """
        readings: dict[Reading, dict[Reading, None]] = defaultdict(dict)
        measures: dict[Reading, dict[Measure, None]] = defaultdict(dict)
        stocks: dict[StockReading, dict[StockReading, None]] = defaultdict(dict)
        for need in needs:
            if isinstance(need.reading, StockReading):
                stocks[need.reading.of_any_time()][need.reading] = None
                continue
            together = need.reading.of_any_time()
            readings[together][need.reading] = None
            measures[together][need.measure] = None
        scanned: dict[Reading, Cells] = {}
        for together, wanted in measures.items():
            partitions = dict.fromkeys(edges for reading in readings[together] for edges in reading.partitions)
            found = scan(replace(together, partitions=tuple(partitions)), tuple(wanted))
            scanned |= dict.fromkeys(readings[together], found)
        stocked: dict[StockReading, Mapping[tuple[int | None, Window], int]] = {}
        for of_stock, of_spans in stocks.items():
            spans = tuple(sorted({span for reading in of_spans for span in reading.spans}))
            stocked |= dict.fromkeys(of_spans, stock(replace(of_stock, spans=spans)))
        return cls(scanned, stocked)

    def outcomes(self, metric: Metric, needs: Mapping[Measure, Need], clock: Clock) -> Callable[[CellKey], Outcome]:
        """What the metric comes to, by cell."""
        parts = {measure: self._values(need, clock) for measure, need in needs.items()}
        return lambda key: metric.outcome(lambda measure: parts[measure](key))

    def _values(self, need: Need, clock: Clock) -> Callable[[CellKey], MeasureValue]:
        """What the measure comes to, by cell of the query."""
        if isinstance(need.reading, StockReading):
            stocked = self.stocked[need.reading]

            def people(key: CellKey) -> MeasureValue:
                found = stocked.get((key.unit_id, clock.stock_span(key.window)), 0)
                return MeasureValue(float(found), found, found)

            return people
        scanned, measure = self.scanned[need.reading], need.measure

        def value(key: CellKey) -> MeasureValue:
            cell = scanned.get(need.key(key))
            return cell.values[measure] if cell else NOTHING

        return value

    def segments(self, needs: Mapping[Measure, Need], asked: CellKey) -> Iterable[Segment]:
        """The segments in which a measure that is split as the asked cell's segment found a fact."""
        for need in needs.values():
            if isinstance(need.reading, Reading) and len(need.split) == len(asked.segment):
                yield from self._by_window[need.reading].get((asked.unit_id, asked.window), ())

    @cached_property
    def _by_window(self) -> Mapping[Reading, Mapping[tuple[int | None, Window], list[Segment]]]:
        """The segments of each reading by unit and window."""
        found: dict[Reading, dict[tuple[int | None, Window], list[Segment]]] = {}
        for reading, cells in self.scanned.items():
            of_reading = found[reading] = defaultdict(list)
            for unit_id, window, segment in cells:
                of_reading[unit_id, window].append(segment)
        return found

    def unmatched(self, metric: Metric, needs: Mapping[Measure, Need], window: Window) -> float | None:
        """The share 0–1 of the window's sample without a person; None where there is none."""
        reading = needs[metric.sampled].reading
        if isinstance(reading, StockReading):
            return None
        facts, matched = self._counted.get((reading, window), (0, 0))
        return (facts - matched) / facts if facts else None

    @cached_property
    def _counted(self) -> Mapping[tuple[Reading, Window], tuple[int, int]]:
        """Facts and matched facts of each reading and window, over its segments."""
        counted: dict[tuple[Reading, Window], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for reading, cells in self.scanned.items():
            for key, cell in cells.items():
                facts, matched = counted[reading, key.window]
                counted[reading, key.window] = facts + cell.facts, matched + cell.matched_facts
        return counted


def outcomes_of_plans(plans: Sequence[Plan]) -> list[Outcomes]:
    """The outcomes of each plan, in order, all of it read together."""
    facts = Facts.read(need for plan in plans for need in plan.needs.values())
    return [_outcomes_of(plan, facts) for plan in plans]


def _outcomes_of(plan: Plan, facts: Facts) -> Outcomes:
    """What a query's metric comes to by what was found for its needs."""
    whole = plan.query.window
    asked = CellKey(plan.unit_id, whole, ("",) * len(plan.segments))
    # What stands at the end of a bucket need not stand at the end of the window.
    spans = plan.windows if plan.metric.is_stock else (whole,)
    found = (segment for span in spans for segment in facts.segments(plan.needs, asked._replace(window=span)))
    segments = dict.fromkeys(found) if plan.segments else {(): None}
    outcome_of = facts.outcomes(plan.metric, plan.needs, plan.clock)
    cells = {
        (window, segment): outcome_of(CellKey(plan.unit_id, window, segment))
        for window in plan.windows
        for segment in segments
    }
    if isinstance(plan.metric, PerDeveloper):
        for segment in segments:
            of_buckets = [cells[bucket.clipped, segment] for bucket in plan.buckets]
            cells[whole, segment] = plan.metric.over(cells[whole, segment], of_buckets)
    entered = {
        each
        for each in segments
        if not plan.segments or any(plan.metric.entered(cells[span, each], plan.segments) for span in spans)
    }
    kept = {key: outcome for key, outcome in cells.items() if key[1] in entered and not outcome.empty}
    return Outcomes(
        kept,
        _shared_parts(plan, kept),
        facts.unmatched(plan.metric, plan.needs, whole) if _tells_unmatched(plan, kept) else None,
    )


def _shared_parts(plan: Plan, cells: Mapping[tuple[Window, Segment], Outcome]) -> Mapping[Window, Outcome]:
    """What the segments of each window have in common, found in any of its cells."""
    parts = {window: plan.metric.shared_part(outcome, plan.segments) for (window, _), outcome in cells.items()}
    return {window: part for window, part in parts.items() if part is not None}


def _tells_unmatched(plan: Plan, cells: Mapping[tuple[Window, Segment], Outcome]) -> bool:
    """Whether facts were asked for that may be of nobody who is known, and any entered."""
    whole = plan.query.window
    entered = any(cell.sample_size for (window, _), cell in cells.items() if window == whole)
    return entered and plan.placement.placed in (Placed.ANYBODY, Placed.UNASSIGNED)

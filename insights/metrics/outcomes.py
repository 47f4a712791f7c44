"""What metrics come to in each window and segment, read from facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from insights.metrics.declarations import Metric, Outcome
from insights.metrics.measures import NOTHING, Measure, MeasureValue
from insights.metrics.plan import Clock, Need, Plan
from insights.metrics.query import Window
from insights.metrics.reading import Placed, Reading, StockReading
from insights.metrics.scan import Cell, CellKey, scan, stock

Segment = tuple[str, ...]


@dataclass(frozen=True)
class Outcomes:
    """By window and segment; what is absent is nothing.

    `unmatched` is the share 0–1 of the whole window's facts without a person, where everybody's were asked for.
    """

    cells: Mapping[tuple[Window, Segment], Outcome]
    unmatched: float | None = None

    def segments(self, window: Window) -> list[Segment]:
        """The segments found in the window, in alphabetical order."""
        return sorted(segment for (of, segment) in self.cells if of == window)


@dataclass(frozen=True)
class Facts:
    """What a batch of readings found."""

    scanned: Mapping[Reading, Mapping[CellKey, Cell]]
    stocked: Mapping[StockReading, Mapping[tuple[int | None, date], int]]

    @classmethod
    def read(cls, needs: Iterable[Need]) -> Facts:
        """One statement per relation, scope, windows, facets and segments, whatever the number of metrics."""
        measures: dict[Reading, dict[Measure, None]] = defaultdict(dict)
        stocks: dict[StockReading, None] = {}
        for need in needs:
            if isinstance(need.reading, StockReading):
                stocks[need.reading] = None
            else:
                measures[need.reading][need.measure] = None
        return cls(
            {reading: scan(reading, tuple(wanted)) for reading, wanted in measures.items()},
            {reading: stock(reading) for reading in stocks},
        )

    def outcome(self, metric: Metric, needs: Mapping[Measure, Need], key: CellKey, clock: Clock) -> Outcome:
        def part(measure: Measure) -> MeasureValue:
            need = needs[measure]
            if isinstance(need.reading, StockReading):
                people = self.stocked[need.reading].get((key.unit_id, clock.stock_day(key.window)), 0)
                return MeasureValue(float(people), people, people)
            cell = self.scanned[need.reading].get(key)
            return cell.values[need.measure] if cell else NOTHING

        return metric.outcome(part)

    def found(self, needs: Mapping[Measure, Need]) -> set[CellKey]:
        """Every cell in which one of the measures found a fact."""
        readings = [need.reading for need in needs.values() if isinstance(need.reading, Reading)]
        return {key for reading in readings for key in self.scanned[reading]}

    def unmatched(self, needs: Mapping[Measure, Need], key: CellKey) -> float | None:
        """The share of the cell's facts without a person."""
        readings = dict.fromkeys(need.reading for need in needs.values() if isinstance(need.reading, Reading))
        cells = [
            cell
            for reading in readings
            for found, cell in self.scanned[reading].items()
            if (found.unit_id, found.window) == (key.unit_id, key.window)
        ]
        facts = sum(cell.facts for cell in cells)
        return sum(cell.facts - cell.matched_facts for cell in cells) / facts if facts else None


def outcomes_from_facts(plans: Sequence[Plan]) -> list[Outcomes]:
    facts = Facts.read(need for plan in plans for need in plan.needs.values())
    return [_outcomes(plan, facts) for plan in plans]


def _outcomes(plan: Plan, facts: Facts) -> Outcomes:
    whole = plan.query.window
    segments = {key.segment for key in facts.found(plan.needs) if key.window == whole} if plan.segments else {()}
    cells = {
        (window, segment): facts.outcome(plan.metric, plan.needs, CellKey(None, window, segment), plan.clock)
        for window in plan.windows
        for segment in segments
    }
    entered = {s for s in segments if not plan.segments or cells[whole, s].sample_size or cells[whole, s].missing}
    everybody = plan.placement.placed is Placed.ANYBODY
    return Outcomes(
        {key: outcome for key, outcome in cells.items() if key[1] in entered and not outcome.empty},
        facts.unmatched(plan.needs, CellKey(None, whole, ())) if everybody else None,
    )

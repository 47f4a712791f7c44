"""What a plan's metric comes to in each bucket and segment, read from facts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.metrics.declarations import Outcome
from insights.metrics.measures import NOTHING, Measure, MeasureValue, PeopleAtEnd
from insights.metrics.plan import Plan
from insights.metrics.reading import Placed, Reading
from insights.metrics.scan import WHOLE_WINDOW, Cell, CellKey, scan, stock

Segment = tuple[str, ...]


@dataclass(frozen=True)
class Outcomes:
    """By bucket (counted from 1, or WHOLE_WINDOW) and segment; what is absent is nothing.

    `unmatched` is the share 0–1 of facts without a person, where the whole organisation was asked for.
    """

    cells: Mapping[tuple[int, Segment], Outcome]
    unmatched: float | None = None

    @property
    def segments(self) -> list[Segment]:
        """The segments found in the window, in alphabetical order."""
        return sorted(segment for (bucket, segment), cell in self.cells.items() if bucket == WHOLE_WINDOW)


def outcomes_from_facts(plans: Sequence[Plan]) -> list[Outcomes]:
    """One statement per relation, scope, window, facets and segments, whatever the number of metrics."""
    measures: dict[Reading, dict[Measure, None]] = defaultdict(dict)
    stocks: dict[Reading, None] = {}
    for plan in plans:
        for reading, measure in plan.needs.values():
            if isinstance(measure, PeopleAtEnd):
                stocks[reading] = None
            else:
                measures[reading][measure] = None
    scanned = {reading: scan(reading, tuple(wanted)) for reading, wanted in measures.items()}
    stocked = {reading: stock(reading) for reading in stocks}
    return [Outcomes(dict(_cells(plan, scanned, stocked)), _unmatched(plan, scanned)) for plan in plans]


def _cells(
    plan: Plan,
    scanned: Mapping[Reading, Mapping[CellKey, Cell]],
    stocked: Mapping[Reading, Mapping[tuple[int | None, int], int]],
) -> list[tuple[tuple[int, Segment], Outcome]]:
    def outcome(bucket: int, segment: Segment) -> Outcome:
        def part(measure: Measure) -> MeasureValue:
            reading, finer = plan.needs[measure]
            if isinstance(finer, PeopleAtEnd):
                people = stocked[reading].get((None, bucket or len(plan.buckets)), 0)
                return MeasureValue(float(people), people, people)
            cell = scanned[reading].get(CellKey(None, bucket, segment))
            return cell.values[finer] if cell else NOTHING

        return plan.metric.outcome(part)

    found = {key.segment for reading, _ in plan.needs.values() for key in scanned.get(reading, ())}
    segments = found if plan.segments else {()}
    totals = {segment: outcome(WHOLE_WINDOW, segment) for segment in segments}
    entered = [segment for segment, total in totals.items() if not plan.segments or total.sample_size or total.missing]
    cells = [((WHOLE_WINDOW, segment), totals[segment]) for segment in entered]
    for bucket in range(1, len(plan.buckets) + 1):
        in_bucket = [((bucket, segment), outcome(bucket, segment)) for segment in entered]
        cells += [cell for cell in in_bucket if not cell[1].empty]
    return cells


def _unmatched(plan: Plan, scanned: Mapping[Reading, Mapping[CellKey, Cell]]) -> float | None:
    """The share of facts without a person, over the readings of the whole window."""
    if plan.placement.placed is not Placed.ANYBODY:
        return None
    readings = {reading for reading, measure in plan.needs.values() if not isinstance(measure, PeopleAtEnd)}
    cells = [cell for reading in readings for key, cell in scanned[reading].items() if key.bucket == WHOLE_WINDOW]
    facts = sum(cell.facts for cell in cells)
    return sum(cell.facts - cell.matched_facts for cell in cells) / facts if facts else None

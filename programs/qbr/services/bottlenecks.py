"""The cost of bottlenecks in a business review's period: the hours that changes waited longer than expected.

A stage of lead time is compared with the period before; a finding of a unit below with what is usual there: comparable
teams, or the weeks before.  A finding's cost can be part of a stage's, so they are not added up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.seconds import DAY, HOUR, MONTH
from insights.catalogue.lead_time_stages import WAITS
from insights.models.findings import FindingState
from insights.query.query import Window
from programs.closing.services.figures import Stage
from programs.qbr.services.document import FrozenFinding, Part, QbrDocument
from programs.qbr.services.sections import STAGES_CHART

MOST = 3
LEAST_HOURS = 1  # anything less is no cost


@dataclass(frozen=True)
class BottleneckCost:
    """`hours` is None if there is nothing to compare with; `low` and `high` are its bounds.

    `before` is the same stage in the period before.
    """

    of: Stage | FrozenFinding
    hours: float | None
    low: float = 0.0
    high: float = 0.0
    before: Stage | None = None

    @property
    def cost(self) -> float:
        return max(0.0, self.hours or 0.0)

    @property
    def waited(self) -> float:
        """The hours that all changes spent in the stage; 0 for a finding."""
        return _hours(self.of.value or 0.0, self.of) if isinstance(self.of, Stage) else 0.0


def costliest_bottlenecks(document: QbrDocument) -> Sequence[BottleneckCost]:
    """The three costliest bottlenecks or fewer: those that cost the most hours, then the longest waits."""
    found = [*_stages(document), *_findings(document)]
    return sorted(found, key=lambda one: (-one.cost, -one.waited))[:MOST]


def _stages(document: QbrDocument) -> Iterator[BottleneckCost]:
    rows: Sequence[Sequence[Part]] = next(
        (
            chart.rows
            for section in document.sections
            for chart in document.charts_of(section)
            if chart.kind == STAGES_CHART
        ),
        (),
    )
    now, before = ({part.key: part for part in row if isinstance(part, Stage)} for row in (*rows, (), ())[:2])
    for stage in now.values():
        if stage.key in WAITS and stage.value:
            yield _of_stage(stage, before.get(stage.key))


def _of_stage(stage: Stage, before: Stage | None) -> BottleneckCost:
    """The additional wait of a change, times the changes; bounded by the same product for median and mean."""
    if before is None or before.value is None or stage.value is None:
        return BottleneckCost(stage, None)
    pairs = ((stage.value, before.value), (stage.median, before.median), (stage.mean, before.mean))
    hours = [_hours(now - was, stage) for now, was in pairs if now is not None and was is not None]
    return BottleneckCost(stage, hours[0], min(hours), max(hours), before)


def _findings(document: QbrDocument) -> Iterator[BottleneckCost]:
    """The costliest finding of each unit below, for as long as it held in the period; dismissed ones cost nothing."""
    own = document.unit.id if document.unit else None
    by_unit: dict[int, BottleneckCost] = {}
    for finding in document.findings:
        if finding.unit is None or finding.unit.id == own or finding.state == FindingState.DISMISSED:
            continue
        months = _days_held(finding, document) * DAY / MONTH
        hours, low, high = (one * months for one in (finding.hours, finding.hours_low, finding.hours_high))
        cost = BottleneckCost(finding, hours, low, high)
        best = by_unit.get(finding.unit.id)
        if cost.cost >= LEAST_HOURS and (best is None or cost.cost > best.cost):
            by_unit[finding.unit.id] = cost
    yield from by_unit.values()


def _days_held(finding: FrozenFinding, document: QbrDocument) -> int:
    period = Window(document.period.start, document.period.counted_to)
    since = max(finding.since or finding.found_on, period.start)
    until = min(finding.ended_on or period.end, period.end)
    return max(0, (until - since).days)


def _hours(seconds: float, stage: Stage) -> float:
    """The hours of all changes in the stage together."""
    return seconds * stage.sample_size / HOUR

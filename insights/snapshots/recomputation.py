"""What is to be computed anew: cells of windows, and whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.metrics.reading import Edges, Placement, Reading
from insights.metrics.stocks import windows_by_span
from insights.snapshots.groups import Group

KeptAs = tuple[str, Window]  # the period and the window of a cell


@dataclass(frozen=True)
class Recomputation:
    """Of windows, each with the periods as which it is kept; whose cells are computed as of that moment."""

    edges: tuple[Edges, ...]
    periods: Mapping[Window, Sequence[str]]
    placement: Placement
    clock: Clock

    def reading(self, group: Group) -> Reading:
        """What the group's cells are computed from."""
        settled = self.clock.settled_before
        return Reading(group.relation, self.edges, self.placement, segments=group.segments, settled_before=settled)

    def kept_as(self, reading: Reading) -> Sequence[Sequence[KeptAs]]:
        """For each span of the reading, as what its cells are kept."""
        return [
            [(period, window) for window in windows for period in self.periods[window]]
            for windows in windows_by_span(reading)
        ]

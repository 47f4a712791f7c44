"""What is asked of a group: its windows, and of whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.metrics.reading import Edges, Placement


@dataclass(frozen=True)
class Asked:
    """Windows, each with the periods as which it is kept, and whose cells are computed as of that moment."""

    edges: tuple[Edges, ...]
    periods: Mapping[Window, Sequence[str]]
    placement: Placement
    clock: Clock

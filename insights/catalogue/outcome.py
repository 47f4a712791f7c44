"""What a metric makes of its measures in one cell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from insights.query.measures import NONE
from insights.query.query import Statistic


class Outcome(NamedTuple):
    """What a metric makes of its measures in one cell; the names are those of a Figure."""

    value: float | None
    numerator: float | None = None
    denominator: float | None = None
    sample_size: int = 0
    people: int = 0
    statistics: Mapping[Statistic, float] = NONE
    missing: bool = False
    low: float | None = None
    mix: Mapping[str, float] = NONE
    left_out: int = 0

    @property
    def empty(self) -> bool:
        """Nothing entered, so that the cell need not be kept."""
        parts = (self.sample_size, self.numerator, self.denominator, self.missing, self.left_out)
        return self.value is None and not any(parts)

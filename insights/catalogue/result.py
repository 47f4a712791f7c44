"""The result of a metric in one group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from insights.query.measures import NONE
from insights.query.query import Statistic


class MetricResult(NamedTuple):
    """A metric's value in one group, computed from its measures; field names as in an answer's values."""

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
        """Whether nothing contributed, so that the result can be dropped."""
        parts = (self.sample_size, self.numerator, self.denominator, self.missing, self.left_out)
        return self.value is None and not any(parts)

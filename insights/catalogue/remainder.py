"""A kind of metric: a whole minus a part of it."""

from __future__ import annotations

from dataclasses import dataclass

from insights.catalogue.declarations import PartValue, Ratio
from insights.catalogue.result import MetricResult


@dataclass(frozen=True, kw_only=True)
class Remainder(Ratio):
    """denominator − numerator; no data where the denominator is 0.

    For people it reveals both the remaining and the subtracted ones, so the smaller of the two is its group size.
    """

    @property
    def recipe(self) -> str:
        return "Σ denominator − Σ contribution"

    def result(self, part: PartValue) -> MetricResult:
        ratio = super().result(part)
        if not ratio.denominator:
            return ratio
        remaining = max(0.0, ratio.denominator - (ratio.numerator or 0))
        groups = [int(people) for people in (remaining, ratio.numerator, ratio.people) if people]
        return ratio._replace(value=remaining, people=min(groups, default=0))

"""A kind of metric: output per developer on a line of a comparison, per week, month or quarter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from insights.catalogue.declarations import PartValue, Ratio, RowsBy, quotient
from insights.catalogue.result import MetricResult
from insights.query.enums import UnitOfMeasure
from insights.query.measures import Measure
from integrations.models import FactFamily

OF_NOBODY = "No matched person was active on this line, so there is no developer to divide by."


@dataclass(frozen=True, kw_only=True)
class PerDeveloper(Ratio):
    """Facts ÷ developers on the line, bucket by bucket.

    A window's value is the facts of all buckets ÷ the sum of each bucket's developers: it lies between the values of
    the buckets, and depends on their length.  `people` are the distinct developers of the window.
    """

    unit: UnitOfMeasure = UnitOfMeasure.COUNT
    over_buckets: ClassVar[bool] = True

    @property
    def families(self) -> frozenset[FactFamily]:
        """Only the family of the numerator: any source contributes to the developers at work."""
        return frozenset({self.numerator.relation.family})

    @property
    def sampled(self) -> Measure:
        return self.numerator

    @property
    def rows_by(self) -> RowsBy:
        return RowsBy.PERSON

    @property
    def recipe(self) -> str:
        return "Σ contribution ÷ Σ denominator, the number of weeks (months, quarters) in which each was on the line"

    @property
    def missing_reason(self) -> str:
        return OF_NOBODY

    def result(self, part: PartValue) -> MetricResult:
        """The result of one bucket.  Without facts it has no value yet: it becomes 0 where a source is connected."""
        above, below = part(self.numerator), part(self.denominator)
        developers = below.value or 0
        return MetricResult(
            quotient(above.value, developers, self.unit) if above.facts else None,
            above.value or 0,
            developers,
            above.facts,
            int(developers),
            missing=bool(above.facts and not developers),
        )

    def over(self, window: MetricResult, buckets: Sequence[MetricResult]) -> MetricResult:
        """The result of a window, from its own and those of its buckets."""
        developers = sum(bucket.denominator or 0 for bucket in buckets)
        value = quotient(window.numerator, developers, self.unit) if window.sample_size else None
        return window._replace(value=value, denominator=developers, missing=bool(window.sample_size and not developers))

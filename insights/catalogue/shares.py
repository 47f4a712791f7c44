"""Kinds of metric about people and parts of a whole, among them output per developer on a line of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from insights.catalogue.declarations import (
    MetricResult,
    PartValue,
    Ratio,
    RowsBy,
    SingleMeasureMetric,
    quotient,
    times_100,
)
from insights.query.enums import UnitOfMeasure
from insights.query.measures import Gini, Measure, PersonShare, StockAtEnd
from insights.query.query import Dimension
from integrations.models import FactFamily


@dataclass(frozen=True, kw_only=True)
class Concentration(SingleMeasureMetric):
    """The inequality of facts among people: 0 % if all counts are equal, near 100 % if one person has most."""

    unit: UnitOfMeasure = UnitOfMeasure.PERCENT
    of: Gini
    rows_by: ClassVar[RowsBy] = RowsBy.PERSON
    recipe: ClassVar[str] = (
        "Σ (2 rank − n − 1) × contribution ÷ (n × Σ contribution) × 100, of n people ranked by contribution; "
        "what nobody was matched to is left out"
    )

    def result(self, part: PartValue) -> MetricResult:
        of = part(self.of)
        return MetricResult(None if of.value is None else of.value * 100, sample_size=of.facts, people=of.people)


@dataclass(frozen=True, kw_only=True)
class ShareOfBase(SingleMeasureMetric):
    """A metric whose measure has its own denominator."""

    unit: UnitOfMeasure = UnitOfMeasure.PERCENT
    of: PersonShare | StockAtEnd

    def result(self, part: PartValue) -> MetricResult:
        of = part(self.of)
        return MetricResult(quotient(of.value, of.base, self.unit), of.value or 0, of.base or 0, of.facts, of.people)


@dataclass(frozen=True, kw_only=True)
class ShareOfPeople(ShareOfBase):
    """Each person counts as 1, divided among the segment's values in proportion to their facts; the values add up to
    100 %.
    """

    of: PersonShare
    rows_by: ClassVar[RowsBy] = RowsBy.PERSON_AND_SEGMENT

    @property
    def always_by(self) -> tuple[Dimension, ...]:
        return (self.of.dimension,)

    def shares_denominator(self, segments: Sequence[Dimension]) -> bool:
        return True

    @property
    def recipe(self) -> str:
        return f"Σ contribution of the segment ÷ number of people{times_100(self)}"


@dataclass(frozen=True, kw_only=True)
class ShareOfStock(ShareOfBase):
    """The share of a bucket's facts that are still in stock at its end."""

    rows_by: ClassVar[RowsBy] = RowsBy.STOCK_FACT

    @property
    def recipe(self) -> str:
        return f"Σ contribution ÷ Σ denominator{times_100(self)}"


@dataclass(frozen=True, kw_only=True)
class Remainder(Ratio):
    """denominator − numerator; no data if the denominator is 0.

    For people it reveals both the remaining and the subtracted ones, so the smaller of the two is the size of its
    group.
    """

    unit: UnitOfMeasure = UnitOfMeasure.COUNT
    recipe: ClassVar[str] = "Σ denominator − Σ contribution"

    def result(self, part: PartValue) -> MetricResult:
        ratio = super().result(part)
        if not ratio.denominator:
            return ratio
        remaining = max(0.0, ratio.denominator - (ratio.numerator or 0))
        groups = [int(people) for people in (remaining, ratio.numerator, ratio.people) if people]
        return ratio._replace(value=remaining, people=min(groups, default=0))

    def groups(self, of: Callable[[Measure], int]) -> tuple[int, ...]:
        above, below = of(self.numerator), of(self.denominator)
        return (of(self.sampled), above, below & ~above)


OF_NOBODY = "No matched person was active on this line, so there is no developer to divide by."


@dataclass(frozen=True, kw_only=True)
class PerDeveloper(Ratio):
    """Facts ÷ developers on the line, bucket by bucket.

    A window's value is the facts of all buckets ÷ the sum of each bucket's developers: it lies between the values of
    the buckets, and depends on their length.  `people` are the distinct developers of the window.
    """

    unit: UnitOfMeasure = UnitOfMeasure.COUNT
    over_buckets: ClassVar[bool] = True
    rows_by: ClassVar[RowsBy] = RowsBy.PERSON
    recipe: ClassVar[str] = (
        "Σ contribution ÷ Σ denominator, the number of weeks (months, quarters) in which each was on the line"
    )
    missing_reason: ClassVar[str] = OF_NOBODY

    @property
    def families(self) -> frozenset[FactFamily]:
        """Only the numerator's family, because any source shows which developers are at work."""
        return frozenset({self.numerator.relation.family})

    @property
    def sampled(self) -> Measure:
        return self.numerator

    def result(self, part: PartValue) -> MetricResult:
        """The result of one bucket.  Without facts it has no value yet; it becomes 0 if a source is connected."""
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

    def groups(self, of: Callable[[Measure], int]) -> tuple[int, ...]:
        return (of(self.denominator),)

    def over(self, window: MetricResult, buckets: Sequence[MetricResult]) -> MetricResult:
        """The result of a window, from its own result and those of its buckets."""
        developers = sum(bucket.denominator or 0 for bucket in buckets)
        value = quotient(window.numerator, developers, self.unit) if window.sample_size else None
        return window._replace(value=value, denominator=developers, missing=bool(window.sample_size and not developers))

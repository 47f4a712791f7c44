"""What a developer who is on a line gets done in a week, month or quarter, as a kind of metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from insights.catalogue.declarations import PartValue, Ratio, RowsBy, quotient
from insights.catalogue.outcome import Outcome
from insights.query.measures import Measure
from integrations.models import FactFamily

OF_NOBODY = "Nobody who could be matched was on this line, so that there is no developer to divide by."


@dataclass(frozen=True, kw_only=True)
class PerDeveloper(Ratio):
    """What was done ÷ the developers who were on its line, bucket by bucket.

    A window has what was done in all of its buckets ÷ the sum of the developers of each: its value lies between those
    of the buckets, and depends on how long these are.  `people` are the different developers of the window.
    """

    over_buckets: ClassVar[bool] = True

    @property
    def families(self) -> frozenset[FactFamily]:
        """Of what is counted: who is at work is told by whatever is connected."""
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

    def outcome(self, part: PartValue) -> Outcome:
        """Of one bucket.  Nothing done by somebody is no value yet: it is 0 where a source tells of it."""
        above, below = part(self.numerator), part(self.denominator)
        developers = below.value or 0
        return Outcome(
            quotient(above.value, developers, self.unit) if above.facts else None,
            above.value or 0,
            developers,
            above.facts,
            int(developers),
            missing=bool(above.facts and not developers),
        )

    def over(self, window: Outcome, buckets: Sequence[Outcome]) -> Outcome:
        """Of a window, from its own outcome and those of its buckets."""
        developers = sum(bucket.denominator or 0 for bucket in buckets)
        value = quotient(window.numerator, developers, self.unit) if window.sample_size else None
        return window._replace(value=value, denominator=developers, missing=bool(window.sample_size and not developers))

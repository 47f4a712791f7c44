"""What is left of a whole once a part of it is taken off."""

from __future__ import annotations

from dataclasses import dataclass

from insights.catalogue.declarations import PartValue, Ratio
from insights.catalogue.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Remainder(Ratio):
    """denominator − numerator; no data where the denominator is nothing.

    Of people: it tells of those that remain, and of those taken off, so that the fewer of them are its group.
    """

    @property
    def recipe(self) -> str:
        return "Σ denominator − Σ contribution"

    def outcome(self, part: PartValue) -> Outcome:
        found = super().outcome(part)
        if not found.denominator:
            return found
        left = max(0.0, found.denominator - (found.numerator or 0))
        groups = [int(people) for people in (left, found.numerator, found.people) if people]
        return found._replace(value=left, people=min(groups, default=0))

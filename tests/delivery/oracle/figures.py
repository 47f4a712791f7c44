"""From counted things to a figure, by the counting rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from insights.query.query import Statistic, Window

RANKS = {Statistic.MEDIAN: 0.5, Statistic.P75: 0.75, Statistic.P85: 0.85, Statistic.P90: 0.9, Statistic.P95: 0.95}


@dataclass(frozen=True)
class Counted:
    """One thing that counts: on which local day, for whom (a person, or what is owned), and with which value.

    Without a value it lacks what is measured, and is left out.
    """

    name: str
    day: date
    credited_to: str | None
    value: float | None = 1.0


@dataclass(frozen=True)
class Question:
    """The days and the unit of a question: `is_there` says whether a person's or owner's facts on a day count.

    `is_split_off` says of one thing whether it is in the segment.
    """

    window: Window
    today: date
    is_there: Callable[[str | None, date], bool]
    is_split_off: Callable[[Counted], bool] = lambda _: True

    def of(self, counted: Iterable[Counted]) -> list[Counted]:
        return [
            fact
            for fact in counted
            if self.window.start <= fact.day < self.window.end
            and self.is_there(fact.credited_to, fact.day)
            and self.is_split_off(fact)
        ]

    @property
    def days_passed(self) -> int:
        return sum(1 for number in range(self.window.days) if self.window.start.toordinal() + number <= self._today)

    @property
    def last_day(self) -> date:
        return min(self.today, date.fromordinal(self.window.end.toordinal() - 1))

    @property
    def _today(self) -> int:
        return self.today.toordinal()


@dataclass(frozen=True)
class Expected:
    """A figure.  Of a count of nothing `value` is 0; whether that is no data the sources say."""

    value: float | None
    sample_size: int
    left_out: int = 0


def spread(counted: Sequence[Counted], statistic: Statistic) -> Expected:
    """Mean or percentile of those that have a value."""
    values = sorted(fact.value for fact in counted if fact.value is not None)
    left_out = len(counted) - len(values)
    if not values:
        return Expected(None, 0, left_out)
    if statistic is Statistic.MEAN:
        return Expected(sum(values) / len(values), len(values), left_out)
    if statistic is Statistic.TRIMMED_MEAN:
        kept = values[:]
        for _ in range(5 * len(values) // 100):  # the slowest goes, one at a time
            kept.remove(max(kept))
        return Expected(sum(kept) / len(kept), len(values), left_out)
    # Linearly between the two values that stand around the rank.
    place = RANKS[statistic] * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    value = values[below] + (values[above] - values[below]) * (place - below)
    return Expected(value, len(values), left_out)


def share(part: Sequence[Counted], whole: Sequence[Counted], times: float = 100) -> Expected:
    """No data where the whole is nothing."""
    if not whole:
        return Expected(None, 0)
    return Expected(times * len(part) / len(whole), len(whole))


def concentration(counted: Sequence[Counted]) -> Expected:
    """Gini coefficient × 100 of how many each person has: the mean difference of any two, by twice the mean."""
    per_person = sorted(Counter(fact.credited_to for fact in counted if fact.credited_to is not None).values())
    if not per_person:
        return Expected(None, 0)
    differences = sum(abs(one - other) for one in per_person for other in per_person)
    return Expected(100 * differences / (2 * len(per_person) * sum(per_person)), sum(per_person))

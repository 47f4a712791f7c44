"""Everybody with agent activity, ranked: what of them may be shown to whom is decided in `visible`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from insights.agents import AGENT_NAMES
from insights.leaderboard.columns import AI_LINES, AI_SHARE, ALL_LINES, BY_KEY, ENOUGH_LINES
from insights.leaderboard.figures import Figures
from insights.metrics.by_person import PersonValue


@dataclass(frozen=True)
class Ranks:
    """The order of everybody, and the ranks of those who have one; equals share theirs."""

    order: Sequence[int]
    by_person: Mapping[int, int]


class Ranking:
    """The figures of everybody with agent activity in a scope and window, and the orders in which they can stand.

    Orders are worked out once each: a second page, or the same sorted anew, reads nothing.
    """

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self.read_at = figures.read_at
        self.people: Sequence[int] = figures.people
        self._numbers: dict[str, Mapping[int, float | None]] = {}
        self._orders: dict[str, Ranks] = {}

    def value(self, key: str, person_id: int) -> PersonValue:
        return self._figures.value(key, person_id)

    def agents(self, person_id: int) -> Sequence[str]:
        """The person's agents, the one of most sessions first; of whoever has no session, the one of most AI lines."""
        return self._figures.agents(person_id)

    def ranks(self, column: str) -> Ranks:
        """Ranked by that column, the greatest first; ties by AI lines.

        By their share only those who committed enough lines are ranked.  Who is not stands behind, without a rank.
        """
        if column not in self._orders:
            self._orders[column] = self._rank(BY_KEY[column].metric)
        return self._orders[column]

    def sorted_by(self, column: str, *, descending: bool) -> Sequence[int]:
        """Everybody by a figure; who has none stands last, whichever way."""
        values, lines = self._of(BY_KEY[column].metric), self._of(AI_LINES)
        known = [person for person in self.people if values[person] is not None]
        known.sort(key=lambda person: lines[person] or 0.0, reverse=True)
        known.sort(key=lambda person: values[person] or 0.0, reverse=descending)
        return [*known, *(person for person in self.people if values[person] is None)]

    def sorted_by_agent(self, *, descending: bool) -> Sequence[int]:
        """By the first of their agents, in the order in which agents stand everywhere."""
        order = list(AGENT_NAMES)

        def place(person: int) -> tuple[int, str]:
            first = next(iter(self.agents(person)), "")
            return (order.index(first) if first in order else len(order), first)

        return sorted(self.people, key=place, reverse=descending)

    def share_of_spenders(self, metric: str, count: int) -> float | None:
        """What the `count` who spend most make up of the metric's total, as a fraction; None where that is nothing."""
        values = self._of(metric)
        total = sum(value or 0.0 for value in values.values())
        spenders = self.sorted_by("spend", descending=True)[:count]
        return sum(values[person] or 0.0 for person in spenders) / total if total > 0 else None

    def _of(self, key: str) -> Mapping[int, float | None]:
        """The metric's value of everybody."""
        if key not in self._numbers:
            self._numbers[key] = self._figures.numbers(key)
        return self._numbers[key]

    def _rank(self, key: str) -> Ranks:
        values, lines = self._of(key), self._of(AI_LINES)
        committed = self._of(ALL_LINES) if key == AI_SHARE else {}

        def standing(person: int) -> tuple[float, float]:
            return -(values[person] or 0.0), -(lines[person] or 0.0)

        def is_ranked(person: int) -> bool:
            enough = key != AI_SHARE or (committed[person] or 0.0) >= ENOUGH_LINES
            return enough and values[person] is not None

        ranked = sorted(filter(is_ranked, self.people), key=standing)
        behind = [person for person in self.people if not is_ranked(person)]
        behind.sort(key=lambda person: (values[person] is None, *standing(person)))
        by_person: dict[int, int] = {}
        for _, equals in groupby(ranked, key=standing):
            rank = len(by_person) + 1
            by_person |= dict.fromkeys(equals, rank)
        return Ranks([*ranked, *behind], by_person)

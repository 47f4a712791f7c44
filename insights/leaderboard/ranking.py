"""Ranks everybody with agent activity; `visible` decides what a viewer may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.catalogue.agents import AGENT_NAMES
from insights.leaderboard.columns import AI_LINES, AI_SHARE, ALL_LINES, BY_KEY, ENOUGH_LINES, SPEND
from insights.leaderboard.figures import Figures

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Floats, Integers


@dataclass(frozen=True)
class Ranks:
    """The order of everybody, and the ranks of those who are ranked; ties share a rank."""

    order: Sequence[int]
    by_person: Mapping[int, int]


class Ranking:
    """The figures of everybody with agent activity in a scope and window, and their orders, each computed once."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.people: Sequence[int] = figures.people
        self._numbers: dict[str, Floats] = {}
        self._orders: dict[str, Ranks] = {}

    def ranks(self, column: str) -> Ranks:
        """Ranked by that column, highest first; ties by AI lines.

        By AI share only people with enough committed lines are ranked; the others follow without a rank.
        """
        if column not in self._orders:
            self._orders[column] = self._rank(BY_KEY[column].metric)
        return self._orders[column]

    def sorted_by(self, column: str, *, descending: bool) -> Sequence[int]:
        """Everybody by a figure, ties by AI lines; people without a value come last in both directions."""
        import numpy as np

        values, lines = self._of(BY_KEY[column].metric), self._of(AI_LINES)
        has_none = np.isnan(values)
        return self._people_at(np.lexsort((-np.nan_to_num(lines), -values if descending else values, has_none)))

    def sorted_by_agent(self, *, descending: bool) -> Sequence[int]:
        """By the first of their agents, in the order of agents that all pages use."""
        order = list(AGENT_NAMES)

        def place(person: int) -> tuple[int, str]:
            first = next(iter(self.figures.agents(person)), "")
            return (order.index(first) if first in order else len(order), first)

        return sorted(self.people, key=place, reverse=descending)

    def share_of_spenders(self, metric: str, count: int) -> float | None:
        """The share of the metric's total (0–1) of the `count` who spend most; None for a total of 0."""
        import numpy as np

        values = np.nan_to_num(self._of(metric))
        total, spenders = values.sum(), self._ordered_by(SPEND, np.ones(len(values), dtype=bool))[:count]
        return float(values[spenders].sum() / total) if total > 0 else None

    def _of(self, key: str) -> Floats:
        """The metric's values in the order of `people`; NaN for a missing one."""
        import numpy as np

        if key not in self._numbers:
            self._numbers[key] = np.asarray(self.figures.numbers(key), dtype=np.float64)
        return self._numbers[key]

    def _rank(self, key: str) -> Ranks:
        import numpy as np

        values, lines = self._of(key), np.nan_to_num(self._of(AI_LINES))
        is_ranked = ~np.isnan(values)
        if key == AI_SHARE:
            is_ranked &= np.nan_to_num(self._of(ALL_LINES)) >= ENOUGH_LINES
        order = self._ordered_by(key, is_ranked)
        ranked = order[: int(is_ranked.sum())]
        is_next = np.ones(len(ranked), dtype=bool)  # not tied with the previous one
        is_next[1:] = (np.diff(values[ranked]) != 0) | (np.diff(lines[ranked]) != 0)
        ranks = np.maximum.accumulate(np.where(is_next, np.arange(1, len(ranked) + 1), 0))
        people = self._people_at(order)
        return Ranks(people, dict(zip(people, ranks.tolist(), strict=False)))

    def _ordered_by(self, key: str, is_ranked: Flags) -> Integers:
        """Indexes of everybody: ranked people first, the greatest value first, then the others; ties by AI lines."""
        import numpy as np

        values, lines = self._of(key), self._of(AI_LINES)
        return np.lexsort((-np.nan_to_num(lines), -np.nan_to_num(values), np.isnan(values), ~is_ranked))

    def _people_at(self, places: Integers) -> Sequence[int]:
        import numpy as np

        people: list[int] = np.asarray(self.people, dtype=np.int64)[places].tolist()
        return people

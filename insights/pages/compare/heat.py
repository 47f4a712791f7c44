"""The rank of a unit among the others by one metric, as a colour and a mark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from insights.query.enums import Better

FEWEST_RANKED = 3  # of two, one is always the best
LEVELS = ((0.2, "b2", "++", "Much better"), (0.4, "b1", "+", "Better"), (0.6, "", "", "In the middle"))
WORSE = ((0.8, "w1", "−", "Worse"), (1.0, "w2", "−−", "Much worse"))


@dataclass(frozen=True)
class Heat:
    key: str  # b2, b1, w1, w2; empty in the middle
    mark: str  # ++ + − −−: readable without colour
    words: str


MIDDLE = Heat("", "", "")
LEGEND = tuple(Heat(key, mark, words) for _, key, mark, words in (*LEVELS, *WORSE))


def heat_of(values: Sequence[float | None], better: Better) -> Sequence[Heat]:
    """The heat of each value by its rank; ties share a rank, missing values and small sets have none.

    By rank and not by distance, because a single outlier would take the colour from all others.
    """
    known = [value for value in values if value is not None]
    if better is Better.NEITHER or len(known) < FEWEST_RANKED:
        return [MIDDLE] * len(values)
    places = _places(known)
    return [MIDDLE if value is None else _level(places[value], better) for value in values]


def _places(known: Sequence[float]) -> Mapping[float, float]:
    """Value → its relative rank, 0 for the least and 1 for the greatest; ties get their mean."""
    ordered = sorted(known)
    last = len(ordered) - 1
    return {
        value: (ordered.index(value) + len(ordered) - 1 - ordered[::-1].index(value)) / 2 / last
        for value in set(ordered)
    }


def _level(place: float, better: Better) -> Heat:
    """`place` is 0 for the least."""
    from_best = place if better is Better.LOWER else 1 - place
    for limit, key, mark, words in (*LEVELS, *WORSE):
        if from_best <= limit + 1e-9:
            return Heat(key, mark, words)
    raise ValueError("A rank position is at most 1.")

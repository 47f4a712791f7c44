"""The effect of a change on the units that made it, compared with units that did not: the difference in differences.

Each unit gives one number, the mean of its weeks after the start minus the mean of its weeks before it, and the effect
is the mean of the treated units minus that of the compared ones.  What affects all units cancels out, and so does what
never changes in a unit.  Weeks of a unit resemble one another, so the sampling units are the units, not their weeks (M.
Bertrand, E. Duflo and S. Mullainathan, 2004: https://doi.org/10.1162/003355304772839588); for few units, the interval
is Student's t over them (S. Donald and K. Lang, 2007: https://doi.org/10.1162/rest.89.2.221).  If units start one after
the other, each is compared with the untreated ones in its own weeks, and never with units that started before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.formulas.differences import CONFIDENCE, students_t

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

WEEKS_BEFORE = 12
FEWEST_WEEKS = 4  # with a value, on each side of a unit's start
# Both groups together show how much units differ, so two units that change are enough: a pilot.
FEWEST_TREATED, FEWEST_COMPARED = 2, 3
FEWEST_FREEDOM = 3  # of a spread that is estimated from the past
POWER = 0.8


@dataclass(frozen=True)
class Panel:
    """Weekly values, a row for each unit, NaN for a week without one; the treated units come first.

    `starts` are the columns of their first weeks, and `weeks` is the number compared from there on.
    """

    values: Floats
    starts: Sequence[int]
    weeks: int


@dataclass(frozen=True)
class Effect:
    """A difference with its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def shows_nothing(self) -> bool:
        return self.low <= 0 <= self.high


def effect_of(panel: Panel) -> Effect | None:
    """The effect; None if too few units have enough weeks: two that changed and three that did not are needed."""
    return _compared(panel, lambda row, start: _mean(row[start : start + panel.weeks]) - _before(row, start))


def trend_before(panel: Panel) -> Effect | None:
    """The weekly drift of the treated units relative to the compared ones before the start."""
    return _compared(panel, lambda row, start: _slope(row[max(0, start - WEEKS_BEFORE) : start]))


def event_study(panel: Panel) -> Sequence[tuple[int, Effect | None]]:
    """The difference in each week, counted from the start, relative to the mean of the weeks before."""

    def difference(week: int) -> Effect | None:
        return _compared(panel, lambda row, start: _at(row, start + week) - _before(row, start))

    return [(week, difference(week)) for week in range(-WEEKS_BEFORE, panel.weeks)]


def detectable(history: Floats, treated: int, weeks: Sequence[int]) -> Mapping[int, float | None]:
    """The smallest effect that would be shown in four of five experiments, by the number of weeks after the start.

    It is computed from how much these units' own means diverged in the past, as if an experiment had begun at regular
    intervals; it does not matter which rows of `history` are treated.
    """
    compared = len(history) - treated
    if treated < FEWEST_TREATED or compared < FEWEST_COMPARED:
        return dict.fromkeys(weeks)
    freedom = len(history) - 2
    times = students_t((1 + CONFIDENCE) / 2, freedom) + students_t(POWER, freedom)
    per_unit = math.sqrt(1 / treated + 1 / compared)
    spreads = {number: _spread(history, number) for number in weeks}
    return {number: None if spread is None else times * spread * per_unit for number, spread in spreads.items()}


def _spread(history: Floats, weeks: int) -> float | None:
    """The standard deviation of units' differences around their common one, over starts in the past."""
    import numpy as np

    squares, freedom = 0.0, 0
    for start in range(WEEKS_BEFORE, history.shape[1] - weeks + 1, weeks):
        moved = np.array([_mean(row[start : start + weeks]) - _before(row, start) for row in history])
        moved = moved[~np.isnan(moved)]
        if len(moved) > 1:
            squares += float(((moved - moved.mean()) ** 2).sum())
            freedom += len(moved) - 1
    return math.sqrt(squares / freedom) if freedom >= FEWEST_FREEDOM else None


def _compared(panel: Panel, measure: Callable[[Floats, int], float]) -> Effect | None:
    """The effect on a measure of a unit around a start; units without it are left out."""
    import numpy as np

    treated = panel.values[: len(panel.starts)]
    own = np.array([measure(row, start) for row, start in zip(treated, panel.starts, strict=True)])
    others = np.array([[measure(row, start) for start in panel.starts] for row in panel.values[len(panel.starts) :]])
    if others.size == 0:
        return None
    others = others[~np.isnan(others).any(axis=1)]
    if len(others) < FEWEST_COMPARED:
        return None
    apart = own - others.mean(axis=0)
    apart = apart[~np.isnan(apart)]
    if len(apart) < FEWEST_TREATED:
        return None
    compared, freedom = others.mean(axis=1), len(apart) + len(others) - 2
    squares = float(((apart - apart.mean()) ** 2).sum() + ((compared - compared.mean()) ** 2).sum())
    reach = students_t((1 + CONFIDENCE) / 2, freedom) * math.sqrt(
        squares / freedom * (1 / len(apart) + 1 / len(others))
    )
    value = float(apart.mean())
    return Effect(value, value - reach, value + reach)


def _before(row: Floats, start: int) -> float:
    return _mean(row[max(0, start - WEEKS_BEFORE) : start])


def _mean(weeks: Floats) -> float:
    """The mean; NaN for too few weeks with a value."""
    import numpy as np

    known = weeks[~np.isnan(weeks)]
    return float(known.mean()) if len(known) >= FEWEST_WEEKS else math.nan


def _at(row: Floats, week: int) -> float:
    return float(row[week]) if 0 <= week < len(row) else math.nan


def _slope(weeks: Floats) -> float:
    """The slope by least squares."""
    import numpy as np

    places = np.flatnonzero(~np.isnan(weeks))
    if len(places) < FEWEST_WEEKS:
        return math.nan
    apart = places - places.mean()
    return float((apart * weeks[places]).sum() / (apart**2).sum())

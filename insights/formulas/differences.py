"""How far apart two groups of work are, and how sure that is: a bootstrap that resamples developers.

The unit that is drawn is a developer with all that is theirs, in both groups: pull requests of one person are alike,
and taking each for a witness of its own would make intervals far too short.  A developer with work in both groups is
drawn for both at once, so that what is theirs cancels out.  Intervals are percentile intervals, widened for few
developers as by Student's t (T. Hesterberg, What Teachers Should Know About the Bootstrap, 2015, section 5.3:
https://doi.org/10.1080/00031305.2015.1089789).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

    from insights.formulas.arrays import Floats, Integers

CONFIDENCE = 0.95
FEWEST_DEVELOPERS = 8  # of a group: below, no resampling tells how different developers are
MOST_REPLICATES = 2000
FEWEST_REPLICATES = 400
DRAWS = 8_000_000  # of developers, and looks at values, that take some tenths of a second
NEAR = 0.1  # as a share of the values: how far from a percentile those lie that are looked at one by one
DRAWN_AT_ONCE = 2_000_000


@dataclass(frozen=True)
class Interval:
    low: float
    high: float

    @property
    def holds_nothing(self) -> bool:
        """Whether it holds 0: the groups may be alike."""
        return self.low <= 0 <= self.high


@dataclass(frozen=True)
class Totals:
    """One group, a place for each developer of both groups: what is above and below the line of a quotient."""

    above: Floats
    below: Floats

    @property
    def developers(self) -> int:
        return int((self.below > 0).sum())

    @property
    def value(self) -> float | None:
        below = float(self.below.sum())
        return float(self.above.sum()) / below if below else None


@dataclass(frozen=True)
class Values:
    """One group's durations, each with its developer: a number from 0, the same in both groups."""

    values: Floats
    developers: Integers

    def totals(self, developers: int) -> Totals:
        """Their sum and number by developer, of so many."""
        import numpy as np

        return Totals(
            np.bincount(self.developers, weights=self.values, minlength=developers).astype(np.float64),
            np.bincount(self.developers, minlength=developers).astype(np.float64),
        )


def difference_of_quotients(first: Totals, second: Totals, *, seed: int) -> Interval | None:
    """Of the first group's Σ above ÷ Σ below minus the second's; None where a group has too few developers."""
    import numpy as np

    if min(first.developers, second.developers) < FEWEST_DEVELOPERS:
        return None
    developers = len(first.above)
    replicates = replicates_for(developers)
    columns = np.stack((first.above, first.below, second.above, second.below), axis=1)
    sums = np.concatenate([weights @ columns for weights in drawn_weights(developers, replicates, seed)])
    drawn = sums[(sums[:, 1] > 0) & (sums[:, 3] > 0)]
    return widened_interval(drawn[:, 0] / drawn[:, 1] - drawn[:, 2] / drawn[:, 3], first.developers, second.developers)


def difference_of_means(first: Values, second: Values, *, seed: int) -> Interval | None:
    developers = _number(first, second)
    return difference_of_quotients(first.totals(developers), second.totals(developers), seed=seed)


def difference_of_percentiles(first: Values, second: Values, percentile: float, *, seed: int) -> Interval | None:
    """Of percentiles (0–1), interpolated linearly; None where a group has too few developers."""
    import numpy as np

    groups = [in_order(each) for each in (first, second)]
    counted = [len(np.unique(each.developers)) for each in groups]
    if min(counted) < FEWEST_DEVELOPERS:
        return None
    developers = _number(first, second)
    replicates = replicates_for(developers + round((len(first.values) + len(second.values)) * 2 * NEAR))
    drawn = np.concatenate(
        [
            drawn_percentiles(groups[0], weights, percentile) - drawn_percentiles(groups[1], weights, percentile)
            for weights in drawn_weights(developers, replicates, seed)
        ]
    )
    return widened_interval(drawn[~np.isnan(drawn)], counted[0], counted[1])


def percentile_of(values: Floats, percentile: float) -> float | None:
    """As PostgreSQL's percentile_cont; None of nothing."""
    import numpy as np

    return float(np.quantile(values, percentile)) if len(values) else None


def _number(first: Values, second: Values) -> int:
    """Of the developers of both."""
    return 1 + int(max(each.developers.max(initial=-1) for each in (first, second)))


def replicates_for(work: int) -> int:
    return max(FEWEST_REPLICATES, min(MOST_REPLICATES, DRAWS // max(1, work)))


def drawn_weights(developers: int, replicates: int, seed: int) -> Iterator[Floats]:
    """How often each developer was drawn, a row per replicate, some rows at a time."""
    import numpy as np

    rng: Generator = np.random.default_rng(seed)
    at_once = max(1, DRAWN_AT_ONCE // developers)
    for start in range(0, replicates, at_once):
        rows = min(at_once, replicates - start)
        drawn = rng.integers(0, developers, size=(rows, developers), dtype=np.int64)
        drawn += np.arange(rows, dtype=np.int64)[:, None] * developers
        yield np.bincount(drawn.ravel(), minlength=rows * developers).reshape(rows, developers).astype(np.float64)


def in_order(group: Values) -> Values:
    import numpy as np

    order = np.argsort(group.values, kind="stable")
    return Values(group.values[order], group.developers[order])


def drawn_percentiles(group: Values, weights: Floats, percentile: float) -> Floats:
    """Of sorted values, each as often as its developer was drawn, by row of weights; NaN where none was.

    A drawn percentile lies near that of all values, so that those near it are looked at one by one, and of the others
    it is enough how many there are by developer.
    """
    import numpy as np

    size, developers = len(group.values), weights.shape[1]
    first, last = (min(size, max(0, round(size * (percentile + near)))) for near in (-NEAR, NEAR))
    before = weights @ np.bincount(group.developers[:first], minlength=developers)
    places = percentile * (weights @ np.bincount(group.developers, minlength=developers) - 1)
    found = np.empty(len(weights))
    for row, (place, start) in enumerate(zip(places.tolist(), before.tolist(), strict=True)):
        ends = start + np.cumsum(weights[row].take(group.developers[first:last]))
        if place < 0:
            found[row] = math.nan
        elif last > first and start <= math.floor(place) and math.ceil(place) < ends[-1]:
            found[row] = _between(group.values[first:last], ends, place)
        else:
            found[row] = _between(group.values, np.cumsum(weights[row].take(group.developers)), place)
    return found


def _between(values: Floats, ends: Floats, place: float) -> float:
    """The value at a place from 0, of sorted values that end at these places, interpolated linearly."""
    import numpy as np

    below, above = np.searchsorted(ends, (math.floor(place), math.ceil(place)), side="right")
    low, high = float(values[below]), float(values[above])
    return low + (place - math.floor(place)) * (high - low)


def widened_interval(differences: Floats, first: int, second: int) -> Interval:
    """The middle of what was drawn: 95 %, and somewhat more the fewer developers the smaller group has."""
    import numpy as np

    developers = min(first, second)
    widened = math.sqrt(developers / (developers - 1)) * students_t((1 + CONFIDENCE) / 2, developers - 1)
    tail = NormalDist().cdf(-widened)
    low, high = np.quantile(differences, (tail, 1 - tail))
    return Interval(float(low), float(high))


def students_t(probability: float, freedom: int) -> float:
    """The quantile of Student's t from 4 degrees of freedom on, to three digits.

    The series of R. A. Fisher and E. A. Cornish, 1960 (Abramowitz and Stegun, 26.7.5).
    """
    z = NormalDist().inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom**power) for power, term in enumerate(terms, start=1))

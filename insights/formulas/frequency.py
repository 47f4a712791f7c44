"""Estimates how often a unit would release, from its own weeks: the arithmetic behind recommendations.

Two relations are examined, and each is stated with its result:

*In proportion.*  Over the weeks, the logarithm of releases is regressed on that of a wait, a size or a stock, together
with a straight line over time.  The slope is an elasticity: the percentage by which releases differ if the other value
is 1 % higher.  Weeks that resemble the week before count for less: the variance is multiplied by (1 + ab) ÷ (1 − ab),
with a and b the autocorrelations of both (M. S. Bartlett, 1935: https://doi.org/10.2307/2342284).

*In smaller batches.*  Releases are changes ÷ changes per release.  As many changes as now, in batches as small as in an
earlier period, give now ÷ earlier times the releases; the interval resamples weeks.

Neither shows that one causes the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.formulas.bootstrap import drawn_weights
from insights.formulas.differences import CONFIDENCE, students_t

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

FEWEST_WEEKS = 26  # with both values: fewer show a season, not a relation
FEWEST_WEEKS_OF_BATCHES = 8  # in each of the two periods
MOST_AUTOCORRELATION = 0.9
MOST_WEEKS_LACKING = 2  # times the weeks that there are
SEED = 59


@dataclass(frozen=True)
class Expected:
    """A relative change of releases with its 95 % interval: 0.09, 0.04 to 0.15."""

    share: float
    low: float
    high: float


@dataclass(frozen=True)
class Relation:
    """The elasticity of releases, and its standard error."""

    elasticity: float
    error: float
    freedom: int
    weeks: int

    def is_clear(self, chance: float) -> bool:
        """Whether an elasticity as clear is seen less often than `chance` if there is no relation (Student's t, both
        sides).
        """
        return abs(self.elasticity) > students_t(1 - chance / 2, self.freedom) * self.error

    def weeks_lacking(self, chance: float) -> int | None:
        """The number of further weeks like these after which a relation to more releases would be clear; None if there
        is no such relation.

        The error falls with the square root of the number of weeks.  More than twice as many as there are is not a
        plan.
        """
        if self.elasticity >= 0:
            return None
        times = (students_t(1 - chance / 2, self.freedom) * self.error / self.elasticity) ** 2
        lacking = math.ceil(self.weeks * times) - self.weeks
        return max(1, lacking) if lacking <= MOST_WEEKS_LACKING * self.weeks else None


def relation(releases: Sequence[float | None], other: Sequence[float | None]) -> Relation | None:
    """Regress the logarithms of weekly values, leaving out weeks that lack one or have zero.  None for too few
    weeks.
    """
    import numpy as np

    pairs = [
        (week, math.log(count), math.log(value))
        for week, (count, value) in enumerate(zip(releases, other, strict=True))
        if count and value and count > 0 and value > 0
    ]
    if len(pairs) < FEWEST_WEEKS:
        return None
    weeks, counts, values = np.array(pairs, dtype=np.float64).T
    around = _without_line(values, weeks)
    spread = float((around**2).sum())
    if spread <= 0:
        return None
    counts = _without_line(counts, weeks)
    elasticity = float((around * counts).sum() / spread)
    residuals = counts - elasticity * around
    freedom = len(pairs) - 3
    product = _autocorrelation(around) * _autocorrelation(residuals)
    inflation = (1 + product) / (1 - product) if product > 0 else 1.0
    error = math.sqrt(float((residuals**2).sum()) / freedom / spread * inflation)
    if error <= 0:
        return None
    return Relation(elasticity, error, freedom, len(pairs))


def in_proportion(found: Relation, now: float, then: float) -> Expected:
    """Estimate the change of releases if the other value goes from `now` to `then`, both above zero."""
    way = math.log(then / now)
    reach = students_t((1 + CONFIDENCE) / 2, found.freedom) * found.error * abs(way)
    middle = found.elasticity * way
    return Expected(math.expm1(middle), math.expm1(middle - reach), math.expm1(middle + reach))


def in_smaller_batches(
    now: Sequence[tuple[float, float]], then: Sequence[tuple[float, float]], *, confidence: float = CONFIDENCE
) -> Expected | None:
    """Compare changes per release; each week is a pair of changes and releases.  None for fewer than eight such
    weeks.
    """
    import numpy as np

    drawn = []
    batches = []
    for place, weeks in enumerate((now, then)):
        columns = np.array([week for week in weeks if week[0] > 0 and week[1] > 0], dtype=np.float64)
        if len(columns) < FEWEST_WEEKS_OF_BATCHES:
            return None
        sums = np.concatenate([weights @ columns for weights in drawn_weights(len(columns), seed=SEED + place)])
        batches.append(float(columns[:, 0].sum() / columns[:, 1].sum()))
        # Resampling understates the spread of n values by (n − 1) ÷ n.
        log = np.log(sums[:, 0] / sums[:, 1])
        widened = (log - log.mean()) * math.sqrt(len(columns) / (len(columns) - 1)) + log.mean()
        drawn.append(widened)
    ratios = drawn[0] - drawn[1]
    tail = (1 - confidence) / 2
    low, high = np.quantile(ratios, (tail, 1 - tail))
    return Expected(batches[0] / batches[1] - 1, float(math.expm1(low)), float(math.expm1(high)))


def together(expected: Sequence[Expected]) -> Expected:
    """Combine changes whose errors are independent of one another: their factors are multiplied."""
    middle = sum(math.log1p(one.share) for one in expected)
    below = math.sqrt(sum((math.log1p(one.share) - math.log1p(one.low)) ** 2 for one in expected))
    above = math.sqrt(sum((math.log1p(one.high) - math.log1p(one.share)) ** 2 for one in expected))
    return Expected(math.expm1(middle), math.expm1(middle - below), math.expm1(middle + above))


def side_by_side(expected: Sequence[Expected]) -> Expected:
    """Add up the changes of parts of one whole.  Their bounds add up as well, because they may share what they are
    compared with.
    """
    return Expected(
        sum(one.share for one in expected), sum(one.low for one in expected), sum(one.high for one in expected)
    )


def _without_line(values: Floats, weeks: Floats) -> Floats:
    """Subtract the straight line over time."""
    apart = weeks - weeks.mean()
    slope = (apart * values).sum() / (apart**2).sum()
    line: Floats = values.mean() + slope * apart
    return values - line


def _autocorrelation(values: Floats) -> float:
    """The autocorrelation of the values at one week, plus (2 + 4r) ÷ n because it is underestimated around a line, from
    0 up to a bound.
    """
    whole = float((values**2).sum())
    found = float((values[1:] * values[:-1]).sum()) / whole if whole else 0.0
    return min(MOST_AUTOCORRELATION, max(0.0, found + (2 + 4 * found) / len(values)))

"""Margins of error (95 %) of one value of one week (month, quarter).

The sampling unit is a developer with all their work of the week, as in `differences`: pull requests of one person are
correlated.  The population is developers of the same kind, with varying luck and habits.

- Counts per developer, from a few sums over developers: Student's interval of a mean, skewed towards the long tail of
  the counts (Johnson's correction; T. Hesterberg, What Teachers Should Know About the Bootstrap, 2015, its
  skewness-adjusted t: https://doi.org/10.1080/00031305.2015.1089789).
- Mean durations, a quotient of two sums over developers: Student's interval with the linearised variance of the
  quotient, on its logarithm, because durations are skewed (W. G. Cochran, Sampling Techniques, 3rd edition, 1977,
  section 6.3).
- Median durations: developers are drawn with replacement, as for differences.

Higher percentiles have no margin: in simulations their coverage was too low in groups as small as a week's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.formulas.bootstrap import FEWEST_REPLICATES, Values, drawn_percentiles, drawn_weights, percentile_of
from insights.formulas.differences import CONFIDENCE, FEWEST_DEVELOPERS, students_t, widened_interval

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers

FEWEST_FOR_MEANS = 30  # developers: with fewer, a single long duration dominates the mean
MOST_REPLICATES = 1000
DRAWS = 400_000  # per week and line: a chart has up to a hundred of these
MEDIAN = 0.5


@dataclass(frozen=True)
class Counted:
    """Counts of facts: the number of developers, of those with any fact, and the sums of powers of their counts."""

    developers: int
    contributors: int
    facts: float
    squares: float
    cubes: float


@dataclass(frozen=True)
class ErrorMargin:
    """The margin of error below and above a value, in its unit; `contributors` counts the developers behind it."""

    below: float
    above: float
    contributors: int


def margin_of_rate(counted: Counted) -> ErrorMargin | None:
    """Margin of error of facts per developer; None for fewer than FEWEST_DEVELOPERS contributors."""
    if counted.contributors < FEWEST_DEVELOPERS:
        return None
    number = max(counted.developers, counted.contributors)
    mean = counted.facts / number
    variance = max(0.0, counted.squares / number - mean**2)
    third = counted.cubes / number - 3 * mean * counted.squares / number + 2 * mean**3
    error = math.sqrt(variance / (number - 1))
    skewness = third / variance**1.5 if variance > 0 else 0.0
    t = students_t((1 + CONFIDENCE) / 2, number - 1)
    moved = skewness / (6 * math.sqrt(number)) * (1 + 2 * t**2)
    return ErrorMargin(min(mean, error * max(0.0, t - moved)), error * max(0.0, t + moved), counted.contributors)


def margin_of_mean(values: Floats, developers: Integers) -> ErrorMargin | None:
    """Margin of error of a mean of durations, each with its developer; None for fewer than FEWEST_FOR_MEANS."""
    import numpy as np

    group, number = _numbered(values, developers)
    totals = group.totals(number)
    mean = totals.value
    if number < FEWEST_FOR_MEANS or not mean:
        return None
    apart = totals.above - mean * totals.below
    error = math.sqrt(number / (number - 1) * float(np.square(apart).sum())) / float(totals.above.sum())
    times = math.exp(students_t((1 + CONFIDENCE) / 2, number - 1) * error)
    return ErrorMargin(mean - mean / times, mean * times - mean, number)


def margin_of_median(values: Floats, developers: Integers, *, seed: int) -> ErrorMargin | None:
    """Margin of error of a median of durations, each with its developer; None for fewer than FEWEST_DEVELOPERS."""
    import numpy as np

    group, number = _numbered(values, developers)
    median = percentile_of(values, MEDIAN)
    if number < FEWEST_DEVELOPERS or median is None:
        return None
    ordered = group.in_order()
    replicates = max(FEWEST_REPLICATES, min(MOST_REPLICATES, DRAWS // number))
    chunks = drawn_weights(number, seed=seed, replicates=replicates)
    drawn = np.concatenate([drawn_percentiles(ordered, weights, MEDIAN) for weights in chunks])
    interval = widened_interval(drawn, number, number)
    return ErrorMargin(max(0.0, median - interval.low), max(0.0, interval.high - median), number)


def _numbered(values: Floats, developers: Integers) -> tuple[Values, int]:
    """The values with developers numbered from 0, and the number of developers."""
    import numpy as np

    known, numbers = np.unique(developers, return_inverse=True)
    return Values(values, numbers), len(known)

"""Confidence intervals of the difference between two groups of work: a bootstrap that resamples developers.

The resampling unit is a developer with all their work in both groups: pull requests of one person are correlated, and
treating them as independent would make intervals far too narrow.  A developer with work in both groups is drawn for
both at once, so that individual effects cancel out.  Intervals are percentile intervals, widened for few developers as
by Student's t (T. Hesterberg, What Teachers Should Know About the Bootstrap, 2015, section 5.3:
https://doi.org/10.1080/00031305.2015.1089789).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

from insights.formulas.bootstrap import Totals, Values, drawn_percentiles, drawn_weights

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

CONFIDENCE = 0.95
FEWEST_DEVELOPERS = 8  # per group: with fewer, resampling cannot estimate how much developers differ


@dataclass(frozen=True)
class ConfidenceInterval:
    low: float
    high: float

    @property
    def holds_nothing(self) -> bool:
        """Whether the interval includes 0, so that the groups may not differ."""
        return self.low <= 0 <= self.high


def difference_of_quotients(first: Totals, second: Totals, *, seed: int) -> ConfidenceInterval | None:
    """Interval of the first group's Σ above ÷ Σ below minus the second's; None if a group has too few developers."""
    import numpy as np

    if min(first.developers, second.developers) < FEWEST_DEVELOPERS:
        return None
    developers = len(first.above)
    columns = np.stack((first.above, first.below, second.above, second.below), axis=1)
    sums = np.concatenate([weights @ columns for weights in drawn_weights(developers, seed=seed)])
    drawn = sums[(sums[:, 1] > 0) & (sums[:, 3] > 0)]
    return widened_interval(drawn[:, 0] / drawn[:, 1] - drawn[:, 2] / drawn[:, 3], first.developers, second.developers)


def difference_of_means(first: Values, second: Values, *, seed: int) -> ConfidenceInterval | None:
    developers = _number(first, second)
    return difference_of_quotients(first.totals(developers), second.totals(developers), seed=seed)


def difference_of_percentiles(
    first: Values, second: Values, percentile: float, *, seed: int
) -> ConfidenceInterval | None:
    """Interval for percentiles (0–1), interpolated linearly; None if a group has too few developers."""
    import numpy as np

    groups = [group.in_order() for group in (first, second)]
    counted = [len(np.unique(group.developers)) for group in groups]
    if min(counted) < FEWEST_DEVELOPERS:
        return None
    developers = _number(first, second)
    drawn = np.concatenate(
        [
            drawn_percentiles(groups[0], weights, percentile) - drawn_percentiles(groups[1], weights, percentile)
            for weights in drawn_weights(developers, seed=seed)
        ]
    )
    return widened_interval(drawn[~np.isnan(drawn)], counted[0], counted[1])


def _number(first: Values, second: Values) -> int:
    """The number of developers of both groups."""
    return 1 + int(max(group.developers.max(initial=-1) for group in (first, second)))


def widened_interval(differences: Floats, first: int, second: int) -> ConfidenceInterval:
    """The middle 95 % of the replicates, widened more if the smaller group has fewer developers."""
    import numpy as np

    developers = min(first, second)
    widened = math.sqrt(developers / (developers - 1)) * students_t((1 + CONFIDENCE) / 2, developers - 1)
    tail = NormalDist().cdf(-widened)
    low, high = np.quantile(differences, (tail, 1 - tail))
    return ConfidenceInterval(float(low), float(high))


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

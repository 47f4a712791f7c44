"""Confidence intervals of a value over several weeks: a bootstrap that resamples whole weeks.

A team is not a sample of developers but all of them.  What varies is the work from week to week, so the resampling unit
is a week (or month) with all its facts; facts of one week are correlated, and treating them as independent would make
intervals far too narrow.  Weeks are assumed to be independent: where good and bad months alternate, the interval is too
narrow, and where the value drifts, too wide.  Intervals are percentile intervals, widened for few weeks as by Student's
t: see `differences`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from insights.formulas.bootstrap import Values, drawn_percentiles, drawn_weights
from insights.formulas.differences import FEWEST_DEVELOPERS, ConfidenceInterval, widened_interval

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers

FEWEST_WEEKS = FEWEST_DEVELOPERS  # with fewer, resampling cannot estimate how much weeks differ


def interval_of_quotient(above: Sequence[float], below: Sequence[float], *, seed: int) -> ConfidenceInterval | None:
    """Interval of Σ above ÷ Σ below, both by week; None for too few weeks with a denominator."""
    import numpy as np

    columns = np.array([above, below], dtype=np.float64).T
    columns = columns[columns[:, 1] > 0]
    weeks = len(columns)
    if weeks < FEWEST_WEEKS:
        return None
    drawn = np.concatenate([weights @ columns for weights in drawn_weights(weeks, seed=seed)])
    return widened_interval(drawn[:, 0] / drawn[:, 1], weeks, weeks)


def interval_of_mean(values: Sequence[float], *, seed: int) -> ConfidenceInterval | None:
    """Interval of the mean of one value per week."""
    return interval_of_quotient(values, [1.0] * len(values), seed=seed)


def interval_of_percentile(
    values: Floats, weeks: Integers, percentile: float, *, seed: int
) -> ConfidenceInterval | None:
    """Interval of a percentile (0–1) of values, each with the number of its week; interpolated linearly."""
    import numpy as np

    _, numbers = np.unique(weeks, return_inverse=True)
    having = int(numbers.max(initial=-1)) + 1
    if having < FEWEST_WEEKS:
        return None
    group = Values(values, numbers).in_order()
    drawn = np.concatenate(
        [drawn_percentiles(group, weights, percentile) for weights in drawn_weights(having, seed=seed)]
    )
    return widened_interval(drawn[~np.isnan(drawn)], having, having)

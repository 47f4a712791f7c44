"""Whether a change between two windows exceeds normal variation.

The same comparison is repeated at other times, when nothing was done (an in-time placebo test): a window, and one of
the same length as much later.  The variance of these changes shows how far the value moves by itself, with its season,
noise and drift; this works for every metric and needs no rows.  Changes with overlapping windows are correlated, and
count only as many as fit without overlap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from insights.formulas.differences import ConfidenceInterval, students_t

CONFIDENCE = 0.9
FEWEST_CHANGES = 20  # between windows that start a week apart: fewer are worth less than five without overlap
FEWEST_BUCKETS = 4  # of one window: fewer do not show how far the value moves by itself


def interval_of_change(change: float, usual: Sequence[float], *, overlapping: int) -> ConfidenceInterval | None:
    """The 90 % interval of `change` beyond normal variation; None for too few `usual` changes.

    Each change of `usual` overlaps with the next `overlapping` - 1.
    """
    if len(usual) < FEWEST_CHANGES:
        return None
    independent = (len(usual) + overlapping - 1) / overlapping
    spread = stdev(usual) * math.sqrt(1 + 1 / independent)
    reach = students_t((1 + CONFIDENCE) / 2, max(4, math.floor(independent - 1))) * spread
    return ConfidenceInterval(change - fmean(usual) - reach, change - fmean(usual) + reach)


def is_within_variation(change: float, buckets: Sequence[float], *, long: int | None = None) -> bool:
    """Whether a change between two adjoining windows is no larger than the variation of `buckets` explains.

    A simpler test than `interval_of_change`, for pages that have read little more than the two windows: it compares two
    means of `long` buckets each (default: the buckets are those of one window) that vary like these (Student, 90 %).
    False for too few buckets.
    """
    if len(buckets) < FEWEST_BUCKETS:
        return False
    spread = stdev(buckets) * math.sqrt(2 / (long or len(buckets)))
    reach = students_t((1 + CONFIDENCE) / 2, len(buckets) - 1) * spread
    return abs(change) <= reach

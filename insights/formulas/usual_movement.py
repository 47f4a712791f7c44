"""Whether a change between two windows is more than what happens anyway.

The same comparison is made at other times, when nothing was done (a placebo in time): a window, and one equally long as
much later.  How these changes scatter says how far the figure moves by itself, with whatever season, noise and drift it
has, so that it holds for every metric and needs no rows.  Changes whose windows overlap tell nearly the same, and count
for as many as have room side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from insights.formulas.differences import Interval, students_t

CONFIDENCE = 0.9
FEWEST_CHANGES = 20  # of windows that begin a week apart: fewer tell less than five that don't overlap


def interval_of_change(change: float, usual: Sequence[float], *, overlapping: int) -> Interval | None:
    """Where the part of `change` lies that is more than usual, in 9 of 10 cases; None for too few usual ones.

    Each change of `usual` shares windows with the next `overlapping` - 1.
    """
    if len(usual) < FEWEST_CHANGES:
        return None
    independent = (len(usual) + overlapping - 1) / overlapping
    spread = stdev(usual) * math.sqrt(1 + 1 / independent)
    reach = students_t((1 + CONFIDENCE) / 2, max(4, math.floor(independent - 1))) * spread
    return Interval(change - fmean(usual) - reach, change - fmean(usual) + reach)

"""Linear trend of weekly values, with a forecast and its prediction interval.

Ordinary least squares: value = a + b · week.  The mean over `weeks` future weeks, centred at x, is estimated as a + b ·
x, and lies in 80 of 100 cases within t(0.9, n − 2) standard errors of it, where

    standard error = s · sqrt(1 / weeks + 1 / n + (x − x̄)² / Σ (xᵢ − x̄)²)

and s² is the residual variance with n − 2 degrees of freedom: the usual prediction interval for the mean of several
future observations (Draper and Smith, Applied Regression Analysis, 3rd edition, 1998, section 3.1).  Weeks are assumed
to be independent with equal variance; if good and bad weeks come in runs, the interval is too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_POINTS = 4  # with three, one outlier decides the slope, and the interval is twice as wide
MOST_POINTS = 8  # about two months: older weeks predate the work on the objective
# 90th percentile of Student's t by degrees of freedom: two-sided 80 %.  NIST/SEMATECH e-Handbook, section 1.3.6.7.2.
_T_90 = {2: 1.886, 3: 1.638, 4: 1.533, 5: 1.476, 6: 1.440}


@dataclass(frozen=True)
class Estimate:
    """A forecast, and the half-width of its 80 % prediction interval."""

    value: float
    half_width: float


@dataclass(frozen=True)
class Line:
    """A fitted line; x counts weeks from any origin, the same for `ahead`."""

    mean: float
    slope: float
    points: int
    mean_x: float
    spread_x: float  # Σ (xᵢ − x̄)²
    residual_variance: float

    def ahead(self, x: float, *, weeks: float = 1.0) -> Estimate:
        """The forecast of the mean over `weeks` weeks (fractions allowed) centred at x."""
        apart = x - self.mean_x
        variance = self.residual_variance * (1 / weeks + 1 / self.points + apart**2 / self.spread_x)
        return Estimate(self.mean + self.slope * apart, _T_90[self.points - 2] * math.sqrt(variance))


def line_through(points: Sequence[tuple[float, float]]) -> Line | None:
    """The line fitted to the latest points (x, value), in ascending x; None for too few points, or a single x."""
    latest = points[-MOST_POINTS:]
    if len(latest) < FEWEST_POINTS:
        return None
    count = len(latest)
    mean_x = sum(x for x, _ in latest) / count
    mean = sum(value for _, value in latest) / count
    spread_x = sum((x - mean_x) ** 2 for x, _ in latest)
    if not spread_x:
        return None
    slope = sum((x - mean_x) * (value - mean) for x, value in latest) / spread_x
    residuals = sum((value - mean - slope * (x - mean_x)) ** 2 for x, value in latest)
    return Line(mean, slope, count, mean_x, spread_x, residuals / (count - 2))

"""The line through weekly values and its interval: by hand, against a general solution, and in a simulation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random

import numpy as np
import pytest

from insights.formulas.linear_trend import FEWEST_POINTS, MOST_POINTS, line_through


def test_four_weeks_by_hand() -> None:
    """Weeks 0 to 3 with 10, 14, 12, 16.  Mean 13 at week 1.5; Σ(x − 1.5)² = 5; Σ(x − 1.5)(y − 13) = 8; slope 1.6.

    The line says 10.6, 12.2, 13.8, 15.4; it misses by −0.6, 1.8, −1.8, 0.6, squared 7.2 in all: s² = 7.2 / 2 = 3.6.
    At week 5: 13 + 1.6 · 3.5 = 18.6; variance 3.6 · (1 + 1/4 + 3.5²/5) = 13.32; t(0.9, 2) = 1.886.
    """
    line = line_through([(0, 10), (1, 14), (2, 12), (3, 16)])
    assert line is not None
    assert (line.mean, line.slope, line.residual_variance) == pytest.approx((13, 1.6, 3.6))
    ahead = line.ahead(5)
    assert ahead.value == pytest.approx(18.6)
    assert ahead.half_width == pytest.approx(1.886 * math.sqrt(13.32))
    mean_of_two = line.ahead(4.5, weeks=2)  # weeks 4 and 5 together
    assert mean_of_two.value == pytest.approx(13 + 1.6 * 3)
    assert mean_of_two.half_width == pytest.approx(1.886 * math.sqrt(3.6 * (1 / 2 + 1 / 4 + 9 / 5)))


def test_what_lies_on_a_line_is_certain() -> None:
    line = line_through([(week, 3 * week + 1) for week in range(6)])
    assert line is not None
    assert line.ahead(10).value == pytest.approx(31)
    assert line.ahead(10).half_width == pytest.approx(0, abs=1e-9)


def test_too_few_points_are_no_line() -> None:
    assert line_through([(week, 1.0) for week in range(FEWEST_POINTS - 1)]) is None
    assert line_through([(1.0, float(value)) for value in range(5)]) is None, "all of one day"


def test_older_weeks_no_longer_count() -> None:
    recent = [(float(week), 5.0 + week) for week in range(MOST_POINTS)]
    assert line_through([(-9.0, 500.0), (-8.0, 900.0), *recent]) == line_through(recent)


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_general_solution_of_least_squares(seed: int) -> None:
    """Against numpy's least squares and the covariance of its coefficients."""
    rng = Random(seed)
    count = rng.randint(FEWEST_POINTS, MOST_POINTS)
    xs = sorted(rng.sample(range(30), count))
    points = [(x / 3, rng.gauss(50, 20)) for x in xs]
    line = line_through(points)
    assert line is not None
    design = np.array([[1.0, x] for x, _ in points])
    values = np.array([value for _, value in points])
    coefficients = np.linalg.lstsq(design, values, rcond=None)[0]
    residual = float(((values - design @ coefficients) ** 2).sum()) / (count - 2)
    x, weeks = rng.uniform(5, 25), rng.uniform(0.3, 12)
    at = np.array([1.0, x])
    spread = residual * (1 / weeks + at @ np.linalg.inv(design.T @ design) @ at)
    ahead = line.ahead(x, weeks=weeks)
    assert ahead.value == pytest.approx(float(at @ coefficients))
    assert below(ahead.half_width / math.sqrt(spread), count - 2) == pytest.approx(0.9, abs=2e-4)


def below(t: float, degrees: int) -> float:
    """Student's distribution function, its density added up in small steps (Simpson's rule)."""
    scale: float = math.gamma((degrees + 1) / 2) / (math.sqrt(degrees * math.pi) * math.gamma(degrees / 2))
    steps = 2000
    density = [scale * (1 + (t * step / steps) ** 2 / degrees) ** (-(degrees + 1) / 2) for step in range(steps + 1)]
    weights = [1, *([4, 2] * (steps // 2 - 1)), 4, 1]
    return 0.5 + t / steps / 3 * math.fsum(weight * height for weight, height in zip(weights, density, strict=True))


def covered(points: int, weeks: int, *, runs: int, seed: int) -> float:
    """The share of runs in which the interval contains the mean of future weeks, for values around a rising line."""
    rng = Random(seed)

    def values(first: int, count: int) -> Sequence[tuple[float, float]]:
        return [(float(week), 40 - 0.8 * week + rng.gauss(0, 6)) for week in range(first, first + count)]

    held = 0
    for _ in range(runs):
        line = line_through(values(0, points))
        assert line is not None
        to_come = values(points, weeks)
        mean = sum(value for _, value in to_come) / weeks
        ahead = line.ahead(sum(x for x, _ in to_come) / weeks, weeks=weeks)
        held += abs(mean - ahead.value) <= ahead.half_width
    return held / runs


@pytest.mark.parametrize("points", range(FEWEST_POINTS, MOST_POINTS + 1))
@pytest.mark.parametrize("weeks", [1, 4, 9])
def test_eighty_of_a_hundred_intervals_hold_what_comes(points: int, weeks: int) -> None:
    """4,000 runs: the share has a standard error of 0.6 points."""
    assert covered(points, weeks, runs=4000, seed=points * 100 + weeks) == pytest.approx(0.8, abs=0.025)

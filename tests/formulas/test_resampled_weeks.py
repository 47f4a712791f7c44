"""Intervals of one figure: how often they hold the truth, in simulated worlds whose truth is known."""

from __future__ import annotations

import random
from statistics import NormalDist, median, quantiles

import numpy as np
import pytest

from insights.formulas import differences
from insights.formulas.resampled_weeks import (
    FEWEST_WEEKS,
    interval_of_mean,
    interval_of_percentile,
    interval_of_quotient,
)

WORLDS = 400
WEEKS = 12


@pytest.fixture
def few_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.formulas.bootstrap.MOST_REPLICATES", 500)


@pytest.mark.usefixtures("few_replicates")
@pytest.mark.parametrize("weeks", [WEEKS, 52])
def test_the_interval_of_a_median_holds_the_true_one(weeks: int) -> None:
    """Some weeks are slow altogether: facts of one week are alike, and are no witnesses of their own."""
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(WORLDS):
        sizes = rng.integers(4, 12, size=weeks)
        mood = rng.normal(0, 0.4, size=weeks)
        values = np.exp(np.concatenate([rng.normal(m, 0.7, size=n) for m, n in zip(mood, sizes, strict=True)]))
        interval = interval_of_percentile(values, np.repeat(np.arange(weeks), sizes), 0.5, seed=1)
        assert interval is not None
        held += interval.low <= 1.0 <= interval.high  # exp(0): both parts are centred on 0
    assert 0.91 <= held / WORLDS <= 0.985


@pytest.mark.usefixtures("few_replicates")
def test_the_interval_of_a_share_holds_the_true_one() -> None:
    """Failed of all deployments; the share of each week is another one, around 20 %."""
    rng = np.random.default_rng(11)
    held = 0
    for _ in range(WORLDS):
        below = rng.integers(5, 25, size=WEEKS)
        above = rng.binomial(below, np.clip(rng.normal(0.2, 0.06, size=WEEKS), 0, 1))
        interval = interval_of_quotient(above.tolist(), below.tolist(), seed=1)
        assert interval is not None
        held += interval.low <= 0.2 <= interval.high
    assert 0.91 <= held / WORLDS <= 0.985


def test_it_agrees_with_a_slow_bootstrap() -> None:
    """Drawn week by week and value by value, and widened by hand: t of 11 degrees of freedom at 97.5 % is 2.201."""
    rng = random.Random(3)
    by_week = [[rng.lognormvariate(2, 0.8) for _ in range(rng.randint(3, 9))] for _ in range(WEEKS)]
    drawn = sorted(median([value for week in rng.choices(by_week, k=WEEKS) for value in week]) for _ in range(8000))
    widened = 2.201 * (12 / 11) ** 0.5
    tail = 0.5 * (1 - _within(widened))
    slow = (drawn[round(tail * 8000)], drawn[round((1 - tail) * 8000) - 1])
    values = np.array([value for week in by_week for value in week])
    weeks = np.array([number for number, week in enumerate(by_week) for _ in week])
    fast = interval_of_percentile(values, weeks, 0.5, seed=5)
    assert fast is not None
    spread = slow[1] - slow[0]
    assert fast.low == pytest.approx(slow[0], abs=0.1 * spread)
    assert fast.high == pytest.approx(slow[1], abs=0.1 * spread)


def _within(z: float) -> float:
    """The share of a normal distribution within so many standard deviations."""
    return 2 * NormalDist().cdf(z) - 1


def test_weeks_that_are_all_the_same_leave_no_doubt() -> None:
    assert interval_of_mean([3.0] * 10, seed=1) == differences.ConfidenceInterval(3.0, 3.0)
    same = interval_of_quotient([2.0] * 9, [8.0] * 9, seed=1)
    assert same == differences.ConfidenceInterval(0.25, 0.25)


def test_weeks_without_anything_are_no_weeks() -> None:
    assert interval_of_mean([1.0, 2.0] * 3, seed=1) is None, "six are too few"
    seven = [1.0] * (FEWEST_WEEKS - 1)
    assert interval_of_quotient([*seven, 1.0], [*seven, 0.0], seed=1) is None, "nothing is below in the eighth"
    values, weeks = np.arange(30.0), np.repeat(np.arange(5) * 10, 6)
    assert interval_of_percentile(values, weeks, 0.5, seed=1) is None, "five weeks, however many facts"
    nothing = np.empty(0)
    assert interval_of_percentile(nothing, nothing.astype(np.int64), 0.5, seed=1) is None


def test_numbers_of_weeks_only_tell_them_apart() -> None:
    values = np.array([float(number % 7) for number in range(40)])
    weeks = np.repeat(np.arange(10), 4)
    near = interval_of_percentile(values, weeks, 0.75, seed=2)
    far = interval_of_percentile(values, weeks * 1000 + 5, 0.75, seed=2)
    assert near == far


def test_a_wider_spread_of_weeks_is_a_wider_interval() -> None:
    calm = interval_of_mean([10.0, 11.0] * 6, seed=1)
    wild = interval_of_mean([1.0, 20.0] * 6, seed=1)
    assert calm is not None
    assert wild is not None
    assert (wild.high - wild.low) > 10 * (calm.high - calm.low)
    low, _, high = quantiles([10.0, 11.0] * 6, n=4)
    assert low <= calm.low <= calm.high <= high

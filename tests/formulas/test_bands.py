"""Bands around lines: how often they hold the truth, in simulated weeks of developers whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.random import Generator

from insights.formulas.differences import FEWEST_DEVELOPERS
from insights.formulas.error_margins import (
    FEWEST_FOR_MEANS,
    Counted,
    ErrorMargin,
    margin_of_mean,
    margin_of_median,
    margin_of_rate,
)

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers

WORLDS = 1500
SKILL, LUCK = 0.4, 0.6  # how far developers are apart, and one's pull requests; of the logarithm
HELD = (0.925, 0.975)


def counted(done: Integers) -> Counted:
    """The summary of a count for each developer on the line."""
    return Counted(
        len(done), int((done > 0).sum()), float(done.sum()), float((done**2).sum()), float((done**3.0).sum())
    )


def durations(rng: Generator, developers: int, average: float) -> tuple[Floats, Integers]:
    """Developers with many or few pull requests, slow and fast; the logarithm of what one takes is normal."""
    skill = rng.normal(0, SKILL, developers)
    of = np.repeat(np.arange(developers), 1 + rng.poisson(average * np.exp(rng.normal(0, 0.5, developers))))
    return np.exp(skill[of] + rng.normal(0, LUCK, len(of))), of


def held(reach: Callable[[Generator], tuple[float, ErrorMargin | None]], truth: float) -> float:
    """The share of the worlds with a band whose band holds the truth."""
    drawn = [reach(np.random.default_rng(world)) for world in range(WORLDS)]
    margins = [(value, margin) for value, margin in drawn if margin]
    assert len(margins) > WORLDS / 3
    return sum(value - margin.below <= truth <= value + margin.above for value, margin in margins) / len(margins)


@pytest.mark.parametrize(
    ("developers", "rate", "idle"), [(10, 2.0, 0.0), (12, 1.5, 0.1), (20, 1.0, 0.2), (50, 0.3, 0.0), (200, 0.5, 0.3)]
)
def test_bands_of_rates_hold_the_truth_as_often_as_they_say(developers: int, rate: float, idle: float) -> None:
    """Some do nothing at all on the line, the others differ in how much they do."""

    def week(rng: Generator) -> tuple[float, ErrorMargin | None]:
        rates = rate * np.exp(rng.normal(0, 0.5, developers))
        done = rng.poisson(rates) * (rng.random(developers) >= idle)
        return float(done.mean()), margin_of_rate(counted(done))

    assert HELD[0] <= held(week, rate * math.exp(0.5**2 / 2) * (1 - idle)) <= HELD[1]


@pytest.mark.parametrize(("developers", "average"), [(8, 1.0), (12, 4.0), (30, 1.0), (60, 2.0)])
def test_bands_of_medians_hold_the_truth_as_often_as_they_say(
    monkeypatch: pytest.MonkeyPatch, developers: int, average: float
) -> None:
    monkeypatch.setattr("insights.formulas.error_margins.MOST_REPLICATES", 400)

    def week(rng: Generator) -> tuple[float, ErrorMargin | None]:
        values, of = durations(rng, developers, average)
        return float(np.median(values)), margin_of_median(values, of, seed=int(rng.integers(1 << 30)))

    assert HELD[0] <= held(week, 1.0) <= HELD[1]


@pytest.mark.parametrize(("developers", "average"), [(30, 1.0), (60, 2.0), (200, 1.0)])
def test_bands_of_means_hold_the_truth_as_often_as_they_say(developers: int, average: float) -> None:
    def week(rng: Generator) -> tuple[float, ErrorMargin | None]:
        values, of = durations(rng, developers, average)
        return float(values.mean()), margin_of_mean(values, of)

    assert HELD[0] <= held(week, math.exp((SKILL**2 + LUCK**2) / 2)) <= HELD[1]


def test_bands_of_two_groups_that_do_not_differ_overlap() -> None:
    apart = {"rate": 0, "median": 0}
    for world in range(300):
        rng = np.random.default_rng(world)
        pair = []
        for _ in range(2):
            done = rng.poisson(1.5 * np.exp(rng.normal(0, 0.5, 25)))
            values, of = durations(rng, 25, 2.0)
            pair.append(
                {
                    "rate": (float(done.mean()), margin_of_rate(counted(done))),
                    "median": (float(np.median(values)), margin_of_median(values, of, seed=world)),
                }
            )
        for kind in apart:
            (one, of_one), (other, of_other) = (world[kind] for world in pair)
            assert of_one
            assert of_other
            low, high = ((one, of_one), (other, of_other)) if one < other else ((other, of_other), (one, of_one))
            apart[kind] += low[0] + low[1].above < high[0] - high[1].below
    assert max(apart.values()) <= 0.02 * 300, apart  # of two bands that overlap a little most are no difference either


def test_a_witness_per_pull_request_would_make_the_band_too_narrow() -> None:
    """Forty developers with twenty pull requests each that are alike: the band is that of forty, not of 800."""
    rng = np.random.default_rng(5)
    of = np.repeat(np.arange(40), 20)
    values = np.exp(rng.normal(0, 1, 40)[of] + rng.normal(0, 0.1, len(of)))
    for reach in (margin_of_mean, lambda v, d: margin_of_median(v, d, seed=1)):
        together, alone = reach(values, of), reach(values, np.arange(len(of)))
        assert together
        assert alone
        assert together.below + together.above > 2.5 * (alone.below + alone.above)


def test_a_rate_by_hand() -> None:
    """Ten developers, of whom eight merged one pull request and two three.

    Mean 14 ÷ 10 = 1.4; Σ (x − 1.4)² = 8 · 0.16 + 2 · 2.56 = 6.4, so that the standard error is √(6.4 ÷ 10 ÷ 9) =
    0.266667.  The mean cube of x − 1.4 is (8 · −0.064 + 2 · 4.096) ÷ 10 = 0.768, the skewness 0.768 ÷ 0.64^1.5 = 1.5.
    Student's t of 9 degrees is 2.262; the shift 1.5 ÷ (6 √10) · (1 + 2 · 2.262²) = 0.8881.  So the truth may lie
    0.266667 · (2.262 − 0.888) = 0.366 below and 0.266667 · (2.262 + 0.888) = 0.840 above.
    """
    margin = margin_of_rate(Counted(developers=10, contributors=10, facts=14, squares=26, cubes=62))
    assert margin
    assert [margin.below, margin.above] == pytest.approx([0.366, 0.840], abs=0.001)
    assert margin.contributors == 10


def test_a_mean_by_hand() -> None:
    """Thirty developers with one pull request each, half of them 1 hour and half 3.

    Mean 2; each 1 apart, so that the standard error is √(30 ÷ 29 · 30) ÷ 60 = 0.0928477 of the mean.  Student's t of 29
    degrees is 2.045: times e^0.18989 = 1.2091, from 2 ÷ 1.2091 = 1.654 to 2.418.
    """
    margin = margin_of_mean(np.array([1.0, 3.0] * 15), np.arange(30))
    assert margin
    assert [2 - margin.below, 2 + margin.above] == pytest.approx([1.654, 2.418], abs=0.001)


def test_of_developers_who_are_alike_nothing_is_unsure() -> None:
    assert margin_of_rate(counted(np.ones(12, dtype=np.int64))) == ErrorMargin(0.0, 0.0, 12)
    assert margin_of_median(np.full(24, 7.0), np.repeat(np.arange(12), 2), seed=1) == ErrorMargin(0.0, 0.0, 12)


def test_few_developers_have_no_band() -> None:
    few = FEWEST_DEVELOPERS - 1
    assert margin_of_rate(counted(np.array([1] * few + [0] * 50))) is None
    assert margin_of_rate(counted(np.array([1] * few + [2] + [0] * 50))) is not None
    assert margin_of_median(np.arange(50.0), np.arange(50) % few, seed=1) is None
    assert margin_of_mean(np.arange(1.0, 100.0), np.arange(99) % (FEWEST_FOR_MEANS - 1)) is None
    nobody = np.empty(0), np.empty(0, dtype=np.int64)
    assert margin_of_median(*nobody, seed=1) is None
    assert margin_of_mean(*nobody) is None


def test_a_band_never_begins_below_nothing_and_a_question_has_one_answer() -> None:
    done = np.array([1] * 8 + [0] * 100 + [30])
    margin = margin_of_rate(counted(done))
    assert margin
    assert 0 <= margin.below <= done.mean()
    values, of = durations(np.random.default_rng(3), 20, 2.0)
    order = np.random.default_rng(4).permutation(len(values))
    first, again = margin_of_median(values, of, seed=7), margin_of_median(values[order], of[order], seed=7)
    assert first
    assert again
    assert [first.below, first.above] == pytest.approx([again.below, again.above], rel=1e-9)

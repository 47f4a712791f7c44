"""The interval of a change held against the changes that happen anyway: by hand, and how often it is right."""

from __future__ import annotations

import numpy as np
import pytest

from insights.formulas.normal_variation import FEWEST_BUCKETS, FEWEST_CHANGES, interval_of_change, is_within_variation

WEEKS = 4


def test_by_hand() -> None:
    """Changes of 1 and -1 in turn: mean 0, standard deviation 1.01274; 37 of them have room for 10, t(9) is 1.833.

    By the mean of 37, 1/37: 19 times 1 and 18 times -1.
    """
    usual = [1.0 if number % 2 == 0 else -1.0 for number in range(37)]
    interval = interval_of_change(5.0, usual, overlapping=WEEKS)
    assert interval is not None
    mean, spread = 1 / 37, 1.01332
    reach = 1.8331 * spread * (1 + 1 / 10) ** 0.5
    assert interval.low == pytest.approx(5 - mean - reach, abs=2e-3)
    assert interval.high == pytest.approx(5 - mean + reach, abs=2e-3)


def test_a_drift_that_is_usual_is_no_effect() -> None:
    interval = interval_of_change(3.0, [3.0, 2.9, 3.1] * 10, overlapping=WEEKS)
    assert interval is not None
    assert interval.holds_nothing


def test_too_few_tell_nothing() -> None:
    assert interval_of_change(5.0, [1.0] * (FEWEST_CHANGES - 1), overlapping=WEEKS) is None


def test_buckets_that_vary_as_much_explain_a_change_by_hand() -> None:
    """Of 10, 12, 8 and 10: standard deviation 1.633, t(3) is 2.353, the root of 2/4 0.7071: up to 2.717."""
    buckets = [10.0, 12.0, 8.0, 10.0]
    assert is_within_variation(2.7, buckets)
    assert is_within_variation(-2.7, buckets)
    assert not is_within_variation(2.73, buckets)
    assert not is_within_variation(0.1, [10.0] * 12), "what never moves moved"
    assert not is_within_variation(2.7, buckets[: FEWEST_BUCKETS - 1]), "too few tell nothing"


def test_of_windows_alike_nine_of_ten_are_called_so() -> None:
    chance = np.random.default_rng(20261129)
    weeks = chance.normal(50, 8, size=(4000, 24))
    alike = [is_within_variation(float(of[12:].mean() - of[:12].mean()), [*of[12:]]) for of in weeks]
    assert 0.88 < np.mean(alike) < 0.92


@pytest.mark.parametrize("long", [1, 2])
def test_of_short_windows_alike_nine_of_ten_are_called_so_by_the_weeks_before(long: int) -> None:
    chance = np.random.default_rng(20261130)
    weeks = chance.normal(50, 8, size=(4000, 12 + 2 * long))
    alike = [
        is_within_variation(float(of[-long:].mean() - of[-2 * long : -long].mean()), [*of[:12]], long=long)
        for of in weeks
    ]
    assert 0.88 < np.mean(alike) < 0.92


@pytest.mark.parametrize("apart", [5, 8, 12, 20])
@pytest.mark.parametrize("alike", [0.0, 0.6], ids=["independent weeks", "weeks like the one before"])
def test_of_what_has_no_effect_nine_of_ten_intervals_hold_nothing(apart: int, alike: float) -> None:
    """Simulated weeks in which nobody does anything, measured as tickets are: four weeks beside four weeks."""
    draws = np.random.default_rng(20261121)
    before, runs, held = 52, 600, 0
    for _ in range(runs):
        noise = draws.normal(size=before + apart + WEEKS + 30)
        for week in range(1, len(noise)):
            noise[week] += alike * noise[week - 1]
        means = np.convolve(noise[30:], np.ones(WEEKS) / WEEKS, "valid")
        usual = [means[start + apart] - means[start] for start in range(before - apart, -1, -1)]
        interval = interval_of_change(float(means[before + apart] - means[before]), usual, overlapping=WEEKS)
        assert interval is not None
        held += interval.holds_nothing
    assert 0.85 <= held / runs <= 0.95

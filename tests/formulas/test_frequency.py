"""What weeks say about how often a unit releases: by hand, beside statsmodels, and over simulated units."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from insights.formulas.frequency import (
    FEWEST_WEEKS,
    Expected,
    Relation,
    in_proportion,
    in_smaller_batches,
    relation,
    side_by_side,
    together,
)

if TYPE_CHECKING:
    from numpy.random import Generator

WEEKS, UNITS = 52, 400


def simulated(rng: Generator, elasticity: float, *, resembling: float = 0.0) -> tuple[list[float], list[float]]:
    """Releases and waits of weeks; both follow a mood that `resembling` carries over from week to week."""
    waits, moods = np.zeros(WEEKS), np.zeros(WEEKS)
    for week in range(WEEKS):
        earlier = max(week - 1, 0)
        waits[week] = resembling * waits[earlier] + rng.normal(0, 0.5)
        moods[week] = resembling * moods[earlier] + rng.normal(0, 0.2)
    line = 0.004 * np.arange(WEEKS)
    return list(np.exp(3 + line + elasticity * waits + moods)), list(np.exp(2 - line + waits))


def test_a_relation_without_noise_is_its_exponent() -> None:
    waits = [float(2 + week % 5) for week in range(WEEKS)]
    noise = [1.0 + 1e-6 * (week % 3) for week in range(WEEKS)]
    found = relation([10 * wait**-0.5 * one for wait, one in zip(waits, noise, strict=True)], waits)
    assert found is not None
    assert found.elasticity == pytest.approx(-0.5, abs=1e-4)
    assert in_proportion(found, 4.0, 1.0).share == pytest.approx(1.0, abs=1e-3), "a quarter of the wait doubles them"


def test_it_is_the_regression_of_statsmodels_where_weeks_do_not_resemble_one_another() -> None:
    sm = pytest.importorskip("statsmodels.api")
    rng = np.random.default_rng(7)
    checked = 0
    for _ in range(20):
        releases, waits = simulated(rng, -0.3)
        found = relation(releases, waits)
        assert found is not None
        design = np.column_stack([np.ones(WEEKS), np.arange(WEEKS), np.log(waits)])
        oracle = sm.OLS(np.log(releases), design).fit()
        assert found.elasticity == pytest.approx(oracle.params[2])
        if found.error == pytest.approx(oracle.bse[2]):
            checked += 1
            low, high = np.expm1(oracle.conf_int()[2] * math.log(0.5))[::-1]
            expected = in_proportion(found, 2.0, 1.0)
            assert (expected.low, expected.high) == pytest.approx((low, high), rel=2e-3)
        assert found.error >= oracle.bse[2] * (1 - 1e-9)
    assert checked >= 5, "weeks of some worlds do not resemble one another by chance"


@pytest.mark.parametrize("resembling", [0.0, 0.6])
def test_intervals_hold_the_truth(resembling: float) -> None:
    rng = np.random.default_rng(11)
    truth, held = math.expm1(-0.3 * math.log(0.6)), 0
    for _ in range(UNITS):
        found = relation(*simulated(rng, -0.3, resembling=resembling))
        assert found is not None
        expected = in_proportion(found, 10.0, 6.0)
        held += expected.low <= truth <= expected.high
    assert held / UNITS >= 0.92


@pytest.mark.parametrize("resembling", [0.0, 0.6])
def test_units_without_a_relation_seldom_have_one_that_would_be_recommended(resembling: float) -> None:
    """Eleven relations are examined, and those are recommended that are clear and below zero."""
    rng, wrong = np.random.default_rng(13), 0
    for _ in range(UNITS):
        releases, _ = simulated(rng, 0.0, resembling=resembling)
        others = [simulated(rng, 0.0, resembling=resembling)[1] for _ in range(11)]
        examined = [relation(releases, other) for other in others]
        wrong += any(found.is_clear(0.05 / 11) and found.elasticity < 0 for found in examined if found)
    assert wrong / UNITS <= 0.05


def test_too_few_weeks_say_nothing() -> None:
    weeks: list[float | None] = [5.0] * (FEWEST_WEEKS - 1)
    assert relation([*weeks, 0.0, None], [*(1.0 + n for n in range(FEWEST_WEEKS - 1)), 3.0, 4.0]) is None
    assert relation([*weeks, 5.0], [2.0] * FEWEST_WEEKS) is None, "what never changes has no relation"


def test_smaller_batches_by_hand() -> None:
    """Three changes a release now, two then: half as many releases again."""
    expected = in_smaller_batches([(30.0, 10.0)] * 13, [(20.0, 10.0)] * 13)
    assert expected is not None
    assert (expected.share, expected.low, expected.high) == pytest.approx((0.5, 0.5, 0.5))
    assert in_smaller_batches([(30.0, 10.0)] * 7, [(20.0, 10.0)] * 13) is None
    assert in_smaller_batches([(30.0, 0.0)] * 13, [(20.0, 10.0)] * 13) is None


def test_intervals_of_batches_hold_the_truth() -> None:
    rng, held = np.random.default_rng(17), 0
    for _ in range(UNITS):
        weeks = [
            [(float(changes), float(releases)) for changes, releases in zip(*drawn, strict=True)]
            for drawn in ((rng.poisson(size * 20, 13), rng.poisson(20, 13)) for size in (3, 2))
        ]
        expected = in_smaller_batches(weeks[0], weeks[1])
        assert expected is not None
        held += expected.low <= 0.5 <= expected.high
    assert held / UNITS >= 0.92


def test_together_they_multiply() -> None:
    both = together([Expected(0.10, 0.10, 0.10), Expected(0.05, 0.05, 0.05)])
    assert (both.share, both.low, both.high) == pytest.approx((0.155, 0.155, 0.155))
    one = Expected(0.09, 0.04, 0.15)
    alone = together([one])
    assert (alone.share, alone.low, alone.high) == pytest.approx((one.share, one.low, one.high))
    wider = together([one, one])
    assert wider.low < 1.09**2 - 1 < wider.high
    assert wider.low > (1.04**2 - 1), "errors of both do not stand on the same side each time"


def test_side_by_side_they_add_up() -> None:
    both = side_by_side([Expected(0.08, 0.02, 0.14), Expected(0.07, 0.01, 0.13)])
    assert (both.share, both.low, both.high) == pytest.approx((0.15, 0.03, 0.27))


def test_a_relation_is_clear_by_students_t() -> None:
    assert Relation(-0.3, 0.1, 49, 52).is_clear(0.05 / 8)
    assert not Relation(-0.28, 0.1, 49, 52).is_clear(0.05 / 8), "t is 2.8, and 2.86 is needed"

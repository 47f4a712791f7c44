"""Changes between weeks: how often their intervals hold the truth in simulated worlds, and what others compute."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from insights.formulas.change_of_weeks import (
    WeeklyFacts,
    WeeklySums,
    change_of_percentiles,
    change_of_quotients,
    change_of_rates,
    change_of_shares,
    dispersion,
)
from insights.formulas.differences import ConfidenceInterval

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers

WORLDS = 1200
BEFORE = 12
SPREAD = 0.9  # of the logarithm of a duration
MOOD = 0.3  # by which whole weeks are slow or quick
Change = ConfidenceInterval | None


def _moods(rng: np.random.Generator, weeks: int, alike: float = 0.0) -> Floats:
    """Moods of weeks; neighbours are correlated by `alike`."""
    moods = rng.normal(0, 1, size=weeks)
    for week in range(1, weeks):
        moods[week] = alike * moods[week - 1] + np.sqrt(1 - alike**2) * moods[week]
    return np.asarray(MOOD * moods)


def _durations(rng: np.random.Generator, moods: Floats, times: float) -> tuple[Floats, Integers]:
    """About ten a week, log-normal around 1 × `times`."""
    weeks = np.repeat(np.arange(len(moods)), rng.poisson(10, size=len(moods)))
    return times * np.exp(moods[weeks] + rng.normal(0, SPREAD, size=len(weeks))), weeks


def _sums(values: Floats, weeks: Integers) -> WeeklySums:
    above, below = np.bincount(weeks, weights=values), np.bincount(weeks)
    return WeeklySums(above.astype(np.float64), below.astype(np.float64))


def _medians(rng: np.random.Generator, after: int, times: float) -> tuple[Change, float]:
    groups = [WeeklyFacts(*_durations(rng, _moods(rng, n), by)) for n, by in ((BEFORE, 1.0), (after, times))]
    return change_of_percentiles(groups[0], groups[1], 0.5), times - 1


def _means(rng: np.random.Generator, after: int, times: float) -> tuple[Change, float]:
    groups = [_sums(*_durations(rng, _moods(rng, n), by)) for n, by in ((BEFORE, 1.0), (after, times))]
    return change_of_quotients(groups[0], groups[1]), (times - 1) * float(np.exp((SPREAD**2 + MOOD**2) / 2))


def _shares(rng: np.random.Generator, after: int, times: float) -> tuple[Change, float]:
    groups = []
    for weeks, share in ((BEFORE, 0.2), (after, 0.2 * times)):
        below = rng.poisson(10, size=weeks) + 1
        above = rng.binomial(below, np.clip(share * (1 + _moods(rng, weeks)), 0, 1))
        groups.append(WeeklySums(above.astype(np.float64), below.astype(np.float64)))
    return change_of_shares(groups[0], groups[1]), 0.2 * times - 0.2


def _rates(rng: np.random.Generator, after: int, times: float) -> tuple[Change, float]:
    groups = [
        WeeklySums(rng.poisson(rate * np.exp(_moods(rng, n) - MOOD**2 / 2)).astype(np.float64), np.ones(n))
        for n, rate in ((BEFORE, 6.0), (after, 6.0 * times))
    ]
    return change_of_rates(groups[0], groups[1]), 6.0 * times - 6.0


@pytest.mark.parametrize("after", [4, 12])
@pytest.mark.parametrize(
    ("world", "success"),
    [(_medians, 0.4), (_means, 0.4), (_shares, 2.5), (_rates, 2.2)],
    ids=["medians", "means", "shares", "rates"],
)
def test_intervals_hold_the_truth_and_show_a_success(
    world: Callable[[np.random.Generator, int, float], tuple[Change, float]], success: float, after: int
) -> None:
    rng = np.random.default_rng(4)
    for times in (1.0, success):
        held = unclear = 0
        for _ in range(WORLDS):
            interval, truth = world(rng, after, times)
            assert interval is not None
            held += interval.low <= truth <= interval.high
            unclear += interval.holds_nothing
        assert 0.93 <= held / WORLDS <= 0.975, times
        if times == 1.0:
            assert unclear / WORLDS >= 0.945, "0.95, but for the luck of so many worlds"
        else:
            assert unclear / WORLDS <= (0.25 if after == 4 else 0.05)


def test_weeks_that_resemble_their_neighbours_are_worth_less() -> None:
    rng = np.random.default_rng(8)
    held = 0
    for _ in range(WORLDS):
        moods = _moods(rng, BEFORE + 4 + 12, alike=0.4)
        groups = [WeeklyFacts(*_durations(rng, part, 1.0)) for part in (moods[:BEFORE], moods[BEFORE + 4 :])]
        interval = change_of_percentiles(groups[0], groups[1], 0.5)
        held += interval is not None and interval.holds_nothing
    assert held / WORLDS >= 0.9


def test_the_dispersion_is_that_of_a_generalised_linear_model() -> None:
    """statsmodels 0.14: GLM(counts, constant and after, family=Poisson()).fit(scale="X2").scale is 1.42708."""
    counts = ([4.0, 9, 6, 2, 7, 11, 5, 3, 8, 6, 10, 1], [14.0, 9, 12, 17, 8, 12])
    before, after = (WeeklySums(np.array(group), np.ones(len(group))) for group in counts)
    neighbours = squares = 0.0
    for group in (before, after):
        apart = (group.above - group.value) / np.sqrt(group.value)
        neighbours += float(np.sum(apart[1:] * apart[:-1]))
        squares += float(np.sum(apart**2))
    assert neighbours < 0, "weeks that do not resemble their neighbours are worth a week each"
    found = dispersion(before, after, lambda value, below: value * below)
    assert found == pytest.approx(1.4270833)


def test_the_interval_of_a_share_is_recovered_from_wilsons() -> None:
    """40 of 200 before and 10 of 100 after, each week as the others.

    statsmodels 0.14: proportion_confint(method="wilson") with t of 18 degrees of freedom at 97.5 %, 2.1009, for z is
    0.147344 to 0.265612 and 0.052952 to 0.180866.
    """
    before, after = (WeeklySums(np.full(10, above), np.full(10, below)) for above, below in ((4.0, 20.0), (1.0, 10.0)))
    found = change_of_shares(before, after)
    assert found is not None
    assert found.low == pytest.approx(-0.1 - np.hypot(0.1 - 0.052952, 0.265612 - 0.2), abs=1e-4)
    assert found.high == pytest.approx(-0.1 + np.hypot(0.180866 - 0.1, 0.2 - 0.147344), abs=1e-4)


def test_nothing_in_few_weeks_is_no_success() -> None:
    """Two incidents in four weeks are as likely none: a side without any has an interval, too."""
    rare = WeeklySums(np.array([1.0, 0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 1]), np.ones(12))
    none = WeeklySums(np.zeros(4), np.ones(4))
    interval = change_of_rates(rare, none)
    assert interval is not None
    assert interval.low < -0.5 < 0 < interval.high
    failed = WeeklySums(rare.above, np.full(12, 4.0))
    interval = change_of_shares(failed, WeeklySums(np.zeros(4), np.full(4, 4.0)))
    assert interval is not None
    assert interval.holds_nothing


def test_too_little_has_no_interval() -> None:
    three, twelve = (WeeklySums(np.ones(n), np.full(n, 2.0)) for n in (3, 12))
    for change in (change_of_shares, change_of_rates, change_of_quotients):
        assert change(twelve, three) is None, "three weeks"
    assert change_of_quotients(twelve, WeeklySums(np.zeros(4), np.ones(4))) is None, "no logarithm of 0"
    facts, few = (WeeklyFacts(np.ones(n), np.arange(n)) for n in (12, 7))
    assert change_of_percentiles(facts, few, 0.5) is None, "seven facts"
    same = change_of_percentiles(facts, facts, 0.5)
    assert same is not None
    assert (same.low, same.high) == (0.0, 0.0)

"""The difference in differences: by hand, beside statsmodels, and over simulated experiments whose truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from insights.formulas.difference_in_differences import (
    WEEKS_BEFORE,
    Effect,
    Panel,
    detectable,
    effect_of,
    event_study,
    trend_before,
)

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

EXPERIMENTS = 200


def simulated(
    rng: Generator,
    *,
    effect: float,
    treated: int = 5,
    compared: int = 7,
    weeks: int = 8,
    apart: int = 0,
    varied: float = 0,
) -> Panel:
    """Teams with a level of their own, a season that all share, moods that last from week to week, and an effect.

    Teams start `apart` weeks one after the other, and their effects differ by `varied`.
    """
    starts = [WEEKS_BEFORE + number * apart for number in range(treated)]
    length = starts[-1] + weeks
    levels = rng.normal(20, 6, (treated + compared, 1))
    season = np.cumsum(rng.normal(0, 0.8, length))
    moods = np.zeros((treated + compared, length))
    moods[:, 0] = rng.normal(0, 2, treated + compared)
    for week in range(1, length):
        moods[:, week] = 0.5 * moods[:, week - 1] + rng.normal(0, 2 * np.sqrt(0.75), treated + compared)
    values = levels + season + moods + rng.normal(0, 1.5, moods.shape)
    for row, start in enumerate(starts):
        values[row, start:] += effect + rng.normal(0, varied)
    return Panel(values, starts, weeks)


def test_by_hand() -> None:
    """Treated teams fall by 4, 5 and 6, compared ones rise by 0, 1 and 2: −5 − 1 = −6, with a spread of 1 in each.

    Student's t of 4 degrees of freedom is 2.776: 2.776 × √(1 × (1/3 + 1/3)) = 2.267.
    """
    after = np.array([[-4.0], [-5.0], [-6.0], [0.0], [1.0], [2.0]])
    values = np.hstack([np.full((6, WEEKS_BEFORE), 10.0), 10 + np.repeat(after, 4, axis=1)])
    effect = effect_of(Panel(values, [WEEKS_BEFORE] * 3, 4))
    assert effect is not None
    assert (effect.value, effect.low, effect.high) == pytest.approx((-6, -8.267, -3.733), abs=0.01)
    assert trend_before(Panel(values, [WEEKS_BEFORE] * 3, 4)) == Effect(0, 0, 0)


def test_one_unit_is_too_few_and_so_are_two_to_compare_with_and_three_weeks() -> None:
    values = np.random.default_rng(1).normal(10, 1, (6, WEEKS_BEFORE + 8))
    assert effect_of(Panel(values, [WEEKS_BEFORE], 8)) is None
    assert effect_of(Panel(values, [WEEKS_BEFORE] * 2, 8)) is not None
    assert effect_of(Panel(values, [WEEKS_BEFORE] * 4, 8)) is None
    assert effect_of(Panel(values, [WEEKS_BEFORE] * 3, 3)) is None
    assert effect_of(Panel(values, [WEEKS_BEFORE] * 3, 8)) is not None
    values[0, -6:] = np.nan  # one treated team has two weeks after its start
    assert effect_of(Panel(values, [WEEKS_BEFORE] * 2, 8)) is None


def test_statsmodels_has_the_same_effect_and_interval() -> None:
    """Of one start: the regression of units' differences on the group, and the one of all weeks with fixed effects."""
    import statsmodels.api as sm  # type: ignore[import-untyped]

    for seed in range(20):
        panel = simulated(np.random.default_rng(seed), effect=-3)
        effect = effect_of(panel)
        assert effect is not None
        start, treated = panel.starts[0], len(panel.starts)
        units, weeks = panel.values.shape
        moved = panel.values[:, start:].mean(axis=1) - panel.values[:, :start].mean(axis=1)
        group = (np.arange(units) < treated).astype(float)
        model = sm.OLS(moved, sm.add_constant(group)).fit()
        low, high = model.conf_int()[1]
        assert (effect.value, effect.low, effect.high) == pytest.approx((model.params[1], low, high), abs=0.01)
        dummies = np.hstack(
            [
                np.kron(np.eye(units), np.ones((weeks, 1))),
                np.kron(np.ones((units, 1)), np.eye(weeks))[:, 1:],
                np.outer(group, np.arange(weeks) >= start).reshape(-1, 1),
            ]
        )
        rows = np.repeat(np.arange(units), weeks)
        fixed = sm.OLS(panel.values.reshape(-1), dummies).fit(cov_type="cluster", cov_kwds={"groups": rows})
        assert fixed.params[-1] == pytest.approx(effect.value, abs=1e-6)
        # Clustered errors of few clusters are known to be too small; ours are of their size, and wider.
        assert 0.9 < (effect.high - effect.low) / (2 * 1.96 * fixed.bse[-1]) < 1.7


@pytest.mark.parametrize(
    ("name", "apart", "varied", "groups"),
    [
        ("at once", 0, 0.0, (5, 7)),
        ("staggered", 2, 0.0, (6, 6)),
        ("few", 0, 0.0, (3, 4)),
        ("uneven", 0, 1.0, (6, 6)),
        ("pilot", 0, 0.0, (2, 5)),
        ("smallest pilot", 0, 0.0, (2, 3)),
    ],
)
def test_intervals_hold_the_truth(name: str, apart: int, varied: float, groups: tuple[int, int]) -> None:
    """In 93 to 97 % of ten times 200 experiments: of 200 alone, one in ten would be outside by luck."""
    rng = np.random.default_rng(59)
    truth = -3.0
    held: NDArray[np.bool_] = np.array(
        [
            effect is not None and effect.low <= truth <= effect.high
            for _ in range(10 * EXPERIMENTS)
            for effect in [
                effect_of(
                    simulated(rng, effect=truth, treated=groups[0], compared=groups[1], apart=apart, varied=varied)
                )
            ]
        ]
    )
    assert 0.93 <= held.mean() <= 0.97, (name, held.mean())


def test_a_change_without_effect_is_no_difference_shown() -> None:
    """In at least 95 % of 200 experiments: a trend before the start keeps a difference from being shown, too."""
    rng = np.random.default_rng(2026)
    shown = 0
    for _ in range(EXPERIMENTS):
        panel = simulated(rng, effect=0)
        effect, before = effect_of(panel), trend_before(panel)
        assert effect is not None
        assert before is not None
        shown += not effect.shows_nothing and before.shows_nothing
    assert shown / EXPERIMENTS <= 0.05


def test_a_trend_before_the_start_is_seen() -> None:
    rng = np.random.default_rng(7)
    seen = 0
    for _ in range(50):
        panel = simulated(rng, effect=0)
        panel.values[: len(panel.starts)] += 0.6 * np.arange(panel.values.shape[1])
        before = trend_before(panel)
        seen += before is not None and not before.shows_nothing
    assert seen >= 40


def test_an_effect_of_the_detectable_size_is_shown_in_four_of_five() -> None:
    rng = np.random.default_rng(11)
    shown = 0
    for _ in range(EXPERIMENTS):
        levels = rng.normal(20, 6, (12, 1))
        values = levels + rng.normal(0, 2, (12, 52 + WEEKS_BEFORE + 8))
        smallest = detectable(values[:, :52], 5, [8])[8]
        assert smallest is not None
        panel = Panel(values[:, 52:].copy(), [WEEKS_BEFORE] * 5, 8)
        panel.values[:5, WEEKS_BEFORE:] -= smallest
        effect = effect_of(panel)
        shown += effect is not None and not effect.shows_nothing
    assert 0.72 <= shown / EXPERIMENTS <= 0.88


def test_the_event_study_is_flat_before_and_has_the_effect_after() -> None:
    panel = simulated(np.random.default_rng(3), effect=-8, treated=8, compared=8)
    weeks = dict(event_study(panel))
    assert list(weeks) == list(range(-WEEKS_BEFORE, 8))
    assert (
        sum(effect is not None and effect.low <= 0 <= effect.high for week, effect in weeks.items() if week < 0) >= 10
    )
    assert all(effect is not None and effect.high < 0 for week, effect in weeks.items() if week >= 0)

"""Intervals of differences: how often they hold the truth, in simulated worlds whose truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from statistics import NormalDist
from typing import Literal

import numpy as np
import pytest
from numpy.random import Generator

from insights.formulas.bootstrap import Totals, Values
from insights.formulas.differences import (
    FEWEST_DEVELOPERS,
    ConfidenceInterval,
    difference_of_means,
    difference_of_percentiles,
    difference_of_quotients,
    students_t,
)

WORLDS = 500
DEVELOPERS = 50
SKILL, LUCK = 0.4, 0.6  # how far developers are apart, and one's pull requests; of the logarithm
Lost = Literal["developers", "pull requests"]
Difference = Callable[[Values, Values, int], ConfidenceInterval | None]


@pytest.fixture(autouse=True)
def few_replicates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("insights.formulas.bootstrap.MOST_REPLICATES", 500)


def durations(rng: Generator, *, effect: float) -> tuple[Values, Values]:
    """Developers with many or few pull requests, slow and fast; some with the agent alone, some without it, some both.

    The effect is that of the agent, on the logarithm.
    """
    skill = rng.normal(0, SKILL, DEVELOPERS)
    leaning = rng.choice((0.0, 0.5, 1.0), size=DEVELOPERS, p=(0.3, 0.4, 0.3))
    number = 1 + rng.poisson(8 * np.exp(rng.normal(0, 0.5, DEVELOPERS)))
    of = np.repeat(np.arange(DEVELOPERS), number)
    assisted = rng.random(len(of)) < leaning[of]
    took = np.exp(skill[of] + effect * assisted + rng.normal(0, LUCK, len(of)))
    return Values(took[assisted], of[assisted]), Values(took[~assisted], of[~assisted])


def quotients(rng: Generator, *, factor: float) -> tuple[Totals, Totals]:
    """Merges by developers in their weeks on each line, the agent's multiplied by a factor."""
    rate = np.exp(rng.normal(0, 0.5, DEVELOPERS))
    lines = rng.choice(3, size=DEVELOPERS, p=(0.3, 0.3, 0.4))
    weeks = [np.where(lines != without, rng.integers(1, 13, DEVELOPERS), 0) for without in (0, 1)]
    merged = [rng.poisson(rate * weeks[0] * factor), rng.poisson(rate * weeks[1])]
    first, second = (Totals(a.astype(float), b.astype(float)) for a, b in zip(merged, weeks, strict=True))
    return first, second


def median(first: Values, second: Values, seed: int) -> ConfidenceInterval | None:
    return difference_of_percentiles(first, second, 0.5, seed=seed)


def ninetieth(first: Values, second: Values, seed: int) -> ConfidenceInterval | None:
    return difference_of_percentiles(first, second, 0.9, seed=seed)


def mean(first: Values, second: Values, seed: int) -> ConfidenceInterval | None:
    return difference_of_means(first, second, seed=seed)


SPREAD = math.hypot(SKILL, LUCK)
# What each comes to in a group of the effect, where the logarithm of durations is normal.
TRUTH: dict[Difference, Callable[[float], float]] = {
    median: math.exp,
    ninetieth: lambda effect: math.exp(effect + NormalDist().inv_cdf(0.9) * SPREAD),
    mean: lambda effect: math.exp(effect + SPREAD**2 / 2),
}


@pytest.mark.parametrize("effect", [0.0, 0.5], ids=["alike", "apart"])
@pytest.mark.parametrize("difference", TRUTH)
def test_intervals_of_durations_hold_the_truth_as_often_as_they_say(difference: Difference, effect: float) -> None:
    truth = TRUTH[difference](effect) - TRUTH[difference](0.0)
    intervals = [difference(*durations(np.random.default_rng(world), effect=effect), world) for world in range(WORLDS)]
    held = [interval.low <= truth <= interval.high for interval in intervals if interval]
    assert len(held) == WORLDS
    assert 0.92 <= sum(held) / WORLDS <= 0.975


def without_authors(groups: tuple[Values, Values], lost: Lost, share: float, rng: Generator) -> tuple[Values, Values]:
    """The same work where a share has no matched author, as figures read it: all of it is of one more developer.

    Whole developers are unmatched, such as those of a company that nobody listed, or pull requests here and there.
    """
    unmatched = rng.random(DEVELOPERS) < share
    found = []
    for group in groups:
        of = unmatched[group.developers] if lost == "developers" else rng.random(len(group.developers)) < share
        found.append(Values(group.values, np.where(of, DEVELOPERS, group.developers)))
    first, second = found
    return first, second


@pytest.mark.soak
@pytest.mark.parametrize("share", [0.1, 0.2, 0.4])
@pytest.mark.parametrize(("lost", "least"), [("developers", 0.92), ("pull requests", 0.88)])
@pytest.mark.parametrize("difference", [median, mean])
def test_intervals_with_unmatched_authors_hold_the_truth(
    difference: Difference, lost: Lost, least: float, share: float
) -> None:
    """Of whole developers as often as promised; of single pull requests less often: they hide whose they are."""
    truth = TRUTH[difference](0.5) - TRUTH[difference](0.0)
    held = 0
    for world in range(WORLDS):
        rng = np.random.default_rng(world)
        interval = difference(*without_authors(durations(rng, effect=0.5), lost, share, rng), world)
        assert interval
        held += interval.low <= truth <= interval.high
    assert least <= held / WORLDS <= 0.99


@pytest.mark.parametrize("factor", [1.0, 1.4], ids=["alike", "apart"])
def test_intervals_of_quotients_hold_the_truth_as_often_as_they_say(factor: float) -> None:
    truth = (factor - 1) * math.exp(0.5**2 / 2)
    held = 0
    for world in range(WORLDS):
        interval = difference_of_quotients(*quotients(np.random.default_rng(world), factor=factor), seed=world)
        assert interval
        held += interval.low <= truth <= interval.high
    assert 0.92 <= held / WORLDS <= 0.975


def test_a_witness_per_pull_request_would_make_intervals_too_short() -> None:
    """The reason for drawing developers: alike groups would be told apart far too often."""
    differing = 0
    for world in range(200):
        rng = np.random.default_rng(world)
        of = np.repeat(np.arange(20), 20)
        took = np.exp(rng.normal(0, 1, 20)[of] + rng.normal(0, 0.3, len(of)))
        groups = [took[of < 10], took[of >= 10]]
        witnesses = [Values(values, np.arange(len(values)) + 1000 * n) for n, values in enumerate(groups)]
        interval = difference_of_means(*witnesses, seed=world)
        assert interval
        differing += not interval.holds_nothing
    assert differing / 200 > 0.3


def test_a_developer_in_both_groups_is_drawn_in_both() -> None:
    """Very different developers, each a little faster with the agent: that is seen, because each meets themselves."""
    pace = np.linspace(1, 100, 30)
    of = np.arange(30)
    paired = difference_of_means(Values(pace * 0.9, of), Values(pace, of), seed=1)
    apart = difference_of_means(Values(pace * 0.9, of), Values(pace, of + 30), seed=1)
    assert paired
    assert apart
    assert paired.high < 0
    assert apart.holds_nothing


def test_the_order_of_rows_does_not_matter_and_a_question_has_one_answer() -> None:
    first, second = durations(np.random.default_rng(3), effect=0.2)
    order = np.random.default_rng(4).permutation(len(first.values))
    shuffled = Values(first.values[order], first.developers[order])
    for difference in (median, ninetieth, mean):
        one, other = difference(first, second, 7), difference(shuffled, second, 7)
        assert one
        assert other
        assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_few_developers_have_no_interval() -> None:
    few, many = np.arange(FEWEST_DEVELOPERS - 1), np.arange(50)
    groups = Values(np.ones(len(few)), few), Values(np.ones(50), many)
    assert median(*groups, 1) is None
    assert mean(*groups, 1) is None
    nobody = Values(np.empty(0), np.empty(0, dtype=np.int64))
    assert median(nobody, groups[1], 1) is None


@pytest.mark.parametrize(("freedom", "quantile"), [(4, 2.776), (7, 2.365), (9, 2.262), (29, 2.045), (1000, 1.962)])
def test_students_t_is_that_of_the_tables(freedom: int, quantile: float) -> None:
    assert students_t(0.975, freedom) == pytest.approx(quantile, abs=0.001)

"""The statistics of findings, beside slow ways to the same figures."""

from __future__ import annotations

import random
from itertools import product
from statistics import median

import pytest

from insights.formulas.findings import WEEKS_AFTER, WEEKS_BEFORE, change_point, discoveries, gap, sign_test


def apart_at_most(values: list[float]) -> float:
    """The greatest difference of mean ranks, in standard deviations, by the book."""
    ordered = sorted(values)
    ranks = [ordered.index(value) + (ordered.count(value) + 1) / 2 for value in values]
    weeks, greatest = len(values), 0.0
    for before in range(WEEKS_BEFORE, weeks - WEEKS_AFTER + 1):
        expected = before * (weeks + 1) / 2
        deviation = (before * (weeks - before) * (weeks + 1) / 12) ** 0.5
        greatest = max(greatest, abs(sum(ranks[:before]) - expected) / deviation)
    return greatest


@pytest.mark.parametrize("seed", range(5))
def test_a_change_is_as_rare_as_among_shuffled_weeks(seed: int) -> None:
    draw = random.Random(seed)
    values = [draw.gauss(0, 1) + (0.9 if week >= 11 else 0) for week in range(18)]
    point = change_point(values)
    assert point is not None
    here, orders = apart_at_most(values), 4_000
    as_far = sum(apart_at_most(draw.sample(values, len(values))) >= here - 1e-9 for _ in range(orders))
    share = as_far / orders
    assert abs(point.p - share) < 4 * (share * (1 - share) / orders) ** 0.5 + 2 / orders


def test_a_planted_change_is_dated_and_bounded() -> None:
    draw = random.Random(1)
    values = [draw.lognormvariate(1, 0.3) * (3 if week >= 30 else 1) for week in range(52)]
    point = change_point(values)
    assert point is not None
    assert abs(point.position - 30) <= 1
    assert point.before == median(values[: point.position])
    assert point.after == median(values[point.position :])
    assert 0 < point.low < point.after - point.before < point.high
    assert point.p < 1e-4


@pytest.mark.parametrize("values", [[1.0] * 30, [1.0, 2.0] * 5, []])
def test_no_change_is_looked_for(values: list[float]) -> None:
    """In equal weeks, and in fewer than twelve."""
    assert change_point(values) is None


def test_quiet_series_are_below_five_percent_as_often_as_that_says() -> None:
    draw = random.Random(2)
    points = [change_point([draw.lognormvariate(0, 1) for _ in range(26)]) for _ in range(400)]
    rare = sum(point is not None and point.p <= 0.05 for point in points)
    assert 8 <= rare <= 34  # 20 are expected


@pytest.mark.parametrize(("positive", "negative"), [(0, 0), (5, 0), (3, 9), (6, 6), (2, 11)])
def test_signs_are_as_rare_as_among_all_tosses(positive: int, negative: int) -> None:
    tosses = [*product((0, 1), repeat=positive + negative)]
    apart = abs(positive - negative)
    as_uneven = sum(abs(2 * sum(toss) - len(toss)) >= apart for toss in tosses)
    assert sign_test(positive, negative) == pytest.approx(as_uneven / len(tosses))


def test_a_team_is_apart_from_comparable_ones_in_the_same_weeks() -> None:
    draw = random.Random(3)
    season = [10 + week for week in range(26)]  # it gets slower everywhere
    usual = [[hours * draw.uniform(0.9, 1.1) for hours in season] for _ in range(6)]
    slow: list[float | None] = [hours * draw.uniform(1.5, 1.7) for hours in season]
    slow[4] = None
    found = gap(slow, usual)
    assert found is not None
    assert found.p < 1e-6
    assert found.distance > 3
    assert 0 < found.low < found.own - found.comparable < found.high * 1.5
    alike = gap(usual[0], usual[1:])
    assert alike is not None
    assert alike.p > 0.001
    assert gap(slow, usual[:3]) is None  # three do not say what is usual


def test_discoveries_as_in_the_paper() -> None:
    """The example of Benjamini and Hochberg, 1995, section 3.2: four of fifteen at five percent."""
    p_values = [
        *(0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344),
        *(0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000),
    ]
    assert discoveries(p_values, 0.05) == [True] * 4 + [False] * 11
    assert discoveries([], 0.05) == []

"""The statistics of findings, beside slow ways to the same figures."""

from __future__ import annotations

import random
from itertools import combinations, pairwise, product
from statistics import median

import numpy
import pytest

from insights.formulas.findings import (
    DEBT,
    REFACTORING,
    UNKNOWN,
    WEEKS_AFTER,
    WEEKS_BEFORE,
    change_at,
    change_point,
    debt_or_refactoring,
    discoveries,
    gap,
    median_bounds,
    sign_test,
    trend,
)
from insights.formulas.findings import _chance_of_any as chance_of_any
from insights.formulas.findings import _chance_of_following as chance_of_following
from insights.formulas.findings import _is_outlier as is_outlier
from insights.formulas.findings import _rank_sums as rank_sums


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


def worth(values: list[float], position: int) -> float:
    """By how much less these weeks prove than independent ones: from the correlation of neighbours, by the book."""
    sides = [values[:position], values[position:]]
    left = [value - median(side) for side in sides for value in side]
    ranks = [sum(other < one for other in left) + (sum(other == one for other in left) + 1) / 2 for one in left]
    middle = sum(ranks) / len(ranks)
    together = sum((one - middle) * (two - middle) for one, two in pairwise(ranks))
    alike = max(0.0, together / sum((one - middle) ** 2 for one in ranks))
    return float(((1 - alike) / (1 + alike)) ** 0.5)


@pytest.mark.parametrize("seed", range(5))
def test_a_change_is_as_rare_as_among_shuffled_weeks(seed: int) -> None:
    draw = random.Random(seed)
    values = [draw.gauss(0, 1) + (0.9 if week >= 11 else 0) for week in range(18)]
    point = change_point(values)
    assert point is not None
    here, orders = worth(values, point.position) * apart_at_most(values), 4_000
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
    assert found.is_outlier
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


@pytest.mark.parametrize(("weeks", "chosen"), [(6, 2), (7, 3), (5, 5)])
def test_rank_sums_are_those_of_all_choices(weeks: int, chosen: int) -> None:
    choices = [sum(choice) for choice in combinations(range(1, weeks + 1), chosen)]
    sums, probabilities = rank_sums(weeks, chosen)
    for value, probability in zip(sums, probabilities, strict=True):
        assert probability == pytest.approx(choices.count(int(value)) / len(choices))


@pytest.mark.parametrize("level", [0, 26])
def test_a_trend_is_hardly_rarer_than_among_shuffled_weeks(level: int) -> None:
    """In the tails that matter it is taken for less sure than it is."""
    draw = random.Random(level)
    line = numpy.maximum(0.0, numpy.arange(level + 26.0) - level)
    ranks, orders = [*range(1, level + 27)], 20_000
    chances = [chance_of_following(line, numpy.array(draw.sample(ranks, len(ranks))), worth=1.0) for _ in range(orders)]
    for chance in (0.2, 0.05, 0.01, 0.001):
        share = sum(one <= chance for one in chances) / orders
        assert share <= chance + 3 * (chance / orders) ** 0.5
        assert share >= chance / 5


def test_a_planted_trend_is_bounded_and_noise_is_none() -> None:
    draw = random.Random(4)
    rising = [10 + week * 0.5 + draw.gauss(0, 2) for week in range(26)]
    found = trend(rising, 26)
    assert found is not None
    assert found.p < 1e-4
    assert found.low < 12.5 < found.high  # 25 weeks of a half
    after_a_level_half_year = trend([*(10 + draw.gauss(0, 2) for _ in range(26)), *rising], 26)
    assert after_a_level_half_year is not None
    assert after_a_level_half_year.position == 26
    assert after_a_level_half_year.p < found.p / 10, "what was before says more"
    assert (after_a_level_half_year.before, after_a_level_half_year.low) == (found.before, found.low)
    quiet = [trend([draw.gauss(0, 1) for _ in range(52)], 26) for _ in range(300)]
    assert sum(one is not None and one.p <= 0.05 for one in quiet) <= 25  # 15 are expected
    assert trend([1.0] * 26, 26) is None
    assert trend(rising[1:], 26) is None


def test_a_step_long_ago_is_no_steady_rise() -> None:
    """Last year's weeks make it improbable; the slope of the half year does not leave out zero."""
    draw = random.Random(7)
    found = trend([draw.gauss(20 if week >= 28 else 10, 2) for week in range(52)], 26)
    assert found is not None
    assert found.p < 1e-5
    assert found.low <= 0


def test_the_rarest_changes_have_different_probabilities() -> None:
    """Of 200,000 orders none has as clear a change; the sum of exact probabilities is no less than the truth."""
    clear, clearer = chance_of_any(52, 5.2), chance_of_any(52, 5.8)
    assert clearer < clear / 10 < 1e-6
    share = chance_of_any(16, 3.0)
    bound = sum(
        float(probabilities[abs(sums - position * 8.5) >= 3.0 * (position * (16 - position) * 17 / 12) ** 0.5].sum())
        for position in range(WEEKS_BEFORE, 16 - WEEKS_AFTER + 1)
        for sums, probabilities in [rank_sums(16, position)]
    )
    assert share < bound < 5 * share


def test_shares_are_compared_by_their_odds() -> None:
    """97 % is far from 80 % for whoever counts what is missing; in the logarithm of shares it hardly is."""
    draw = random.Random(9)
    usual = [[80 + number + draw.uniform(-1, 1) for _ in range(26)] for number in range(-4, 5)]
    apart = [97 + draw.uniform(-0.5, 0.5) for _ in range(26)]
    as_share, as_amount = gap(apart, usual, most=100.0), gap(apart, usual)
    assert as_share is not None
    assert as_amount is not None
    assert (as_share.is_outlier, as_amount.is_outlier) == (True, False)


def test_other_metrics_say_how_far_apart_few_teams_are() -> None:
    """Four teams that happen to be alike are no reason to take the fifth for an outlier."""
    usual: list[list[float | None]] = [[level] * 26 for level in (10.0, 10.2, 10.5, 10.8)]
    beside = [20.0 + week % 2 for week in range(26)]
    alone, informed = gap(beside, usual), gap(beside, usual, usual_spread=0.3**2)
    assert alone is not None
    assert informed is not None
    assert (alone.is_outlier, informed.is_outlier) == (True, False)


def test_other_metrics_say_nothing_of_one_whose_teams_are_much_closer_together() -> None:
    """Pipelines of six teams take 6 to 7 minutes, and those of a seventh twice as long."""
    usual: list[list[float | None]] = [[level] * 26 for level in (414.0, 413.0, 439.0, 369.0, 429.0, 376.0)]
    beside = [850.0 + week % 2 for week in range(26)]
    for spread in (None, 0.68):
        found = gap(beside, usual, usual_spread=spread)
        assert found is not None
        assert found.is_outlier, spread


def test_waits_of_nothing_do_not_make_a_team_stand_apart_whose_waits_are_of_the_usual_size() -> None:
    """Where medians are 0 to 32 minutes, 2.7 hours are as far from them as these are from each other."""
    usual: list[list[float | None]] = [[level] * 26 for level in (1108.0, 0.0, 1153.0, 0.0, 217.0, 968.0, 1923.0)]
    found = gap([9838.0 + week for week in range(26)], usual)
    assert found is not None
    assert not found.is_outlier
    none_waits = gap([9838.0 + week for week in range(26)], [[0.0] * 26] * 6)
    assert none_waits is not None
    assert none_waits.is_outlier


@pytest.mark.parametrize("apart", [0.0, 0.5])
def test_hardly_any_unit_of_a_quiet_organisation_is_an_outlier(apart: float) -> None:
    """One in 300 organisations and metrics, however many units; `apart` is by how much spreads of metrics differ."""
    generator = numpy.random.default_rng(int(apart * 10))
    found = 0
    for _ in range(150):
        spreads = 0.2 * numpy.exp(generator.normal(0, apart, 8))
        levels = numpy.exp(generator.normal(0, 1, (8, 10)) * spreads[:, None])
        usual = median(float(numpy.log(one).var(ddof=1)) for one in levels)
        for metric in levels:
            for unit, level in enumerate(metric):
                found += is_outlier(float(level), numpy.delete(metric, unit), None, usual) and level > metric.mean()
    assert found <= 9  # 3.6 are expected: 150 organisations of eight metrics


def test_a_change_on_a_known_day_is_surer_than_on_any_day() -> None:
    draw = random.Random(5)
    values = [draw.gauss(0, 1) + (1.5 if week >= 30 else 0) for week in range(52)]
    known, any_day = change_at(values, 30), change_point(values)
    assert known is not None
    assert any_day is not None
    assert known.p < any_day.p
    assert change_at(values, 7) is None
    assert change_at(values, 49) is None


def test_a_stock_that_drifts_is_no_change() -> None:
    """Each week is the week before and a little: runs look like changes to whoever takes weeks for independent."""
    draw = random.Random(6)
    found = 0
    for _ in range(150):
        stock = [5.0]
        for _ in range(51):
            stock.append(0.85 * stock[-1] + 0.75 + draw.gauss(0, 1))
        point = change_point(stock)
        found += point is not None and point.p <= 0.001
    assert found <= 3


def weekly_rates(draw: random.Random, rate: float, weeks: int) -> list[float]:
    return [100 * sum(draw.random() < rate for _ in range(30)) / 30 for _ in range(weeks)]


@pytest.mark.parametrize(
    ("true", "rises", "refactors"), [(DEBT, 3, False), (REFACTORING, 0, True), (UNKNOWN, 0, False), (DEBT, 4, True)]
)
def test_debt_and_refactoring_are_named_or_left_open(true: str, rises: int, refactors: bool) -> None:
    """Planted: signs rise from 5 to 15 %, or old code is changed in 50 instead of 30 % of lines."""
    draw = random.Random(f"{true} {rises} {refactors}")
    answers = []
    for _ in range(100):
        signs = [
            (weekly_rates(draw, 0.05, 36), weekly_rates(draw, 0.15 if number < rises else 0.05, 16))
            for number in range(4)
        ]
        old = (weekly_rates(draw, 0.3, 36), weekly_rates(draw, 0.5 if refactors else 0.3, 16))
        answers.append(debt_or_refactoring(signs, old))
    wrong = sum(answer not in {true, UNKNOWN} for answer in answers)
    assert wrong <= 7  # 5 % are allowed
    if true is not UNKNOWN:
        assert answers.count(true) >= 40


def test_a_median_lies_between_those_of_whatever_is_missing() -> None:
    draw = random.Random(8)
    values = [draw.lognormvariate(2, 1) for _ in range(101)]
    bounds = median_bounds(values[:90], 11)
    assert bounds is not None
    assert bounds[0] <= median(values) <= bounds[1]
    assert bounds == (sorted(values[:90])[39], sorted(values[:90])[50])
    assert median_bounds([1.0], 1) is None

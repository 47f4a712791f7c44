"""Statistics of findings: one change point of a weekly series, a change on a known day, a trend, a unit compared with
similar ones, and how many of a night's results may be chance.

The tests use ranks or signs, so that a week of outliers decides nothing, and their distribution without any change
depends only on the number of weeks.  Weeks that resemble the week before them carry less information: a statistic is
reduced according to their lag-one autocorrelation around both sides of a change, or around a trend.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from statistics import NormalDist, median
from typing import TYPE_CHECKING

from insights.formulas.differences import students_t

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

WEEKS_BEFORE, WEEKS_AFTER = 8, 4  # at least, before and after a change
LEAST_WEEKS = WEEKS_BEFORE + WEEKS_AFTER
DRAWS, BATCH = 200_000, 20_000  # random orders of the weeks, from which p-values are computed
FEW_ORDERS = 20  # of all orders, with as clear a change: too few to estimate how rare it is
RESAMPLES = 2_000
LEVEL = 0.95
MOST_ALIKE = 0.9
LIKELY_CHANCE = 0.05  # bounds are not computed for results that are so likely chance, or no outliers
UNBOUNDED = (-float("inf"), float("inf"))


@dataclass(frozen=True)
class ChangePoint:
    """The most pronounced change of a series: from `position` on, its median is `after` instead of `before`.

    `low` and `high` bound after − before with 95 % confidence; `p` is the probability of as pronounced a change if the
    weeks are in random order.
    """

    position: int
    before: float
    after: float
    low: float
    high: float
    p: float


def change_point(values: Sequence[float]) -> ChangePoint | None:
    """The change point; None for fewer than 12 weeks, or equal values."""
    if len(values) < LEAST_WEEKS or min(values) == max(values):
        return None
    statistics = _statistics(_ranks_of(values))[0]
    best = int(statistics.argmax())
    worth = _worth_of_weeks(_around_sides(values, WEEKS_BEFORE + best))
    p = _chance_of_any(len(values), worth * float(statistics[best]))
    return _changed_at(values, WEEKS_BEFORE + best, p)


def _chance_of_any(weeks: int, statistic: float) -> float:
    """The probability of as great a statistic at any position: the share of random orders or, if hardly any order has
    one, the sum of the exact probabilities at each position, which is an upper bound.
    """
    drawn = _share_above(_without_change(weeks), statistic)
    if drawn > FEW_ORDERS / DRAWS:
        return drawn
    at_positions = 0.0
    for position in range(WEEKS_BEFORE, weeks - WEEKS_AFTER + 1):
        deviation = (position * (weeks - position) * (weeks + 1) / 12) ** 0.5
        at_positions += _chance_of_rank_sum(weeks, position, statistic * deviation)
    return min(drawn, at_positions)


def change_at(values: Sequence[float], position: int) -> ChangePoint | None:
    """The change at a position that was known beforehand; `p` is the probability of ranks as different (Mann and
    Whitney).

    None for fewer than eight weeks before it or four since, or if all weeks are equal.
    """
    if not WEEKS_BEFORE <= position <= len(values) - WEEKS_AFTER or min(values) == max(values):
        return None
    weeks = len(values)
    apart = abs(float(_ranks_of(values)[0, :position].sum()) - position * (weeks + 1) / 2)
    apart *= _worth_of_weeks(_around_sides(values, position))
    return _changed_at(values, position, _chance_of_rank_sum(weeks, position, apart))


def _chance_of_rank_sum(weeks: int, chosen: int, apart: float) -> float:
    """The probability that the ranks of `chosen` of all weeks add up to at least so much more or less than expected."""
    sums, probabilities = _rank_sums(weeks, chosen)
    as_far = abs(sums - chosen * (weeks + 1) / 2) >= apart - 1e-9
    return float(min(1.0, probabilities[as_far].sum()))


@lru_cache(maxsize=256)
def _rank_sums(weeks: int, chosen: int) -> tuple[Floats, Floats]:
    """The possible sums of the ranks of `chosen` of all weeks, and the probability of each."""
    import numpy

    greatest = weeks * (weeks + 1) // 2
    ways = numpy.zeros((chosen + 1, greatest + 1))
    ways[0, 0] = 1.0
    for rank in range(1, weeks + 1):
        ways[1:, rank:] += ways[:-1, : greatest + 1 - rank].copy()
    return numpy.arange(greatest + 1.0), ways[chosen] / comb(weeks, chosen)


def _changed_at(values: Sequence[float], position: int, p: float) -> ChangePoint:
    import numpy

    series = numpy.array(values, dtype=float)
    before, after = series[:position], series[position:]
    low, high = _difference_of_medians(before, after) if p <= LIKELY_CHANCE else UNBOUNDED
    return ChangePoint(position, float(numpy.median(before)), float(numpy.median(after)), low, high, p)


def trend(values: Sequence[float], weeks: int) -> ChangePoint | None:
    """A steady rise or fall of the last `weeks`: `before` and `after` are both ends of the Theil–Sen line through them.

    `p` is the probability, with all values in random order, that ranks follow as closely a line that is level until
    `position` and rises or falls from there: the earlier values show what is usual.  None for fewer than `weeks` values
    or fewer than 12, or if all are equal.
    """
    import numpy

    position = len(values) - weeks
    if position < 0 or weeks < LEAST_WEEKS or min(values) == max(values):
        return None
    level, series = numpy.array(values[:position], dtype=float), numpy.array(values[position:], dtype=float)
    first, second = numpy.triu_indices(weeks, 1)
    slopes = (series[second] - series[first]) / (second - first)
    slope, steps = float(numpy.median(slopes)), weeks - 1
    residuals = series - slope * numpy.arange(weeks)
    start = float(numpy.median(residuals))
    around = numpy.concatenate([level - numpy.median(level) if position else level, residuals - start])
    line = numpy.maximum(0.0, numpy.arange(len(values)) - position)
    p = _chance_of_following(line, _ranks_of(values)[0], worth=_worth_of_weeks(around))
    low, high = UNBOUNDED
    if p <= LIKELY_CHANCE:
        # Sen's interval: the slopes that are as far from the middle as concordance varies without a trend.
        reach = 1.96 * (weeks * steps * (2 * weeks + 5) / 18) ** 0.5 / len(slopes) / 2
        low, high = (float(edge) * steps for edge in numpy.quantile(slopes, [max(0, 0.5 - reach), min(1, 0.5 + reach)]))
    return ChangePoint(position, start, start + slope * steps, low, high, p)


def _chance_of_following(line: Floats, ranks: Floats, *, worth: float) -> float:
    """The probability that ranks in random order follow a line as closely, in either direction.  Their sum of products
    is normal except for its tails, which are shorter (Hájek, 1961: https://doi.org/10.1214/aoms/1177705057).
    """
    weeks, line = len(line), line - line.mean()
    deviation = (weeks * (weeks + 1) / 12 * float((line**2).sum())) ** 0.5
    return 2 * NormalDist().cdf(-worth * abs(float((line * ranks).sum())) / deviation)


def _around_sides(values: Sequence[float], position: int) -> Floats:
    """The values minus the median of their side."""
    import numpy

    sides = (numpy.array(values[:position], dtype=float), numpy.array(values[position:], dtype=float))
    residuals: Floats = numpy.concatenate([side - numpy.median(side) for side in sides])
    return residuals


def _worth_of_weeks(residuals: Floats) -> float:
    """The standard deviation of a sum of independent weeks, as a share of that of a sum of these weeks."""
    ranks = _ranks(residuals)
    ranks -= ranks.mean()
    squares = float((ranks**2).sum())
    alike = min(MOST_ALIKE, max(0.0, float((ranks[1:] * ranks[:-1]).sum()) / squares)) if squares else 0.0
    return float(((1 - alike) / (1 + alike)) ** 0.5)


def _ranks_of(values: Sequence[float]) -> Floats:
    import numpy

    ranks: Floats = _ranks(numpy.array(values, dtype=float))[None, :]
    return ranks


def _ranks(series: Floats) -> Floats:
    """Ranks from 1; equal values share their mean rank."""
    import numpy

    _, places, counts = numpy.unique(series, return_inverse=True, return_counts=True)
    last = numpy.cumsum(counts)
    shared: Floats = (last - (counts - 1) / 2)[places]
    return shared


def _statistics(ranks: Floats) -> Floats:
    """The distance of the mean ranks before and after each possible change of each series, in standard deviations
    without any change."""
    import numpy

    weeks = ranks.shape[1]
    before = numpy.arange(WEEKS_BEFORE, weeks - WEEKS_AFTER + 1)
    sums = numpy.cumsum(ranks, axis=1)[:, before - 1]
    expected = before * (weeks + 1) / 2
    deviation = numpy.sqrt(before * (weeks - before) * (weeks + 1) / 12)
    apart: Floats = numpy.abs(sums - expected) / deviation
    return apart


@lru_cache(maxsize=64)
def _without_change(weeks: int) -> Floats:
    """The greatest statistics of series in random order, ascending."""
    import numpy

    generator = numpy.random.default_rng(weeks)
    ordered = numpy.tile(numpy.arange(1.0, weeks + 1), (BATCH, 1))
    greatest = [_statistics(generator.permuted(ordered, axis=1)).max(axis=1) for _ in range(DRAWS // BATCH)]
    return numpy.sort(numpy.concatenate(greatest))


def _share_above(ascending: Floats, statistic: float) -> float:
    import numpy

    above = len(ascending) - int(numpy.searchsorted(ascending, statistic - 1e-9))
    return float((1 + above) / (1 + len(ascending)))


def _difference_of_medians(before: Floats, after: Floats) -> tuple[float, float]:
    """The interval of the difference, by resampling weeks; the seed is fixed, so that a repeated night gives the same
    result.
    """
    import numpy

    generator = numpy.random.default_rng(len(before) * 1000 + len(after))
    medians = [
        numpy.median(part[generator.integers(0, len(part), (RESAMPLES, len(part)))], axis=1) for part in (after, before)
    ]
    tail = (1 - LEVEL) / 2
    low, high = numpy.quantile(medians[0] - medians[1], [tail, 1 - tail])
    return float(low), float(high)


@dataclass(frozen=True)
class Gap:
    """A unit compared with similar ones, week by week: the median difference with its interval, and `p`, the
    probability of differences as one-sided if neither is higher.  `is_outlier` says whether the unit is further away
    from the comparable ones, which always differ, than the farthest of as many would be in all but three of a thousand
    organisations.
    """

    own: float
    comparable: float
    low: float
    high: float
    p: float
    is_outlier: bool


LEAST_COMPARABLE = 4  # units: fewer do not show what is usual
OUTLIERS = 0.003  # probability of one on a side among all units, if they do not differ
OTHER_METRICS = 4  # the number of units as which the spread in other metrics counts


def gap(
    own: Sequence[float | None] | Floats,
    comparable: Sequence[Sequence[float | None] | Floats],
    middles: Sequence[float] | None = None,
    *,
    most: float | None = None,
    usual_spread: float | None = None,
) -> Gap | None:
    """Compares the unit's weekly values with those of comparable units in the same weeks.  `middles` are the medians of
    these units, if they are known (NaN for one without a value).  `most` is the upper limit of a share; `usual_spread`
    is the variance between units in the other metrics, as from spread_of.

    None for fewer than 12 weeks in which the unit and four of the others have a value.
    """
    import numpy

    if len(comparable) < LEAST_COMPARABLE:
        return None
    values, beside = numpy.array(own, dtype=float), numpy.array(comparable, dtype=float)
    is_known = ~numpy.isnan(values) & ((~numpy.isnan(beside)).sum(axis=0) >= LEAST_COMPARABLE)
    if is_known.sum() < LEAST_WEEKS:
        return None
    pairs = numpy.column_stack([values[is_known], numpy.nanmedian(beside[:, is_known], axis=0)])
    differences = pairs[:, 0] - pairs[:, 1]
    own_medians = numpy.array([middle_of(series) for series in beside] if middles is None else middles)
    p = sign_test(int((differences > 0).sum()), int((differences < 0).sum()))
    is_outlier = _is_outlier(
        float(numpy.median(pairs[:, 0])), own_medians[~numpy.isnan(own_medians)], most, usual_spread
    )
    low, high = UNBOUNDED
    if p <= LIKELY_CHANCE and is_outlier:
        weeks = len(differences)
        drawn = differences[numpy.random.default_rng(weeks).integers(0, weeks, (RESAMPLES, weeks))]
        tail = (1 - LEVEL) / 2
        low, high = (float(edge) for edge in numpy.quantile(numpy.median(drawn, axis=1), [tail, 1 - tail]))
    return Gap(
        own=float(numpy.median(pairs[:, 0])),
        comparable=float(numpy.median(pairs[:, 1])),
        low=low,
        high=high,
        p=p,
        is_outlier=is_outlier,
    )


def middle_of(series: Floats) -> float:
    """The median of the weeks that have a value; NaN if none has."""
    import numpy

    known = series[~numpy.isnan(series)]
    return float(numpy.median(known)) if len(known) else float("nan")


def spread_of(middles: Floats, most: float | None) -> float | None:
    """The variance between units, of logarithms or of log odds; None for fewer than five units, or if some have no
    logarithm.
    """
    scaled = _in_logarithms(middles, most)
    return float(scaled.var(ddof=1)) if scaled is not None and len(scaled) > LEAST_COMPARABLE else None


def _in_logarithms(values: Floats, most: float | None) -> Floats | None:
    """The logarithms of the values or, for shares, of their odds; None if a value has none.

    If some amounts are 0, as with waits of seconds to days, the smallest other amount is added to all.
    """
    import numpy

    if most is None and values.min() == 0 < values.max():
        values = values + values[values > 0].min()
    if values.min() <= 0 or (most is not None and values.max() >= most):
        return None
    logarithms: Floats = numpy.log(values if most is None else values / (most - values))
    return logarithms


def _is_outlier(own: float, middles: Floats, most: float | None, usual_spread: float | None) -> bool:
    """Whether the unit lies outside the prediction interval for one more unit (Student's t, at the level of Grubbs's
    test of the farthest: https://doi.org/10.1214/aoms/1177729885).

    Few comparable units hardly show how much units usually differ, so the spread in other metrics counts as that of
    four more units (Smyth, 2004: https://doi.org/10.2202/1544-6115.1027), unless the units of this metric clearly
    differ more, or less, than is usual.
    """
    import numpy

    scaled = _in_logarithms(numpy.append(middles, own), most)
    is_scaled = scaled is not None
    *beside, unit = scaled if scaled is not None else numpy.append(middles, own)
    variance, freedom = float(numpy.var(beside, ddof=1)), len(beside) - 1
    if is_scaled and usual_spread is not None and _may_vary_so(variance, usual_spread, freedom):
        variance = (freedom * variance + OTHER_METRICS * usual_spread) / (freedom + OTHER_METRICS)
        freedom += OTHER_METRICS
    reach = students_t(1 - OUTLIERS / (len(beside) + 1), freedom) * (variance * (1 + 1 / len(beside))) ** 0.5
    return bool(abs(unit - numpy.mean(beside)) > reach)


def _may_vary_so(variance: float, usual: float, freedom: int) -> bool:
    """Whether the variance between so few units is compatible with the usual one: it is lower in one of 4,000 cases,
    and higher in one of 200 (chi-squared, by Wilson and Hilferty, 1931: https://doi.org/10.1073/pnas.17.12.684).

    The lower bound is stricter, because units wrongly taken to differ less produce findings by chance.
    """
    part = 2 / (9 * freedom)
    low, high = ((1 - part + deviations * part**0.5) ** 3 for deviations in (-3.5, 2.58))
    return bool(low <= variance / usual <= high)


def sign_test(positive: int, negative: int) -> float:
    """The probability of at least signs as uneven if both are equally likely;
    https://en.wikipedia.org/wiki/Sign_test
    """
    signs = positive + negative
    if not signs:
        return 1.0
    rarer = min(positive, negative)
    return min(1.0, float(2 * sum(comb(signs, n) for n in range(rarer + 1)) / 2**signs))


def discoveries(p_values: Sequence[float], rate: float) -> list[bool]:
    """Choose the p-values to report so that on average at most the share `rate` of them is chance (Benjamini–Hochberg).

    https://doi.org/10.1111/j.2517-6161.1995.tb02031.x; also valid for positively dependent tests.
    """
    ascending = sorted(range(len(p_values)), key=p_values.__getitem__)
    last = 0
    for rank, position in enumerate(ascending, 1):
        if p_values[position] <= rate * rank / len(p_values):
            last = rank
    reported = set(ascending[:last])
    return [position in reported for position in range(len(p_values))]


DEBT, REFACTORING, UNKNOWN = "debt", "refactoring", "unknown"
SURE, PERHAPS = 0.05, 0.2
LEAST_SIGNS = 2  # that have data, before their absence means anything


def debt_or_refactoring(
    signs: Sequence[tuple[Sequence[float], Sequence[float]]],
    refactoring: tuple[Sequence[float], Sequence[float]] | None,
) -> str:
    """Classifies rising churn or cycle time by its signs: weekly values before and since.

    Growing debt if at least two signs (reverts, rework, reopened items, incidents) surely rose, or one rose so surely
    that it holds among all of them; productive refactoring if more old code is changed and no sign may have risen;
    otherwise unknown.
    """
    chances = [chance for before, after in signs if (chance := _rise(before, after)) is not None]
    risen = sum(chance <= SURE for chance in chances)
    if risen >= LEAST_SIGNS or (chances and min(chances) <= SURE / len(chances)):
        return DEBT
    older = _rise(*refactoring) if refactoring else None
    if older is not None and older <= SURE and len(chances) >= LEAST_SIGNS and min(chances) > PERHAPS:
        return REFACTORING
    return UNKNOWN


def _rise(before: Sequence[float], after: Sequence[float]) -> float | None:
    """The probability of ranks since then being as much higher if the weeks are in random order; None for too few
    weeks.
    """
    values = [*before, *after]
    if len(before) < WEEKS_BEFORE or len(after) < WEEKS_AFTER:
        return None
    if min(values) == max(values):
        return 1.0
    weeks, since = len(values), len(after)
    above = float(_ranks_of(values)[0, -since:].sum()) - since * (weeks + 1) / 2
    sums, probabilities = _rank_sums(weeks, since)
    return float(min(1.0, probabilities[sums - since * (weeks + 1) / 2 >= above - 1e-9].sum()))


def median_bounds(known: Sequence[float], uncertain: int) -> tuple[float, float] | None:
    """The lowest and highest median that so many further values could produce, whatever they are; None if most are
    uncertain.
    """
    if uncertain >= len(known):
        return None
    lowest, ascending, highest = [-float("inf")] * uncertain, sorted(known), [float("inf")] * uncertain
    return median([*lowest, *ascending]), median([*ascending, *highest])

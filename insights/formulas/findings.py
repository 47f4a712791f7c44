"""Statistics of findings: one change point of a weekly series, a unit beside comparable ones, and how many of all that
was looked at in a night may be chance.

Both tests go by ranks, so that a week of outliers decides nothing, and their distribution without any change depends on
the number of weeks alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import comb
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats

WEEKS_BEFORE, WEEKS_AFTER = 8, 4  # at least, beside a change
LEAST_WEEKS = WEEKS_BEFORE + WEEKS_AFTER
DRAWS, BATCH = 200_000, 20_000  # orders of the weeks, from which p values come
RESAMPLES = 2_000
LEVEL = 0.95


@dataclass(frozen=True)
class ChangePoint:
    """The most pronounced change of a series: from `position` on, its median is `after` in place of `before`.

    `low` and `high` bound after − before with 95 % confidence; `p` is the probability of as pronounced a change where
    the weeks are in random order.
    """

    position: int
    before: float
    after: float
    low: float
    high: float
    p: float


def change_point(values: Sequence[float]) -> ChangePoint | None:
    """None for fewer than 12 weeks, or where all are equal."""
    import numpy

    if len(values) < LEAST_WEEKS or min(values) == max(values):
        return None
    series = numpy.array(values, dtype=float)
    statistics = _statistics(_ranks(series)[None, :])[0]
    best = int(statistics.argmax())
    position = WEEKS_BEFORE + best
    low, high = _difference_of_medians(series[:position], series[position:])
    return ChangePoint(
        position=position,
        before=float(numpy.median(series[:position])),
        after=float(numpy.median(series[position:])),
        low=low,
        high=high,
        p=_share_above(_without_change(len(values)), float(statistics[best])),
    )


def _ranks(series: Floats) -> Floats:
    """Ranks from 1; equal values share the mean of theirs."""
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
    """The interval of the difference, from weeks drawn again; a seed of its own, so that a night repeats itself."""
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
    """A unit beside comparable ones, week by week: the median difference with its interval, and `p`, the probability of
    so one-sided differences where neither is higher.  `distance` is the unit's distance from the middle of the
    comparable ones, in their own robust standard deviations.
    """

    own: float
    comparable: float
    low: float
    high: float
    p: float
    distance: float


LEAST_COMPARABLE = 4  # units: fewer do not say what is usual
OF_NORMAL = 1.4826  # a median absolute deviation as a standard deviation


def gap(own: Sequence[float | None], comparable: Sequence[Sequence[float | None]]) -> Gap | None:
    """The unit's weekly values beside those of comparable units, in the same weeks.

    None for fewer than 12 weeks in which the unit and four of the others have a value.
    """
    import numpy

    weeks: list[tuple[float, float]] = []
    for week, value in enumerate(own):
        others = [series[week] for series in comparable]
        known = [other for other in others if other is not None]
        if value is not None and len(known) >= LEAST_COMPARABLE:
            weeks.append((value, float(numpy.median(known))))
    if len(weeks) < LEAST_WEEKS:
        return None
    pairs = numpy.array(weeks)
    differences = pairs[:, 0] - pairs[:, 1]
    known_of = [[value for value in series if value is not None] for series in comparable]
    middles = [float(numpy.median(known)) for known in known_of if known]
    spread = OF_NORMAL * float(numpy.median(numpy.abs(numpy.array(middles) - numpy.median(middles))))
    apart = float(numpy.median(pairs[:, 0]) - numpy.median(middles))
    drawn = differences[numpy.random.default_rng(len(weeks)).integers(0, len(weeks), (RESAMPLES, len(weeks)))]
    tail = (1 - LEVEL) / 2
    low, high = numpy.quantile(numpy.median(drawn, axis=1), [tail, 1 - tail])
    return Gap(
        own=float(numpy.median(pairs[:, 0])),
        comparable=float(numpy.median(pairs[:, 1])),
        low=float(low),
        high=float(high),
        p=sign_test(int((differences > 0).sum()), int((differences < 0).sum())),
        distance=abs(apart) / spread if spread else (float("inf") if apart else 0.0),
    )


def sign_test(positive: int, negative: int) -> float:
    """The probability of at least so uneven signs where both are equally likely; https://en.wikipedia.org/wiki/Sign_test"""
    signs = positive + negative
    if not signs:
        return 1.0
    rarer = min(positive, negative)
    return min(1.0, float(2 * sum(comb(signs, n) for n in range(rarer + 1)) / 2**signs))


def discoveries(p_values: Sequence[float], rate: float) -> list[bool]:
    """Those that may be reported so that, on average, at most this share of them are chance (Benjamini–Hochberg).

    https://doi.org/10.1111/j.2517-6161.1995.tb02031.x; valid for tests that depend on one another positively, too.
    """
    ascending = sorted(range(len(p_values)), key=p_values.__getitem__)
    last = 0
    for rank, position in enumerate(ascending, 1):
        if p_values[position] <= rate * rank / len(p_values):
            last = rank
    reported = set(ascending[:last])
    return [position in reported for position in range(len(p_values))]

"""Cluster bootstrap: draws developers (or weeks) with replacement, each with all their values, and takes percentiles.

Used by `differences`, `bands` and `resampled_weeks`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from numpy.random import Generator

    from insights.formulas.arrays import Floats, Integers

MOST_REPLICATES = 2000
FEWEST_REPLICATES = 400
DRAWS = 8_000_000  # of developers, which takes a tenth of a second
DRAWN_AT_ONCE = 2_000_000
NEAR = 0.1  # share of the values around the sample percentile in which a replicate's percentile is searched first
BINS = 40  # times the root of values per developer: more take longer to count, fewer longer to search


@dataclass(frozen=True)
class Values:
    """One group's durations, each with its developer: a number from 0, the same in both groups."""

    values: Floats
    developers: Integers

    def totals(self, developers: int) -> Totals:
        """Sum and number of values by developer, for `developers` developers."""
        import numpy as np

        return Totals(
            np.bincount(self.developers, weights=self.values, minlength=developers).astype(np.float64),
            np.bincount(self.developers, minlength=developers).astype(np.float64),
        )

    def in_order(self) -> Values:
        import numpy as np

        order = np.argsort(self.values, kind="stable")
        return Values(self.values[order], self.developers[order])


@dataclass(frozen=True)
class Totals:
    """One group's numerators and denominators, with one element per developer of both groups."""

    above: Floats
    below: Floats

    @property
    def developers(self) -> int:
        return int((self.below > 0).sum())

    @property
    def value(self) -> float | None:
        below = float(self.below.sum())
        return float(self.above.sum()) / below if below else None


def percentile_of(values: Floats, percentile: float) -> float | None:
    """The percentile as in PostgreSQL's percentile_cont; None without values."""
    import numpy as np

    return float(np.quantile(values, percentile)) if len(values) else None


def drawn_weights(developers: int, *, seed: int, replicates: int | None = None) -> Iterator[Floats]:
    """The number of times each developer was drawn, one row per replicate, in chunks of rows.

    By default more developers have fewer replicates, because these differ less.
    """
    import numpy as np

    replicates = replicates or max(FEWEST_REPLICATES, min(MOST_REPLICATES, DRAWS // developers))
    rng: Generator = np.random.default_rng(seed)
    at_once = max(1, DRAWN_AT_ONCE // developers)
    for start in range(0, replicates, at_once):
        rows = min(at_once, replicates - start)
        drawn = rng.integers(0, developers, size=(rows, developers), dtype=np.int32)  # five times as fast as 64 bits
        places = drawn + np.arange(rows, dtype=np.int64)[:, None] * developers
        yield np.bincount(places.ravel(), minlength=rows * developers).reshape(rows, developers).astype(np.float64)


def drawn_percentiles(group: Values, weights: Floats, percentile: float) -> Floats:
    """Percentiles of sorted values weighted by how often their developer was drawn, one per row of weights; NaN if none
    was.

    Interpolated linearly, like `percentile_of` over all drawn values.
    """
    import numpy as np

    size = len(group.values)
    places = percentile * (weights @ _counts(group.developers, weights.shape[1]) - 1)
    near = [min(size, max(0, round(size * (percentile + distance)))) for distance in (-NEAR, NEAR)]
    percentiles_drawn = _BinnedRange.of(group, weights, *near).values_at(places)
    far = np.isnan(percentiles_drawn) & (places >= 0)
    if far.any():
        percentiles_drawn[far] = _BinnedRange.of(group, weights[far], 0, size).values_at(places[far])
    return percentiles_drawn


@dataclass(frozen=True, eq=False)
class _BinnedRange:
    """A range of sorted values, divided into bins of equal width.

    The number of values drawn per bin is a product of two small matrices; only the bin that contains the percentile is
    counted value by value.
    """

    values: Floats
    developers: Integers
    weights: Floats
    width: int
    ends: Floats  # by replicate: how many were drawn before the range, and up to the end of each bin

    @classmethod
    def of(cls, group: Values, weights: Floats, first: int, last: int) -> _BinnedRange:
        import numpy as np

        size, developers = last - first, weights.shape[1]
        width = max(1, math.ceil(size / max(1, round(BINS * math.sqrt(size / developers)))))
        columns = 1 + math.ceil(size / width)
        bins = np.concatenate((np.zeros(first, dtype=np.int64), 1 + np.arange(size) // width))
        counts = _counts(group.developers[:last] * columns + bins, developers * columns).reshape(developers, columns)
        within = slice(first, last)
        ends = np.cumsum(weights @ counts, axis=1)
        return cls(group.values[within], group.developers[within], weights, width, ends)

    def values_at(self, places: Floats) -> Floats:
        """Values by replicate, interpolated between the two values around a position from 0; NaN outside the range."""
        import numpy as np

        below = np.floor(places)
        low = self._values_at(below)
        return low + (places - below) * (self._values_at(np.ceil(places)) - low)

    def _values_at(self, places: Floats) -> Floats:
        import numpy as np

        ends = self.ends
        [rows] = np.nonzero((ends[:, 0] <= places) & (places < ends[:, -1]))
        wanted_places = places[rows][:, None]
        bins = (ends[rows] <= wanted_places).sum(axis=1) - 1
        starts = bins * self.width
        looked_at = np.minimum(starts[:, None] + np.arange(self.width), len(self.values) - 1)
        drawn = self.weights[rows[:, None], self.developers[looked_at]]
        passed = ends[rows, bins][:, None] + np.cumsum(drawn, axis=1) <= wanted_places
        values_found = np.full(len(places), np.nan)
        values_found[rows] = self.values[starts + passed.sum(axis=1)]
        return values_found


def _counts(numbers: Integers, most: int) -> Floats:
    """The number of occurrences of each number from 0 to `most`, as floats for matrix products."""
    import numpy as np

    return np.bincount(numbers, minlength=most).astype(np.float64)

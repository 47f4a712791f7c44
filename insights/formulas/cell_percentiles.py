"""Percentiles of many cells whose values overlap: those of a unit are all those of the units below it.

The same numbers as PostgreSQL's percentile_cont gives, to the last bit; here they are sorted in memory, ten to twenty
times as fast, because a database takes each value of a cell for a row (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from numpy import float64, int64
    from numpy.typing import NDArray

    Integers = NDArray[int64]
    Floats = NDArray[float64]

VALUES_AT_ONCE = 4_000_000  # some 100 MB with the positions and the sorted copy


@dataclass(frozen=True)
class Membership:
    """Which chunks of values belong to which cells: a pair for each, in the order of the cells.

    Cells are numbered from 0 without gaps, so that `first` has, for each cell, the position of its first pair, and at
    last the number of pairs.
    """

    chunks: Integers
    first: Integers


class Joined(NamedTuple):
    """The pairs of a join: the position of the asked, and what it was found with."""

    positions: Integers
    found: Integers


def joined(asked: Integers, first: Integers, listed: Integers) -> Joined:
    """Each number that is asked for with each of its list: that of n is listed[first[n]:first[n + 1]]."""
    import numpy as np

    lengths = first[asked + 1] - first[asked]
    positions = np.repeat(np.arange(len(asked), dtype=np.int64), lengths)
    return Joined(positions, listed[_ranges(first[asked], lengths)])


def percentiles_of_cells(
    values: Floats, chunk_first: Integers, membership: Membership, percentiles: Sequence[float]
) -> Floats:
    """One row per cell and one column per percentile (0 to 1); NaN where a cell has no value.

    `values` are those of all chunks, one chunk after the other: chunk n is values[chunk_first[n]:chunk_first[n + 1]].
    """
    import numpy as np

    chunk_lengths = np.diff(chunk_first)
    pair_ends = np.concatenate(([0], np.cumsum(chunk_lengths[membership.chunks])))
    sizes = np.diff(pair_ends[membership.first])
    found = np.full((len(sizes), len(percentiles)), np.nan)
    pair_counts = np.diff(membership.first)
    for cells in _blocks(sizes):
        pairs = _ranges(membership.first[cells], pair_counts[cells])
        chunks = membership.chunks[pairs]
        gathered = values[_ranges(chunk_first[chunks], chunk_lengths[chunks])]
        found[cells] = _percentiles_of_block(gathered, sizes[cells], percentiles)
    return found


def _ranges(starts: Integers, lengths: Integers) -> Integers:
    """The numbers of all the ranges, one range after the other."""
    import numpy as np

    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()), dtype=np.int64)


def _blocks(sizes: Integers) -> Iterator[Integers]:
    """Cells of about the same size (from one power of two to the next) whose values can be held together."""
    import numpy as np

    widths = _widths(sizes)
    for width in np.unique(widths[sizes > 0]).tolist():
        cells = np.flatnonzero((widths == width) & (sizes > 0))
        at_once = max(1, VALUES_AT_ONCE // width)
        for start in range(0, len(cells), at_once):
            yield cells[start : start + at_once]


def _widths(sizes: Integers) -> Integers:
    """The power of two that holds as many values."""
    import numpy as np

    return 1 << np.ceil(np.log2(np.maximum(sizes, 1))).astype(np.int64)


def _percentiles_of_block(values: Floats, sizes: Integers, percentiles: Sequence[float]) -> Floats:
    """Of cells whose values stand one after the other.

    The cells are the rows of a matrix that is sorted at once, filled up with infinity: a call for each of a hundred
    thousand small cells would take longer than the sorting.
    """
    import numpy as np

    matrix = np.full((len(sizes), int(_widths(sizes).max())), np.inf)
    matrix[np.arange(matrix.shape[1]) < sizes[:, None]] = values
    matrix.sort(axis=1)
    rows = np.arange(len(sizes))
    found = np.empty((len(sizes), len(percentiles)))
    for column, percentile in enumerate(percentiles):
        position = percentile * (sizes - 1)
        below = np.floor(position).astype(np.int64)
        low, high = matrix[rows, below], matrix[rows, np.ceil(position).astype(np.int64)]
        found[:, column] = low + (position - below) * (high - low)
    return found

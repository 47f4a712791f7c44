"""Percentiles of many cells whose values overlap: those of a unit are all those of the units below it.

The same numbers as PostgreSQL's percentile_cont gives, to the last bit; here they are sorted in memory, much faster
than by a database, which takes each value of a cell for a row (docs/decisions/0021).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from insights.formulas.cell_layout import Lists, ranges

if TYPE_CHECKING:
    from numpy import int32
    from numpy.typing import NDArray

    from insights.formulas.arrays import Floats, Integers

    Ranks = NDArray[int32]

VALUES_AT_ONCE = 1 << 19  # what is sorted stays in the processor's cache, or near it


class Ranked(NamedTuple):
    """Values by their place in the order of all: half as wide, and sorted in half the time.

    `ranks` are of the rows, those without a value (NaN) last; `values` are in order, and only those that are known.
    """

    ranks: Ranks
    values: Floats

    @classmethod
    def of(cls, values: Floats) -> Ranked:
        import numpy as np

        order = np.argsort(values)
        ranks = np.empty(len(values), dtype=np.int32)
        ranks[order] = np.arange(len(values), dtype=np.int32)
        known = len(values) - int(np.count_nonzero(np.isnan(values)))
        return cls(ranks, values[order[:known]])


@dataclass(frozen=True)
class Membership:
    """Of which rows each cell is: chunks of rows that stand one after the other, a list of them for each cell."""

    chunk_first: Integers  # where the rows of each chunk begin, and the end
    chunks: Lists

    @property
    def cell_count(self) -> int:
        return len(self.chunks.first) - 1

    def sizes(self) -> Integers:
        """The number of rows of each cell."""
        import numpy as np

        ends = np.concatenate(([0], np.cumsum(np.diff(self.chunk_first)[self.chunks.listed])))
        return np.diff(ends[self.chunks.first])

    def rows_of(self, cells: Integers, width: int, beyond: int) -> Integers:
        """A line of positions of rows for each of these cells, filled up with `beyond`."""
        import numpy as np

        pairs = self.chunks.joined(cells)
        starts = self.chunk_first[pairs.found]
        lengths = self.chunk_first[pairs.found + 1] - starts
        sizes = np.bincount(pairs.positions, weights=lengths, minlength=len(cells)).astype(np.int64)
        found = np.full((len(cells), width), beyond, dtype=np.int64)
        found[np.arange(width) < sizes[:, None]] = ranges(starts, lengths)
        return found


def percentiles_of_cells(
    measures: Sequence[Ranked], known: Sequence[Integers], membership: Membership, percentiles: Sequence[float]
) -> list[Floats]:
    """For each measure one row per cell and one column per percentile (0 to 1); NaN where a cell has no value.

    The ranks of each measure are in the order of the membership's rows; `known` says how many rows of each cell have a
    value.
    """
    import numpy as np

    found = [np.full((membership.cell_count, len(percentiles)), np.nan) for _ in measures]
    beyond = int(membership.chunk_first[-1])
    # Where a line is shorter than its width, what sorts last stands for nothing.
    ranks = [np.append(measure.ranks, np.int32(np.iinfo(np.int32).max)) for measure in measures]
    for cells, width in _blocks(membership.sizes()):
        rows = membership.rows_of(cells, width, beyond)
        lines = np.empty(rows.shape, dtype=np.int32)
        for measure, of_rows, counts, told in zip(measures, ranks, known, found, strict=True):
            np.take(of_rows, rows, out=lines, mode="clip")
            lines.sort(axis=1)
            told[cells] = _picked(lines, measure.values, counts[cells], percentiles)
    return found


def _picked(lines: Ranks, values: Floats, counts: Integers, percentiles: Sequence[float]) -> Floats:
    """The percentiles of each line, of which the first `counts` are values."""
    import numpy as np

    told = np.full((len(lines), len(percentiles)), np.nan)
    some = np.flatnonzero(counts)
    if not len(some):
        return told
    begins, last = some * lines.shape[1], counts[some] - 1
    flat = lines.reshape(-1)
    for column, percentile in enumerate(percentiles):
        position = percentile * last
        below = position.astype(np.int64)
        low = values[flat[begins + below]]
        high = values[flat[begins + np.minimum(below + 1, last)]]
        told[some, column] = low + (position - below) * (high - low)
    return told


def _blocks(sizes: Integers) -> Iterator[tuple[Integers, int]]:
    """Cells of about the same size (from one power of two to the next) whose values can be held together."""
    import numpy as np

    widths = _widths(sizes)
    for width in np.unique(widths[sizes > 0]).tolist():
        cells = np.flatnonzero((widths == width) & (sizes > 0))
        at_once = max(1, VALUES_AT_ONCE // width)
        for start in range(0, len(cells), at_once):
            block = cells[start : start + at_once]
            yield block, int(sizes[block].max())


def _widths(sizes: Integers) -> Integers:
    """The power of two that holds as many values."""
    import numpy as np

    return 1 << np.ceil(np.log2(np.maximum(sizes, 1))).astype(np.int64)

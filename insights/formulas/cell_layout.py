"""Where rows belong: in which windows their day lies, and in which units their path.

Rows are numbers in arrays here.  A stretch is days that lie in the same windows, a span the position of a window, a
path the units of a tree that somebody counts for (insights/metrics/stints.py).  All are numbered from 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from insights.formulas.positions import in_order

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers


class Joined(NamedTuple):
    """The pairs of a join: the position of the asked, and what it was found with."""

    positions: Integers
    found: Integers


class Lists(NamedTuple):
    """A list of numbers for each number from 0: that of n is listed[first[n]:first[n + 1]]."""

    first: Integers
    listed: Integers

    @classmethod
    def of_pairs(cls, numbers: Integers, listed: Integers, count: int) -> Lists:
        """From pairs in any order."""
        import numpy as np

        order = in_order(numbers)
        return cls(np.searchsorted(numbers[order], np.arange(count + 1)), listed[order])

    def joined(self, asked: Integers) -> Joined:
        """Each number that is asked for with each of its list."""
        import numpy as np

        lengths = self.first[asked + 1] - self.first[asked]
        positions = np.repeat(np.arange(len(asked), dtype=np.int64), lengths)
        return Joined(positions, self.listed[ranges(self.first[asked], lengths)])

    def turned(self, count: int) -> Lists:
        """For each number that is listed, of `count`, those whose lists it is in."""
        import numpy as np

        owners = np.repeat(np.arange(len(self.first) - 1, dtype=np.int64), np.diff(self.first))
        return Lists.of_pairs(self.listed, owners, count)


def ranges(starts: Integers, lengths: Integers) -> Integers:
    """The numbers of all the ranges, one range after the other."""
    import numpy as np

    before = np.cumsum(lengths) - lengths
    return np.repeat(starts - before, lengths) + np.arange(int(lengths.sum()), dtype=np.int64)


@dataclass(frozen=True)
class Calendar:
    """The windows of each stretch of days."""

    spans_of_stretch: Lists
    span_count: int

    @property
    def stretch_count(self) -> int:
        return len(self.spans_of_stretch.first) - 1

    def matrix(self) -> Floats:
        """A row per stretch and a column per span: 1 where the stretch lies in it."""
        import numpy as np

        found = np.zeros((self.stretch_count, self.span_count))
        lists = self.spans_of_stretch
        found[np.repeat(np.arange(self.stretch_count), np.diff(lists.first)), lists.listed] = 1
        return found


@dataclass(frozen=True)
class Tree:
    """The units of which each path consists; `units` are their ids."""

    units: Integers
    units_of_path: Lists

    @property
    def path_count(self) -> int:
        return len(self.units_of_path.first) - 1

    @classmethod
    def of_everybody(cls) -> Tree:
        """One unit, 0, with one path."""
        import numpy as np

        return cls.of_each(np.zeros(1, dtype=np.int64))

    @classmethod
    def of_each(cls, units: Integers) -> Tree:
        """Each of them on its own, with one path."""
        import numpy as np

        return cls(units, Lists(np.arange(len(units) + 1), np.arange(len(units))))


@dataclass(frozen=True)
class Homes:
    """The cells of a tree in any window: each a unit with one value of a segment, in this order.

    A place is a path with one value of a segment of which there is a row.
    """

    tree: Tree
    units: Integers  # of each home, by position
    segments: Integers
    places: Integers  # for each path × segment count + segment the number of the place; -1 where there is none
    segment_count: int
    pair_places: Integers  # the places of each home, home by home
    pair_first: Integers  # where those of each home begin

    @classmethod
    def of_rows(cls, tree: Tree, paths: Integers, segments: Integers, segment_count: int) -> Homes:
        import numpy as np

        present = np.flatnonzero(np.bincount(paths * segment_count + segments, minlength=1))
        numbers = np.full(tree.path_count * segment_count, -1, dtype=np.int64)
        numbers[present] = np.arange(len(present))
        pairs = tree.units_of_path.joined(present // segment_count)
        homes = pairs.found * segment_count + present[pairs.positions] % segment_count
        order = in_order(homes)
        found, first = np.unique(homes[order], return_index=True)
        return cls(
            tree, found // segment_count, found % segment_count, numbers, segment_count, pairs.positions[order], first
        )

    @property
    def place_count(self) -> int:
        return int(self.places.max(initial=-1)) + 1

    def place_of(self, paths: Integers, segments: Integers) -> Integers:
        found: Integers = self.places[paths * self.segment_count + segments]
        return found

    def added_up(self, of_places: Floats) -> Floats:
        """A row per home, from a row per place."""
        import numpy as np

        if not len(self.units):
            return np.zeros((0, of_places.shape[1]))
        return np.add.reduceat(of_places[self.pair_places], self.pair_first, axis=0)

    def cell_of(self, units: Integers, segments: Integers, spans: Integers, span_count: int) -> Integers:
        """Home × span count + span, of units by position."""
        import numpy as np

        numbered = np.full(len(self.tree.units) * self.segment_count, -1, dtype=np.int64)
        numbered[self.units * self.segment_count + self.segments] = np.arange(len(self.units))
        found: Integers = numbered[units * self.segment_count + segments] * span_count + spans
        return found

"""Where numbers stand among others: rows by the million are placed among people by the thousand.

Ids lie close together, so that a table of them all is small, and looking each up there takes an eighth of the time of
sorting them; to search among them takes fifteen times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Integers

MOST_GAPS = 4  # of a table, for each id that is looked up
MOST_PLACES = 256  # of a table of flags, for each number that is in it
BITS = 63  # of a number that is not negative
BITS_OF_FEW = 20  # of hashes: those of a few hundred differ in them


class Numbered(NamedTuple):
    """The different ones among numbers, and the position in these of each of the numbers."""

    different: Integers
    positions: Integers


def numbered(ids: Integers) -> Numbered:
    """As `np.unique` with its inverse: the different ids in order."""
    import numpy as np

    if not len(ids):
        return Numbered(ids, np.zeros(0, dtype=np.int64))
    first, last = int(ids.min()), int(ids.max())
    if last - first > MOST_GAPS * len(ids):
        return Numbered(*np.unique(ids, return_inverse=True))
    places = ids - first
    is_there = np.zeros(last - first + 1, dtype=bool)
    is_there[places] = True
    numbers = np.cumsum(is_there) - 1
    return Numbered(np.flatnonzero(is_there) + first, numbers[places])


def numbered_few(hashes: Integers) -> Numbered:
    """The different ones, in any order, of numbers that lie anywhere, of which there are few."""
    import numpy as np

    ends = hashes & ((1 << BITS_OF_FEW) - 1)
    ending_so = np.full(1 << BITS_OF_FEW, -1, dtype=np.int64)
    ending_so[ends] = np.arange(len(hashes))
    if not np.array_equal(hashes[ending_so[ends]], hashes):  # two of them end in the same bits
        return Numbered(*np.unique(hashes, return_inverse=True))
    there = np.flatnonzero(ending_so >= 0)
    different = hashes[ending_so[there]]
    ending_so[there] = np.arange(len(there))
    return Numbered(different, ending_so[ends])


def positions_in(known: Integers, asked: Integers) -> Integers:
    """For each that is asked its position in `known` (in order, each once), -1 where it is not there."""
    import numpy as np

    if not len(known):
        return np.full(len(asked), -1, dtype=np.int64)
    first, last = int(known[0]), int(known[-1])
    if last - first > MOST_GAPS * len(asked):
        found = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        return np.where(known[found] == asked, found, -1)
    table = np.full(last - first + 3, -1, dtype=np.int64)  # with one place before and one behind
    table[known - (first - 1)] = np.arange(len(known))
    positions: Integers = table[np.clip(asked, first - 1, last + 1) - (first - 1)]
    return positions


class Numbers:
    """A set of numbers, in which others are looked up again and again."""

    def __init__(self, numbers: Integers) -> None:
        import numpy as np

        self._count = len(numbers)
        self._first = int(numbers.min(initial=0)) - 1  # with one place before and one behind
        self._last = int(numbers.max(initial=0)) + 1
        lie_apart = self._last - self._first > MOST_PLACES * max(len(numbers), 1)
        self._sorted = np.sort(numbers) if lie_apart else None
        self._is_there = np.zeros(0 if lie_apart else self._last - self._first + 1, dtype=bool)
        if not lie_apart:
            self._is_there[numbers - self._first] = True

    def __len__(self) -> int:
        return self._count

    def hold(self, asked: Integers) -> Flags:
        """Which of these are among them."""
        import numpy as np

        asked = asked.astype(np.int64)
        if self._sorted is None:
            found: Flags = self._is_there[np.clip(asked, self._first, self._last) - self._first]
            return found
        return positions_in(self._sorted, asked) >= 0


def in_order(codes: Integers) -> Integers:
    """The positions of the codes from the least to the greatest, equal ones as they stand: a stable argsort.

    Each code is sorted with its position as one number, where both have room: numpy sorts numbers ten times as fast as
    it finds the order of them.
    """
    import numpy as np

    if not len(codes):
        return np.zeros(0, dtype=np.int64)
    least, width = int(codes.min()), (len(codes) - 1).bit_length()
    if (int(codes.max()) - least).bit_length() + width > BITS:
        return np.argsort(codes, kind="stable")
    packed = (codes - least) << width
    packed |= np.arange(len(codes))
    packed.sort()
    packed &= (1 << width) - 1
    return packed

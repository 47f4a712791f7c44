"""What the rows of a relation tell of each measure, worked out once for all ways to split them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from insights.formulas.cell_percentiles import Ranked
from insights.formulas.positions import numbered
from insights.metrics.measures import Distribution, Measure, PeopleOnLine, Total
from insights.metrics.row_arrays import RowArrays, letters_of

if TYPE_CHECKING:
    from insights.formulas.arrays import Bits, Flags, Floats, Integers, SmallIntegers


@dataclass(frozen=True)
class Amounts:
    """What each row adds to a measure that is added up; 0 where it is nothing."""

    added: Floats
    scale: float  # by which the sum is to be divided


class RowMeasures:
    """What the rows tell of each measure, worked out once for all splits."""

    def __init__(self, rows: RowArrays) -> None:
        import numpy as np

        self.rows = rows
        self.ranked: dict[Measure, Ranked] = {}
        self.ordered: dict[Measure, Amounts] = {}  # of a distribution: by rank
        self.amounts: dict[tuple[Measure, str], Amounts] = {}
        self.bits: dict[Measure, int] = {}
        self.entered: Bits = np.zeros(len(rows), dtype=np.uint64)
        for measure in rows.measures:
            if isinstance(measure, Distribution):
                self._add_distribution(measure)
            elif isinstance(measure, Total):
                self._add_total(measure)
            elif isinstance(measure, PeopleOnLine):  # its relation is read for it alone
                self.entered |= rows.column("c", measure).astype(np.uint64)

    @cached_property
    def people(self) -> SmallIntegers:
        """A number from 0 for whose each row is."""
        return _small(numbered(self.rows.people).positions)

    @cached_property
    def facts(self) -> SmallIntegers:
        """A number from 0 for the fact of each row."""
        return _small(numbered(self.rows.facts).positions)

    @cached_property
    def facts_of_people(self) -> SmallIntegers:
        """A number from 0 for the fact of each row together with whose it is."""
        people = int(self.people.max(initial=0)) + 1
        return _small(numbered(wide(self.facts) * people + self.people).positions)

    def _enter(self, measure: Measure, enters: Flags) -> None:
        import numpy as np

        self.bits[measure] = len(self.bits)
        self.entered |= enters.astype(np.uint64) << np.uint64(self.bits[measure])

    def _add_distribution(self, measure: Distribution) -> None:
        import numpy as np

        ranked = Ranked.of(self.rows.column("c", measure))
        scale = self.rows.scale_of("c", measure)
        self.ranked[measure] = ranked
        values = ranked.values if scale == 1.0 else np.rint(ranked.values * scale)
        added = np.append(values, np.zeros(len(self.rows) - len(values)))
        if scale == 1.0:
            self.ranked[measure] = ranked._replace(values=added[: len(values)])  # once in memory, not twice
        self.ordered[measure] = Amounts(added, scale)
        self._enter(measure, ranked.ranks < len(ranked.values))

    def _add_total(self, measure: Total) -> None:
        for letter in letters_of(measure):
            added, scale = self.rows.added_exactly(letter, measure)
            if letter == "c":
                self._enter(measure, added != 0)
            self.amounts[measure, letter] = Amounts(_narrow(added), scale)


def wide(numbers: SmallIntegers) -> Integers:
    """For products, which would not fit."""
    import numpy as np

    return numbers.astype(np.int64)


def _small(numbers: Integers) -> SmallIntegers:
    import numpy as np

    return numbers.astype(np.int32)


def _narrow(numbers: Floats) -> Floats:
    """In as few bytes as they need: most are counts of one row."""
    import numpy as np

    for kind in (np.int8, np.int32):
        if np.abs(numbers).max(initial=0) <= np.iinfo(kind).max:
            narrow: Floats = numbers.astype(kind)
            if np.array_equal(narrow, numbers):
                return narrow
    return numbers

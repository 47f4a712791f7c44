"""Who is counted once: people, and facts with several rows, in each unit and window in which they were found.

Whoever was found in one place alone is added up for paths and their units as sums are; the others, who had two paths
in a window, may be in a unit by both of them, and are put together again in each of their units.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from insights.formulas.positions import in_order

if TYPE_CHECKING:
    from insights.formulas.arrays import Bits, Flags, Floats, Integers
    from insights.formulas.cell_layout import Calendar, Homes

    Test = Callable[[Bits], Flags]

LARGEST_CODE = 1 << 62


class TooManyToNumberError(Exception):
    """What is counted, so many of each kind, has more combinations than a number has values."""


class Gather(enum.Enum):
    """What becomes of several rows of one entity."""

    BITS = "all bits that any of them has"
    SUM = "the sum of their numbers"


@dataclass(frozen=True)
class EntityRows:
    """Whom rows are of (entities, from 0), with bits of what they add to, or numbers of facts; as many of each."""

    entities: Integers
    stints: Integers
    segments: Integers
    bits: Bits


class _Entities(NamedTuple):
    numbers: Integers
    total: int


class Amounts(NamedTuple):
    """A number for each entity in each cell in which it was found; as many of each."""

    cells: Integers
    numbers: Bits
    entities: Integers


@dataclass(frozen=True)
class DistinctEntities:
    """Those who were found in one stint of a span with a value of a segment, and those who were found in several."""

    stayed: EntityRows
    stayed_spans: Integers
    moved: EntityRows
    moved_spans: Integers

    @classmethod
    def of_rows(
        cls, rows: EntityRows, stretches: Integers, calendar: Calendar, gather: Gather = Gather.BITS
    ) -> DistinctEntities:
        """Gathered by stretch first: several windows have it in common."""
        import numpy as np

        entities, stints = _count(rows.entities), _count(rows.stints)
        segments = _count(rows.segments)
        _check(entities, stints, segments, max(calendar.stretch_count, calendar.span_count))
        code = ((rows.entities * stints + rows.stints) * segments + rows.segments) * calendar.stretch_count + stretches
        code, bits = _gathered(code, rows.bits, gather)
        in_spans = calendar.spans_of_stretch.joined(code % calendar.stretch_count)
        code = code[in_spans.positions] // calendar.stretch_count  # entity, stint, segment
        code = (
            (in_spans.found * entities + code // segments // stints) * segments + code % segments
        ) * stints + code // segments % stints
        code, bits = _gathered(code, bits[in_spans.positions], gather)
        whose = code // stints
        alone = np.ones(len(code), dtype=bool)
        alone[1:] &= whose[1:] != whose[:-1]
        alone[:-1] &= whose[:-1] != whose[1:]

        def part(chosen: Integers) -> tuple[EntityRows, Integers]:
            kept = code[chosen]
            of_cell = kept // stints
            found = EntityRows(of_cell // segments % entities, kept % stints, of_cell % segments, bits[chosen])
            return found, of_cell // segments // entities

        return cls(*part(np.flatnonzero(alone)), *part(np.flatnonzero(~alone)))

    def by_home(self, homes: Homes, path_of_stint: Integers, spans: int, tests: Sequence[Test]) -> list[Floats]:
        """How many there are in each home (rows) and span (columns), and of how many each test of their bits holds."""
        import numpy as np

        paths = path_of_stint[self.stayed.stints]
        here = np.flatnonzero(paths >= 0)
        places = homes.place_of(paths[here], self.stayed.segments[here])
        code, size = places * spans + self.stayed_spans[here], homes.place_count * spans
        counts = _counts(code, self.stayed.bits[here], size, tests)
        cells, bits, entities = self._movers(homes, path_of_stint, spans)
        code, bits = _gathered(cells * entities.total + entities.numbers, bits, Gather.BITS)
        moved = _counts(code // entities.total, bits, len(homes.units) * spans, tests)
        return [
            homes.added_up(count.reshape(-1, spans)) + also.reshape(-1, spans)
            for count, also in zip(counts, moved, strict=True)
        ]

    def amounts_by_home(self, homes: Homes, path_of_stint: Integers, spans: int) -> Amounts:
        """Where numbers are gathered: what there is of each entity in each cell (home × spans + span)."""
        import numpy as np

        paths = path_of_stint[self.stayed.stints]
        here = np.flatnonzero(paths >= 0)
        of_units = homes.tree.units_of_path.joined(paths[here])
        which = here[of_units.positions]
        stayed = homes.cell_of(of_units.found, self.stayed.segments[which], self.stayed_spans[which], spans)
        cells, numbers, entities = self._movers(homes, path_of_stint, spans)
        code, gathered = _gathered(cells * entities.total + entities.numbers, numbers, Gather.SUM)
        return Amounts(
            np.concatenate((stayed, code // entities.total)),
            np.concatenate((self.stayed.bits[which], gathered)),
            np.concatenate((self.stayed.entities[which], code % entities.total)),
        )

    def _movers(self, homes: Homes, path_of_stint: Integers, spans: int) -> tuple[Integers, Bits, _Entities]:
        """In each of their units: the cell, the bits and who it is."""
        import numpy as np

        moved, entities = self.moved, _count(self.moved.entities)
        paths = path_of_stint[moved.stints]
        here = np.flatnonzero(paths >= 0)
        of_units = homes.tree.units_of_path.joined(paths[here])
        which = here[of_units.positions]
        _check(len(homes.units) * spans, entities)
        cells = homes.cell_of(of_units.found, moved.segments[which], self.moved_spans[which], spans)
        return cells, moved.bits[which], _Entities(moved.entities[which], entities)


def one_for_each_bit(count: int) -> list[Test]:
    """Whether each of the bits is set."""
    import numpy as np

    def test(position: int) -> Test:
        return lambda bits: (bits >> np.uint64(position)) & np.uint64(1) != 0

    return [test(position) for position in range(count)]


def _counts(code: Integers, bits: Bits, size: int, tests: Sequence[Test]) -> list[Floats]:
    """How often each code stands there, and how often with bits of which each test holds; equal ones counted once."""
    import numpy as np

    found = [np.bincount(code, minlength=size).astype(np.float64)]
    known: dict[bytes, Floats] = {}
    for holds in tests:
        flags = holds(bits)
        key = np.packbits(flags).tobytes()
        if key not in known:
            chosen = code if flags.all() else code[flags]
            known[key] = np.bincount(chosen, minlength=size).astype(np.float64)
        found.append(known[key])
    return found


def _gathered(code: Integers, bits: Bits, gather: Gather) -> tuple[Integers, Bits]:
    """Each code once, in order, with all bits that any of its rows has, or with the sum of their numbers."""
    import numpy as np

    if not len(code):
        return code, bits
    order = in_order(code)
    code = code[order]
    first = np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
    put_together = np.bitwise_or if gather is Gather.BITS else np.add
    return code[first], put_together.reduceat(bits[order], first)


def _count(numbers: Integers) -> int:
    return int(numbers.max(initial=0)) + 1


def _check(*counts: int) -> None:
    product = 1
    for count in counts:
        product *= max(count, 1)
    if product >= LARGEST_CODE:
        raise TooManyToNumberError(counts)

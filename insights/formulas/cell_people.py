"""Who is counted once: people, and facts with several rows, in each unit and window in which they were found.

Whoever was found in one place alone is added up for paths and their units as sums are; the others, who had two paths
in a window, may be in a unit by both of them, and are put together again in each of their units.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.formulas.cell_layout import Homes, Lists

if TYPE_CHECKING:
    from insights.formulas.cell_layout import Bits, Calendar, Floats, Integers

LARGEST_CODE = 1 << 62


class TooManyToNumberError(Exception):
    """What is counted has more combinations than a number has values."""


@dataclass(frozen=True)
class Found:
    """Whom rows are of (entities, from 0), with bits of what they add to; as many of each."""

    entities: Integers
    stints: Integers
    segments: Integers
    bits: Bits


@dataclass(frozen=True)
class Counted:
    """Those who were found in one stint of a span with a value of a segment, and those who were found in several."""

    stayed: Found
    stayed_spans: Integers
    moved: Found
    moved_spans: Integers

    @classmethod
    def of_rows(cls, rows: Found, stretches: Integers, calendar: Calendar) -> Counted:
        """Gathered by stretch first: several windows have it in common."""
        import numpy as np

        entities, stints = _count(rows.entities), _count(rows.stints)
        segments = _count(rows.segments)
        _check(entities, stints, segments, max(calendar.stretch_count, calendar.span_count))
        code = ((rows.entities * stints + rows.stints) * segments + rows.segments) * calendar.stretch_count + stretches
        code, bits = _gathered(code, rows.bits)
        in_spans = calendar.spans_of_stretch.joined(code % calendar.stretch_count)
        code = code[in_spans.positions] // calendar.stretch_count  # entity, stint, segment
        code = (
            (in_spans.found * entities + code // segments // stints) * segments + code % segments
        ) * stints + code // segments % stints
        code, bits = _gathered(code, bits[in_spans.positions])
        whose = code // stints
        alone = np.ones(len(code), dtype=bool)
        alone[1:] &= whose[1:] != whose[:-1]
        alone[:-1] &= whose[:-1] != whose[1:]

        def part(chosen: Integers) -> tuple[Found, Integers]:
            kept = code[chosen]
            of_cell = kept // stints
            found = Found(of_cell // segments % entities, kept % stints, of_cell % segments, bits[chosen])
            return found, of_cell // segments // entities

        return cls(*part(np.flatnonzero(alone)), *part(np.flatnonzero(~alone)))

    def by_home(self, homes: Homes, path_of_stint: Integers, spans: int, bits: int) -> list[Floats]:
        """How many there are in each home (rows) and span (columns), and of how many each bit is set."""
        import numpy as np

        paths = path_of_stint[self.stayed.stints]
        here = np.flatnonzero(paths >= 0)
        places = homes.place_of(paths[here], self.stayed.segments[here])
        code, size = places * spans + self.stayed_spans[here], homes.place_count * spans
        counts = _counts_of_bits(code, self.stayed.bits[here], size, bits)
        found = [homes.added_up(count.reshape(-1, spans)) for count in counts]
        for position, count in enumerate(self._movers(homes, path_of_stint, spans, bits)):
            found[position] = found[position] + count
        return found

    def _movers(self, homes: Homes, path_of_stint: Integers, spans: int, bits: int) -> list[Floats]:
        import numpy as np

        moved, entities = self.moved, _count(self.moved.entities)
        paths = path_of_stint[moved.stints]
        here = np.flatnonzero(paths >= 0)
        of_units = homes.tree.units_of_path.joined(paths[here])
        which = here[of_units.positions]
        cells = homes.numbered()[of_units.found * homes.segment_count + moved.segments[which]]
        size = len(homes.units) * spans
        _check(size, entities)
        code, set_bits = _gathered(
            (cells * spans + self.moved_spans[which]) * entities + moved.entities[which], moved.bits[which]
        )
        counts = _counts_of_bits(code // entities, set_bits, size, bits)
        return [count.reshape(-1, spans) for count in counts]


def _counts_of_bits(code: Integers, bits: Bits, size: int, count: int) -> list[Floats]:
    """How often each code stands there, and how often with each bit; equal bits are counted once."""
    import numpy as np

    found = [np.bincount(code, minlength=size).astype(np.float64)]
    known: dict[bytes, Floats] = {}
    for position in range(count):
        is_set = (bits >> np.uint64(position)) & np.uint64(1) != 0
        key = np.packbits(is_set).tobytes()
        if key not in known:
            chosen = code if is_set.all() else code[is_set]
            known[key] = np.bincount(chosen, minlength=size).astype(np.float64)
        found.append(known[key])
    return found


def _gathered(code: Integers, bits: Bits) -> tuple[Integers, Bits]:
    """Each code once, in order, with all bits that any of its rows has."""
    import numpy as np

    if not len(code):
        return code, bits
    order = np.argsort(code)
    code = code[order]
    first = np.flatnonzero(np.concatenate(([True], code[1:] != code[:-1])))
    return code[first], np.bitwise_or.reduceat(bits[order], first)


def _count(numbers: Integers) -> int:
    return int(numbers.max(initial=0)) + 1


def _check(*counts: int) -> None:
    product = 1
    for count in counts:
        product *= max(count, 1)
    if product >= LARGEST_CODE:
        raise TooManyToNumberError


__all__ = ["Counted", "Found", "Lists", "TooManyToNumberError"]

"""Cells that were computed in memory, found by their keys; each is put together when it is asked for.

Of thousands of people few ever are.  Keys are numbers here: to make those of thirty thousand cells took a quarter of
the time of a page with a filter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING

from insights.metrics.cells_in_memory import ComputedCells
from insights.metrics.figures import Figures, FigureValues, fingerprint, letters_of_figures, starts_of
from insights.metrics.many_cells import Amounts
from insights.metrics.measures import NOTHING, Facts, Measure, Total
from insights.metrics.query import Window
from insights.metrics.reading import CellKey, Reading
from insights.metrics.scan import Cell
from insights.metrics.stocks import windows_by_span

if TYPE_CHECKING:
    from insights.formulas.arrays import Integers

NOWHERE = -1


class FoundCells(Mapping[CellKey, Cell]):
    """Those of all trees that a split asks for."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._starts = starts_of(measures)
        self._trees: list[_Places] = []

    def add(self, cells: ComputedCells, reading: Reading, values: Sequence[tuple[str, ...]]) -> None:
        """Those that the reading asks for; `values` are what the positions of segments stand for."""
        self._trees.append(_Places(cells, reading, values))

    def __getitem__(self, key: CellKey) -> Cell:
        for tree in self._trees:
            if (place := tree.place(key)) != NOWHERE:
                return self._cell(tree.cells, place)
        raise KeyError(key)

    def _cell(self, cells: ComputedCells, place: int) -> Cell:
        numbers = [None if math.isnan(number) else number for number in cells.numbers[:, place].tolist()]
        facts, matched = int(cells.facts[place]), int(cells.matched_facts[place])
        figures = Figures(facts, matched, int(cells.people[place]), numbers)
        return Cell(FigureValues(figures, self._starts), facts, matched)

    def amounts(self, units: Sequence[int], window: Window, measure: Measure) -> Amounts:
        """What the measure comes to in the window in each of these units, or people, without a segment."""
        import numpy as np

        if not isinstance(measure, (Facts, Total)):
            cells = (self.get(CellKey(unit, window, ())) for unit in units)
            return Amounts.of(cell.values[measure] if cell else NOTHING for cell in cells)
        found = Amounts(np.full(len(units), np.nan), np.zeros(len(units), dtype=bool))
        lines = dict(zip(letters_of_figures(measure), count(self._starts[fingerprint(measure)]), strict=False))
        for tree in self._trees:
            places = tree.places(units, window)
            here = np.flatnonzero(places != NOWHERE)
            if isinstance(measure, Facts):
                found.values[here] = tree.cells.facts[places[here]]
                continue
            found.values[here] = tree.cells.numbers[lines["v"], places[here]]
            if "x" in lines:
                found.missing[here] = ~np.isnan(tree.cells.numbers[lines["x"], places[here]])
        return found

    def units(self) -> Iterator[int]:
        """Those of which anything was found, or people; 0 is the whole organisation."""
        for tree in self._trees:
            yield from tree.units

    def __iter__(self) -> Iterator[CellKey]:
        for tree in self._trees:
            yield from tree

    def __len__(self) -> int:
        return sum(map(len, self._trees))


class _Places:
    """The places of a tree's cells among those that were computed, by the number of unit, span and segment."""

    def __init__(self, cells: ComputedCells, reading: Reading, values: Sequence[tuple[str, ...]]) -> None:
        import numpy as np

        self.cells = cells
        self._windows_of = windows_by_span(reading)
        self._span_of = {window: span for span, windows in enumerate(self._windows_of) for window in windows}
        self._segment_of = {segment: position for position, segment in enumerate(values)}
        self._values = values
        self._step = len(self._windows_of) * len(values)  # from the numbers of a unit to those of the next
        asked = np.ones(len(cells.units), dtype=bool)
        if not reading.by_person:
            asked = np.isin(cells.units, (0, *reading.placement.ids))
        here = np.flatnonzero(asked)
        numbers = cells.units[here] * self._step + cells.spans[here] * len(values) + cells.segments[here]
        self._place_of: Mapping[int, int] = dict(zip(numbers.tolist(), here.tolist(), strict=True))
        self.units: Sequence[int] = np.unique(cells.units[here]).tolist()
        windows = np.array([len(windows) for windows in self._windows_of], dtype=np.int64)
        self._count = int(windows[cells.spans[here]].sum())

    def place(self, key: CellKey) -> int:
        first = self._first(key.window, key.segment)
        return NOWHERE if first is None else self._place_of.get(first + (key.unit_id or 0) * self._step, NOWHERE)

    def places(self, units: Sequence[int], window: Window) -> Integers:
        """Of these units, without a segment."""
        import numpy as np

        first = self._first(window, ())
        if first is None:
            return np.full(len(units), NOWHERE)
        return np.array([self._place_of.get(first + unit * self._step, NOWHERE) for unit in units], dtype=np.int64)

    def _first(self, window: Window, segment: tuple[str, ...]) -> int | None:
        """The number of a cell of no unit; None where the window or segment is none of these."""
        span, position = self._span_of.get(window), self._segment_of.get(segment)
        return None if span is None or position is None else span * len(self._values) + position

    def __iter__(self) -> Iterator[CellKey]:
        for number in self._place_of:
            unit, rest = divmod(number, self._step)
            span, position = divmod(rest, len(self._values))
            for window in self._windows_of[span]:
                yield CellKey(unit or None, window, self._values[position])

    def __len__(self) -> int:
        return self._count

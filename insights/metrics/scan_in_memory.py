"""Scans of very many rows: read once for all that is asked of them, however it is split, and counted in memory.

What the statements of scan.py tell is told here of the same rows (cells_in_memory.py); tests hold one against the
other.  Gathering half a million rows by developer takes the database seconds for each split, and numpy a tenth of that:
docs/decisions/0028.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from insights.formulas.cell_layout import Tree
from insights.formulas.positions import numbered, positions_in
from insights.metrics.cells_in_memory import (
    MOST_MEASURES,
    ComputedCells,
    PlacedRows,
    Split,
    is_computable,
)
from insights.metrics.figures import Figures, FigureValues, fingerprint, letters_of_figures, starts_of
from insights.metrics.many_cells import Amounts
from insights.metrics.measures import NOTHING, Facts, Measure, Total
from insights.metrics.reading import Asked, AskedBySplit, CellKey, Placed, Reading, SplitBy
from insights.metrics.row_arrays import RowArrays, row_arrays
from insights.metrics.row_measures import RowMeasures
from insights.metrics.scan import Cell, Cells
from insights.metrics.stint_arrays import PlacedTree, StintsInUse, days_in_trees
from insights.metrics.stocks import windows_by_span
from insights.metrics.table_sizes import MANY_ROWS, most_rows

if TYPE_CHECKING:
    from insights.formulas.arrays import Integers

IN_MEMORY = frozenset({Placed.ANYBODY, Placed.UNIT, Placed.UNASSIGNED})


def is_scanned_in_memory(rows: Reading, asked: Asked) -> bool:
    """Whether what is asked of these rows can be told in memory, and there are many of them."""
    computable = all(map(is_computable, asked.measures)) and len(asked.measures) <= MOST_MEASURES
    return computable and rows.placement.placed in IN_MEMORY and most_rows(rows.relation) >= MANY_ROWS


def scan_in_memory(rows: Reading, asked: AskedBySplit, stints: StintsInUse) -> Mapping[SplitBy, Cells]:
    """As `scan` of each split, with one reading of the rows."""
    dimensions = tuple(dict.fromkeys(dimension for split in asked for dimension in split.segments))
    partitions = tuple(dict.fromkeys(edges for each in asked.values() for edges in each.partitions))
    measures = list(dict.fromkeys(measure for each in asked.values() for measure in each.measures))
    if len(measures) > MOST_MEASURES:
        return {split: scan_in_memory(rows, {split: each}, stints)[split] for split, each in asked.items()}
    with row_arrays(replace(rows, partitions=partitions, segments=dimensions), measures) as arrays:
        if not len(arrays):
            return {split: {} for split in asked}
        told = RowMeasures(arrays)
        of_dimension = {dimension: arrays.segment(dimension) for dimension in dimensions}
        found: dict[SplitBy, CellsInMemory] = {}
        for split, each in asked.items():
            segments, values = _split([of_dimension[dimension] for dimension in split.segments], arrays)
            reading = replace(rows.of_split(split), partitions=each.partitions)
            trees, of_rows = _placed(arrays, split, stints)
            placed = PlacedRows(told, segments, reading, of_rows)
            found[split] = cells = CellsInMemory(each.measures)
            for tree in trees:
                cells.add(placed.cells_of(tree, each.measures), reading, values)
        return found


def _placed(rows: RowArrays, split: SplitBy, stints: StintsInUse) -> tuple[Sequence[PlacedTree], Integers]:
    """The trees of units to which the rows belong, and the stint of each row; of people each is a unit."""
    import numpy as np

    if split.by_person:
        people = numbered(rows.people).different
        people = people[people > 0]
        return [PlacedTree(Tree.of_each(people), np.arange(len(people)))], positions_in(people, rows.people)
    everybody = PlacedTree(Tree.of_everybody(), np.zeros(1, dtype=np.int64))
    if split.placement.placed is Placed.UNASSIGNED and rows.reading.placement.placed is Placed.ANYBODY:
        in_trees = days_in_trees(split.placement.ids, rows.reading.hull)
        stints_there = in_trees.stints_on(rows.relation, rows.placed, rows.days, rows.first_day)
        return [everybody], np.where(stints_there < 0, 0, -1)
    if split.in_units:
        arrays = stints.arrays
        return arrays.trees, arrays.stints_on(rows.relation, rows.placed, rows.days, rows.first_day)
    return [everybody], np.zeros(len(rows), dtype=np.int64)


def _split(
    dimensions: Sequence[tuple[Integers, list[str]]], rows: RowArrays
) -> tuple[Split, Sequence[tuple[str, ...]]]:
    """By all of these dimensions at once, and what the segments of its positions are."""
    import numpy as np

    positions = np.zeros(len(rows), dtype=np.int64)
    values: list[tuple[str, ...]] = [()]
    for of_rows, words in dimensions:
        known = (positions >= 0) & (of_rows >= 0)
        pairs, joined = numbered(positions[known] * len(words) + of_rows[known])
        positions = np.full(len(rows), -1, dtype=np.int64)
        positions[known] = joined
        values = [(*values[pair // len(words)], words[pair % len(words)]) for pair in pairs.tolist()]
    return Split(positions, ["/".join(each) for each in values] or [""]), values


class CellsInMemory(Mapping[CellKey, Cell]):
    """Cells of which each is put together when it is asked for: of thousands of people few ever are."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self._starts = starts_of(measures)
        self._places: dict[CellKey, tuple[ComputedCells, int]] = {}

    def add(self, cells: ComputedCells, reading: Reading, values: Sequence[tuple[str, ...]]) -> None:
        """Those that the reading asks for; `values` are what the positions of segments stand for."""
        windows_of_span, asked = windows_by_span(reading), {0, *reading.placement.ids}
        spans, segments = cells.spans.tolist(), cells.segments.tolist()
        for place, unit in enumerate(cells.units.tolist()):
            if reading.by_person or unit in asked:
                for window in windows_of_span[spans[place]]:
                    self._places[CellKey(unit or None, window, values[segments[place]])] = cells, place

    def __getitem__(self, key: CellKey) -> Cell:
        cells, place = self._places[key]
        numbers = [None if math.isnan(number) else number for number in cells.numbers[:, place].tolist()]
        facts, matched = int(cells.facts[place]), int(cells.matched_facts[place])
        figures = Figures(facts, matched, int(cells.people[place]), numbers)
        return Cell(FigureValues(figures, self._starts), facts, matched)

    def amounts(self, keys: Sequence[CellKey], measure: Measure) -> Amounts:
        """What the measure comes to in each of these cells."""
        import numpy as np

        if not isinstance(measure, (Facts, Total)):
            return Amounts.of(cell.values[measure] if (cell := self.get(key)) else NOTHING for key in keys)
        found = Amounts(np.full(len(keys), np.nan), np.zeros(len(keys), dtype=bool))
        places: dict[int, tuple[ComputedCells, list[tuple[int, int]]]] = {}
        for number, key in enumerate(keys):
            if at := self._places.get(key):
                places.setdefault(id(at[0]), (at[0], []))[1].append((number, at[1]))
        for cells, pairs in places.values():
            numbers, of_cells = np.array(pairs).T
            if isinstance(measure, Facts):
                found.values[numbers] = cells.facts[of_cells]
                continue
            lines = dict(zip(letters_of_figures(measure), count(self._starts[fingerprint(measure)]), strict=False))
            found.values[numbers] = cells.numbers[lines["v"], of_cells]
            if "x" in lines:
                found.missing[numbers] = ~np.isnan(cells.numbers[lines["x"], of_cells])
        return found

    def __iter__(self) -> Iterator[CellKey]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

"""Scans of very many rows: read once for all that is asked of them, however it is split, and counted in memory.

What the statements of scan.py tell is told here of the same rows (cells_in_memory.py); tests hold one against the
other.  Gathering half a million rows by developer takes the database seconds for each split, and numpy a tenth of that:
docs/decisions/0028.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from insights.formulas.cell_layout import Tree
from insights.formulas.positions import numbered, positions_in
from insights.metrics.cells_in_memory import (
    MOST_MEASURES,
    PlacedRows,
    Split,
    is_computable,
)
from insights.metrics.found_cells import FoundCells
from insights.metrics.reading import Asked, AskedBySplit, Placed, Reading, SplitBy
from insights.metrics.row_arrays import RowArrays, row_arrays
from insights.metrics.row_measures import RowMeasures
from insights.metrics.scan import Cells
from insights.metrics.stint_arrays import PlacedTree, StintsInUse, days_in_trees
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
        found: dict[SplitBy, FoundCells] = {}
        for split, each in asked.items():
            segments, values = _split([of_dimension[dimension] for dimension in split.segments], arrays)
            reading = replace(rows.of_split(split), partitions=each.partitions)
            trees, of_rows = _placed(arrays, split, stints)
            placed = PlacedRows(told, segments, reading, of_rows)
            found[split] = cells = FoundCells(each.measures)
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

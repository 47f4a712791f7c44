"""Storing what is computed in memory: relation by relation, its groups one after the other.

The other way: storing.py; cells.py says which is taken when.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from insights.formulas.cell_layout import Tree
from insights.metrics.cells_in_memory import (
    MOST_MEASURES,
    ComputedCells,
    PlacedRows,
    Split,
    is_computable,
)
from insights.metrics.measures import Measure
from insights.metrics.query import Dimension
from insights.metrics.reading import Placed, Reading
from insights.metrics.row_arrays import row_arrays
from insights.metrics.row_measures import RowMeasures
from insights.metrics.stint_arrays import PlacedTree, StintArrays
from insights.models import Period
from insights.snapshots.cells_copy import CellsCopy, cells_copy
from insights.snapshots.groups import Group
from insights.snapshots.kept import MOST_LISTED_VALUES, MOST_SEGMENT_VALUES
from insights.snapshots.recomputation import KeptAs, Recomputation
from integrations.facts.relation import Relation

if TYPE_CHECKING:
    from insights.formulas.arrays import Integers

RecomputationsOf = Callable[[Group], Sequence[Recomputation]]


def computable_in_memory(groups: Mapping[Group, int]) -> dict[Group, int]:
    """Those of the groups that can be computed in memory; the others are left to the database."""
    told = {group: pk for group, pk in groups.items() if all(map(is_computable, group.measures))}
    of_relations = _by_relation(told)
    return {group: pk for group, pk in told.items() if len(_measures(of_relations[group.relation])) <= MOST_MEASURES}


def _by_relation(groups: Mapping[Group, int]) -> Mapping[Relation, Mapping[Group, int]]:
    found: dict[Relation, dict[Group, int]] = defaultdict(dict)
    for group, pk in groups.items():
        found[group.relation][group] = pk
    return found


def store_from_memory(groups: Mapping[Group, int], of_group: RecomputationsOf) -> int:
    """Add the cells of these groups in all windows that are asked for; while `stints_of` their units lasts."""
    some = {group: pk for group, pk in groups.items() if any(each.edges for each in of_group(group))}
    in_units = any(each.placement.placed is Placed.UNITS for group in some for each in of_group(group))
    stints = StintArrays.read() if in_units else StintArrays.of_nobody()
    return sum(_store_relation(relation, of_one, of_group, stints) for relation, of_one in _by_relation(some).items())


def _store_relation(
    relation: Relation, groups: Mapping[Group, int], of_group: RecomputationsOf, stints: StintArrays
) -> int:
    everything = [each for group in groups for each in of_group(group) if each.edges]
    edges = tuple(dict.fromkeys(of_one for each in everything for of_one in each.edges))
    clock = everything[0].clock
    dimensions = tuple(dict.fromkeys(dimension for group in groups for dimension in group.segments))
    reading = Reading(relation, edges, segments=dimensions, settled_before=clock.settled_before)
    with row_arrays(reading, _measures(groups)) as rows:
        if not len(rows):
            return 0
        found = _Found(
            RowMeasures(rows),
            {dimension: Split(*rows.segment(dimension)) for dimension in dimensions},
            stints.stints_on(relation, rows.placed, rows.days, rows.first_day),
            stints.trees,
        )
        rows.let_go()
    with cells_copy(clock.now) as copy:
        for group, pk in groups.items():
            for recomputation in of_group(group):
                if recomputation.edges:
                    _add(copy, pk, group, recomputation, found)
        return copy.written


@dataclass(frozen=True)
class _Found:
    """Of the rows of a relation what all of its groups are computed from."""

    measures: RowMeasures
    splits: Mapping[Dimension, Split]
    stints: Integers
    trees: Sequence[PlacedTree]


def _add(copy: CellsCopy, pk: int, group: Group, recomputation: Recomputation, found: _Found) -> None:
    import numpy as np

    reading = recomputation.reading(group)
    rows = len(found.measures.rows)
    split = found.splits[group.segments[0]] if group.segments else Split.into_none(rows)
    in_units = recomputation.placement.placed is Placed.UNITS
    stints = found.stints if in_units else np.zeros(rows, dtype=np.int64)
    trees = found.trees if in_units else [PlacedTree(Tree.of_everybody(), np.zeros(1, dtype=np.int64))]
    placed = PlacedRows(found.measures, split, reading, stints)
    kept_as = recomputation.kept_as(reading)
    for tree in trees:
        cells = placed.cells_of(tree, group.measures)
        copy.add(pk, few_values(cells, kept_as) if group.segments else cells, kept_as)


def _measures(groups: Iterable[Group]) -> Sequence[Measure]:
    return list(dict.fromkeys(measure for group in groups for measure in group.measures))


def few_values(cells: ComputedCells, kept_as: Sequence[Sequence[KeptAs]]) -> ComputedCells:
    """The cells of units and spans with few segment values; of each other one a cell that says so, and no figures."""
    import numpy as np

    most = np.full(len(kept_as), MOST_SEGMENT_VALUES)
    for span, periods in enumerate(kept_as):
        if any(period == Period.WINDOW for period, _ in periods):
            most[span] = MOST_LISTED_VALUES
    _, first, of_cell, counts = np.unique(
        cells.units * len(most) + cells.spans, return_index=True, return_inverse=True, return_counts=True
    )
    too_many = (counts > most[cells.spans[first]])[of_cell]
    if not too_many.any():
        return cells
    says_so = np.zeros(len(cells.units), dtype=bool)
    says_so[first] = True
    chosen = np.flatnonzero(~too_many | says_so)
    emptied = too_many[chosen]
    return replace(
        cells,
        units=cells.units[chosen],
        spans=cells.spans[chosen],
        segments=cells.segments[chosen],
        facts=np.where(emptied, 0, cells.facts[chosen]),
        matched_facts=np.where(emptied, 0, cells.matched_facts[chosen]),
        people=np.where(emptied, 0, cells.people[chosen]),
        numbers=cells.numbers[:, chosen],
        without_numbers=emptied,
    )

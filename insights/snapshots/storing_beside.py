"""Storing what is computed beside the database: relation by relation, its groups one after the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from insights.formulas.cell_layout import Tree
from insights.metrics.measures import Measure
from insights.metrics.query import Dimension, Window
from insights.metrics.reading import Placed, Reading
from insights.metrics.row_arrays import row_arrays
from insights.metrics.stocks import windows_by_span
from insights.models import Period
from insights.snapshots.asked import Asked
from insights.snapshots.beside import MOST_MEASURES, TOLD, PlacedRows, RowMeasures, Split
from insights.snapshots.copied_cells import CellsCopy, ComputedCells, cells_copy
from insights.snapshots.groups import Group
from insights.snapshots.kept import MOST_LISTED_VALUES, MOST_SEGMENT_VALUES
from insights.snapshots.unit_trees import PlacedTree, UnitTrees
from integrations.facts.relation import Relation

if TYPE_CHECKING:
    from insights.formulas.cell_layout import Integers

AskedOf = Callable[[Group], Sequence[Asked]]


def beside(groups: Mapping[Group, int]) -> dict[Group, int]:
    """Those of the groups that can be computed beside the database."""
    told = {group: pk for group, pk in groups.items() if all(type(measure) in TOLD for measure in group.measures)}
    of_relations = _by_relation(told)
    return {group: pk for group, pk in told.items() if len(_measures(of_relations[group.relation])) <= MOST_MEASURES}


def _by_relation(groups: Mapping[Group, int]) -> Mapping[Relation, Mapping[Group, int]]:
    found: dict[Relation, dict[Group, int]] = defaultdict(dict)
    for group, pk in groups.items():
        found[group.relation][group] = pk
    return found


def store_beside(groups: Mapping[Group, int], asked_of: AskedOf) -> int:
    """Add the cells of these groups in all windows that are asked for; while `stints_of` the units lasts."""
    some = {group: pk for group, pk in groups.items() if any(asked.edges for asked in asked_of(group))}
    trees = UnitTrees.of_stints()
    return sum(_store_relation(relation, of_one, asked_of, trees) for relation, of_one in _by_relation(some).items())


def _store_relation(relation: Relation, groups: Mapping[Group, int], asked_of: AskedOf, trees: UnitTrees) -> int:
    everything = [asked for group in groups for asked in asked_of(group) if asked.edges]
    edges = tuple(dict.fromkeys(each for asked in everything for each in asked.edges))
    clock = everything[0].clock
    dimensions = tuple(dict.fromkeys(dimension for group in groups for dimension in group.segments))
    reading = Reading(relation, edges, segments=dimensions, settled_before=clock.settled_before)
    with row_arrays(reading, _measures(groups)) as rows:
        if not len(rows):
            return 0
        found = _Found(
            RowMeasures(rows),
            {dimension: Split(*rows.segment(dimension)) for dimension in dimensions},
            trees.stints_on(relation, rows.placed, rows.days, rows.first_day),
            trees.trees,
        )
        rows.let_go()
    with cells_copy(clock.now) as copy:
        for group, pk in groups.items():
            for asked in asked_of(group):
                if asked.edges:
                    _add(copy, pk, group, asked, found)
        return copy.written


@dataclass(frozen=True)
class _Found:
    """Of the rows of a relation what all of its groups are computed from."""

    measures: RowMeasures
    splits: Mapping[Dimension, Split]
    stints: Integers
    trees: Sequence[PlacedTree]


def _add(copy: CellsCopy, pk: int, group: Group, asked: Asked, found: _Found) -> None:
    import numpy as np

    reading = Reading(
        group.relation, asked.edges, asked.placement, segments=group.segments, settled_before=asked.clock.settled_before
    )
    rows = len(found.measures.rows)
    split = found.splits[group.segments[0]] if group.segments else Split.into_none(rows)
    in_units = asked.placement.placed is Placed.UNITS
    stints = found.stints if in_units else np.zeros(rows, dtype=np.int64)
    trees = found.trees if in_units else [PlacedTree(Tree.of_everybody(), np.zeros(1, dtype=np.int64))]
    placed = PlacedRows(found.measures, split, reading, stints)
    kept = {
        span: [(period, window) for window in windows for period in asked.periods[window]]
        for span, windows in enumerate(windows_by_span(reading))
    }
    for tree in trees:
        cells = placed.cells_of(tree, group.measures)
        copy.add(pk, few_values(cells, kept) if group.segments else cells, kept)


def _measures(groups: Iterable[Group]) -> Sequence[Measure]:
    return list(dict.fromkeys(measure for group in groups for measure in group.measures))


def few_values(cells: ComputedCells, kept: Mapping[int, Sequence[tuple[str, Window]]]) -> ComputedCells:
    """The cells of units and spans with few segment values; of each other one a cell that says so, and no figures."""
    import numpy as np

    most = np.full(max(kept, default=-1) + 1, MOST_SEGMENT_VALUES)
    for span, periods in kept.items():
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

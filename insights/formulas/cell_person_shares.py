"""Each person divided over the values of a segment as their facts are, for many units and windows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers
    from insights.formulas.cell_distinct_counts import DistinctEntities
    from insights.formulas.cell_layout import Homes


class PersonShares(NamedTuple):
    """A row per home and a column per span: Σ over people of their facts here ÷ all of their facts in the unit and
    span (NaN without people), and the number of people in the unit and span."""

    shares: Floats
    people: Floats


def shares_by_home(counted: DistinctEntities, homes: Homes, path_of_stint: Integers, spans: int) -> PersonShares:
    """The bits of what is counted are numbers of facts."""
    import numpy as np

    size = len(homes.units) * spans
    cells, facts, people = counted.amounts_by_home(homes, path_of_stint, spans)
    shares, bases = np.full(size, np.nan), np.zeros(len(homes.tree.units) * spans)
    unit_spans = homes.units[np.arange(size) // spans] * spans + np.arange(size) % spans if size else cells
    if len(cells):
        facts = facts.astype(np.float64)
        of_whom = unit_spans[cells] * (int(people.max()) + 1) + people
        whose, position = np.unique(of_whom, return_inverse=True)
        whole = np.bincount(position, weights=facts)
        found = np.flatnonzero(np.bincount(cells, minlength=size))
        shares[found] = np.bincount(cells, weights=facts / whole[position], minlength=size)[found]
        bases += np.bincount(whose // (int(people.max()) + 1), minlength=len(bases))
    return PersonShares(shares.reshape(-1, spans), bases[unit_spans].reshape(-1, spans))

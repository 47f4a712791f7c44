"""How unevenly facts are spread over the people of each cell: the Gini coefficient, for many units and windows.

As insights/metrics/concentration.py says it: of n people, ranked by their numbers of facts x from the smallest, it is
Σ (2 rank − n − 1) x ÷ (n Σ x).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from insights.formulas.arrays import Floats, Integers
    from insights.formulas.cell_distinct_counts import DistinctEntities
    from insights.formulas.cell_layout import Homes


def coefficients_by_home(counted: DistinctEntities, homes: Homes, path_of_stint: Integers, spans: int) -> Floats:
    """A row per home and a column per span, NaN without people; the bits of what is counted are numbers of facts."""
    import numpy as np

    cells, facts, _ = counted.amounts_by_home(homes, path_of_stint, spans)
    found = np.full(len(homes.units) * spans, np.nan)
    if not len(cells):
        return found.reshape(-1, spans)
    order = np.lexsort((facts, cells))
    cells, facts = cells[order], facts[order].astype(np.int64)
    first = np.flatnonzero(np.diff(cells, prepend=-1))
    people = np.diff(first, append=len(cells))
    rank = np.arange(len(cells)) - np.repeat(first, people) + 1
    weighed = np.add.reduceat((2 * rank - np.repeat(people, people) - 1) * facts, first)
    found[cells[first]] = weighed / (people * np.add.reduceat(facts, first))
    return found.reshape(-1, spans)

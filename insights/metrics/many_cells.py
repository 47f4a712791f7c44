"""What metrics make of their measures in thousands of cells at once: the values alone, as arrays.

They are those of `Metric.outcome`, cell by cell, which knows more and takes ten times as long; tests hold one against
the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from insights.metrics.declarations import Count, Metric, Ratio
from insights.metrics.measures import Measure, MeasureValue
from insights.metrics.terms import UnitOfMeasure

if TYPE_CHECKING:
    from insights.formulas.arrays import Flags, Floats


class Amounts(NamedTuple):
    """A measure in many cells: NaN where nothing entered, `missing` where what was there could not be added."""

    values: Floats
    missing: Flags

    @classmethod
    def of(cls, values: Iterable[MeasureValue]) -> Amounts:
        import numpy as np

        told = [(np.nan if each.value is None else each.value, each.missing) for each in values]
        return cls(np.array([value for value, _ in told]), np.array([missing for _, missing in told], dtype=bool))


def amounts_of_cells(metric: Metric, amounts: Callable[[Measure], Amounts]) -> Amounts | None:
    """What the metric comes to in each cell; None for those that are put together cell by cell alone."""
    import numpy as np

    if type(metric) is Count:
        found = amounts(metric.of)
        return Amounts(found.values.copy(), found.missing)
    if type(metric) is not Ratio:
        return None
    above, below = amounts(metric.numerator), amounts(metric.denominator).values
    missing = np.isnan(above.values) & above.missing
    quotients = np.where(missing, np.nan, np.nan_to_num(above.values)) / np.where(below == 0, np.nan, below)
    return Amounts(quotients * 100 if metric.unit is UnitOfMeasure.PERCENT else quotients, missing)

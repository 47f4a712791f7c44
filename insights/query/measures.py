"""Measures: aggregates over a published relation, from which metrics are composed.

A measure says what to aggregate; buckets, units, segments, percentiles and SQL belong to the engine
(insights/engine/scan.py).  Measures over the same relation are read in one scan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from insights.query.dimensions import column_of, listed_in
from insights.query.query import Dimension, Statistic
from integrations.facts.relation import Relation

NONE: Mapping[Any, float] = MappingProxyType({})


class MeasureValue(NamedTuple):
    """One measure in one group (unit, bucket, segment).

    `value` is None if no fact contributed; `facts` and `people` count those that contributed.
    """

    value: float | None = None
    facts: int = 0
    people: int = 0
    statistics: Mapping[Statistic, float] = NONE
    base: float | None = None  # the denominator of `value`, if the measure has its own
    missing: bool = False  # there were facts that could not be added, e.g. tokens of a model without a price
    low: float | None = None  # the part of `value` that is certain, for measures that distinguish it
    by_method: Mapping[str, float] = NONE  # `value` by attribution method
    left_out: int = 0  # facts without the measured column


NOTHING = MeasureValue()


@dataclass(frozen=True)
class Measure:
    """An aggregate over the rows of `relation`.

    `not_by` lists dimensions whose column exists but does not apply to this measure. A measure is never split by
    `not_split_by` and never filtered by `not_filtered_by`: it is the whole that parts are compared with.
    """

    relation: Relation
    not_by: tuple[Dimension, ...] = ()
    not_split_by: tuple[Dimension, ...] = ()
    not_filtered_by: tuple[Dimension, ...] = ()

    # Cached, because millions of parts of groups look it up.
    def __init_subclass__(cls) -> None:
        cls.__hash__ = Measure.__hash__  # type: ignore[method-assign]  # a dataclass keeps a __hash__ of its own

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((type(self), *(getattr(self, field.name) for field in fields(self))))

    def has(self, dimension: Dimension) -> bool:
        """Whether its relation has this dimension, and it applies to the measure."""
        kinds, column = self.relation.kinds, column_of(dimension)
        if kinds and column == kinds.dimension and getattr(self, "column", "") != kinds.sum:
            return False  # the other columns of a row do not belong to one kind
        return dimension not in self.not_by and column in self.relation.columns

    def can_filter_by(self, dimension: Dimension) -> bool:
        """Whether its rows have the dimension, or list their fact's values of it."""
        return self.has(dimension) or listed_in(dimension) in self.relation.columns

    def for_dimensions(self, dimensions: Collection[Dimension]) -> Measure:
        """The measure to read for a query that filters or splits by `dimensions`; it reads a finer relation if
        needed.
        """
        exempt = {*self.not_by, *({*self.not_split_by} & {*self.not_filtered_by})}
        needed = {column_of(dimension) for dimension in dimensions if dimension not in exempt}
        if needed <= self.relation.columns:
            return self
        needed.update(filter(None, [getattr(self, "column", "")]))
        finer = next((relation for relation in self.relation.finer if needed <= relation.columns), None)
        return self if finer is None else _read_from(self, finer)

    @property
    def shown(self) -> Self:
        """The measure whose rows are shown; they may be finer than the rows that the value is read from."""
        return replace(self, relation=self.relation.detail or self.relation)

    def undivided_by(self, *dimensions: Dimension) -> Self:
        """The same measure, exempt from splits and filters by these dimensions: the whole that others are parts of."""
        return replace(
            self,
            not_split_by=(*self.not_split_by, *dimensions),
            not_filtered_by=(*self.not_filtered_by, *dimensions),
        )

    def shared_by(self, segments: Collection[Dimension]) -> bool:
        """Whether its value is the same in all segments of a bucket."""
        return bool(segments) and all(dimension in self.not_split_by for dimension in segments)


@cache
def _read_from(measure: Measure, relation: Relation) -> Measure:
    """Cached, so that all queries share one object: looking up an equal one compares all fields."""
    return replace(measure, relation=relation)


@dataclass(frozen=True)
class Facts(Measure):
    """The number of distinct facts, such as sessions."""


@dataclass(frozen=True)
class People(Measure):
    """The number of distinct people with at least one fact; unmatched facts have none."""


@dataclass(frozen=True)
class Total(Measure):
    """The sum of a column; a fact contributes if its sum is known and not zero.

    `missing_column` counts what could not be added, such as tokens of a model without a price. `only` restricts the sum
    to rows with certain values of a dimension, within the same scan.
    """

    column: str = ""
    missing_column: str = ""
    missing_reason: str = ""
    only: tuple[Dimension, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class AttributedLines(Total):
    """A sum of lines attributed to agents: an upper bound, whose certain part is in `certain_column`."""

    certain_column: str = ""


@dataclass(frozen=True)
class Distribution(Measure):
    """Mean and percentiles of a column with one value per fact; facts with null are left out.

    With `trims`, the trimmed mean is read instead of percentiles, which requires sorting the values.
    """

    column: str = ""
    trims: bool = False

    def of_statistic(self, statistic: Statistic | None) -> Distribution:
        """The measure to read for one of its statistics."""
        return replace(self, trims=True) if statistic is Statistic.TRIMMED_MEAN else self


@dataclass(frozen=True)
class PersonShare(Measure):
    """Σ over people of (facts with the segment value ÷ all facts of the person); `base` is the number of people."""

    dimension: Dimension = Dimension.AGENT


@dataclass(frozen=True)
class Gini(Measure):
    """The Gini coefficient 0–1 of facts per person, over everybody with a fact; unmatched facts are left out.

    Its relation is read for this measure alone, and each fact is one row of one person.
    """


@dataclass(frozen=True)
class PeopleOfWindow(Measure):
    """A stock: people of the relation whose day lies before the end of the bucket and who were present in it.

    Anyone present, and in the unit, on any day of the bucket counts, so that nobody can be active in a bucket without
    being counted in it.  The relation has one row per person and the column `present`: days as a multirange, null for
    always.
    """

    def shared_by(self, segments: Collection[Dimension]) -> bool:
        return True


@dataclass(frozen=True)
class PeopleOnLine(Measure):
    """The number of distinct people on a line of a comparison, by the flags of `DEVELOPERS_ON_LINES`.

    The combined flags of a person in the window, unit and segment decide; the relation is read for this measure alone.
    """

    column: str = "signs"


@dataclass(frozen=True)
class EnteredValue(Measure):
    """The value of one hand-kept metric (`metric_id`) that applies on the last day of the window, or today.

    The relation is a stock with the columns `metric_id` and `column`; for a metric and a unit, one row applies on each
    day.
    """

    metric_id: int = 0
    column: str = "value"


@dataclass(frozen=True)
class StockAtEnd(Measure):
    """Distinct facts of the bucket that are in stock on its last day, or today; `base` counts all facts.

    A fact may belong to several people.  `column` holds the days on which it is in stock, as a multirange.
    """

    column: str = ""

"""What is aggregated over a published relation: the parts that a metric is put together from.

A measure says what to add up; buckets, units, segments, percentiles and SQL are the engine's
(insights/engine/scan.py).  Measures over the same relation are read in one scan.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from insights.query.query import Dimension, Statistic
from integrations.facts.relation import Relation

NONE: Mapping[Any, float] = MappingProxyType({})


class MeasureValue(NamedTuple):
    """One measure in one cell (unit, bucket, segment).

    `value` is null where nothing that could be added entered; `facts` and `people` are those that entered.
    """

    value: float | None = None
    facts: int = 0
    people: int = 0
    statistics: Mapping[Statistic, float] = NONE
    base: float | None = None  # what `value` is a share of, where the measure itself knows it
    missing: bool = False  # something was there that could not be added, e.g. tokens of a model without a price
    low: float | None = None  # the part of `value` that is beyond doubt, where the measure tells it
    by_method: Mapping[str, float] = NONE  # `value` by how it is known
    left_out: int = 0  # facts that lack what is measured


NOTHING = MeasureValue()


@dataclass(frozen=True)
class Measure:
    """Aggregated over the rows of `relation`.

    `instead` names, for a dimension that the relation does not have, the measure that gives the same figure from
    a finer relation; `told_by` the one whose rows are shown, where they are finer than those that it is read from.
    `not_by` lists dimensions whose column exists but says nothing about this figure.
    A measure is never split by the dimensions of `not_split_by` and never filtered by those of `not_filtered_by`: a
    part is held against a whole.
    """

    relation: Relation
    instead: tuple[tuple[Dimension, Measure], ...] = ()
    told_by: Measure | None = None
    not_by: tuple[Dimension, ...] = ()
    not_split_by: tuple[Dimension, ...] = ()
    not_filtered_by: tuple[Dimension, ...] = ()

    # Looked up for each part of each cell, of which there are millions.
    def __init_subclass__(cls) -> None:
        cls.__hash__ = Measure.__hash__  # type: ignore[method-assign]  # a dataclass keeps what is its own

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((type(self), *(getattr(self, field.name) for field in fields(self))))

    def for_dimensions(self, dimensions: Collection[Dimension]) -> Measure:
        """The measure to read when the query filters or splits by `dimensions`."""
        finer = next((finer for dimension, finer in self.instead if dimension in dimensions), None)
        return self if finer is None else finer.for_dimensions(dimensions)

    def held_against(self, *dimensions: Dimension) -> Self:
        """The same as a whole against which parts are held that are split or filtered by these dimensions."""
        return replace(
            self,
            instead=tuple((dimension, finer.held_against(*dimensions)) for dimension, finer in self.instead),
            told_by=self.told_by and self.told_by.held_against(*dimensions),
            not_split_by=(*self.not_split_by, *dimensions),
            not_filtered_by=(*self.not_filtered_by, *dimensions),
        )

    def shared_by(self, segments: Collection[Dimension]) -> bool:
        """Whether it is the same in all segments of a bucket."""
        return bool(segments) and all(dimension in self.not_split_by for dimension in segments)


@dataclass(frozen=True)
class Facts(Measure):
    """The number of distinct facts, e.g. sessions."""


@dataclass(frozen=True)
class People(Measure):
    """The number of distinct people with at least one fact; unmatched facts have none."""


@dataclass(frozen=True)
class Total(Measure):
    """The sum of a column; a fact enters where its sum is known and not zero.

    `missing_column` counts what was there and could not be added, e.g. tokens of a model without a price.
    `only` adds up the rows of some values of a dimension, in the same scan as the others.
    """

    column: str = ""
    missing_column: str = ""
    missing_reason: str = ""
    only: tuple[Dimension, tuple[str, ...]] | None = None


@dataclass(frozen=True)
class AttributedLines(Total):
    """A sum of lines that evidence gives to agents: an upper bound, of which `certain_column` is beyond doubt."""

    certain_column: str = ""


@dataclass(frozen=True)
class Distribution(Measure):
    """Mean and percentiles of a column that has one value per fact; where it is null the fact is left out."""

    column: str = ""


@dataclass(frozen=True)
class PersonShare(Measure):
    """Σ over people of (facts with the segment value ÷ all facts of the person): `base` is the number of people."""

    dimension: Dimension = Dimension.AGENT


@dataclass(frozen=True)
class Gini(Measure):
    """The Gini coefficient 0–1 of the facts per person, of everybody with a fact; unmatched facts have none.

    Its relation is read for it alone, and each of its facts is one row of one person.
    """


@dataclass(frozen=True)
class PeopleOfWindow(Measure):
    """A stock: people of the relation whose day lies before the end of the bucket and who were there on a day of it.

    Whoever was there, and in the unit, on any day of the bucket belongs to it, so that nobody can be active in it
    without being one of them.  The relation has one row per person and the column present: days as a multirange,
    null for always.
    """

    def shared_by(self, segments: Collection[Dimension]) -> bool:
        return True


@dataclass(frozen=True)
class PeopleOnLine(Measure):
    """The number of distinct people who were on a line of a comparison, by the signs of `DEVELOPERS_ON_LINES`.

    That is decided by all signs of a person in the window, the unit and the segment together; the relation is read for
    it alone.
    """

    column: str = "signs"


@dataclass(frozen=True)
class StandingAtEnd(Measure):
    """Distinct facts of the bucket that stand on its last day, or today: `base` is the number of all of them.

    A fact may be of several people.  `column` holds the days on which it stands, as a multirange.
    """

    column: str = ""

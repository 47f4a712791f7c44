"""One question to one relation: the unit in which facts are read."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from insights.metrics.measures import Measure
from insights.metrics.query import Dimension, Window
from insights.windows import local_today
from integrations.facts.relation import Relation

Edges = tuple[date, ...]


class Placed(enum.Enum):
    """Whose facts are read."""

    ANYBODY = "the whole organisation"
    UNIT = "one unit"
    UNITS = "each of several units"
    UNASSIGNED = "who is in no unit of a tree, and what nobody could be matched to"
    PERSON = "one person"


@dataclass(frozen=True)
class Placement:
    """Whose facts: `ids` are the units, the tree or the person; several units without ids are all units.

    `held` are ids of attributes with the values of which one must hold of the person on the day of the fact,
    `person_id` leaves of the units' or the unassigned facts those of that person, and `among` those of these people:
    where `accounts` are all of theirs, their facts are found by them (Relation.account).
    `owned_alone` leaves of a unit's facts what falls to it as an owner (Relation.falls_to_owners).
    """

    placed: Placed = Placed.ANYBODY
    ids: tuple[int, ...] = ()
    held: tuple[tuple[int, tuple[str, ...]], ...] = ()
    person_id: int | None = None
    among: tuple[int, ...] = ()
    accounts: tuple[int, ...] = ()
    owned_alone: bool = False

    @property
    def is_kept(self) -> bool:
        """Whether there are cells of it, which may tell the same as its facts."""
        narrowed = self.held or self.among or self.owned_alone or self.person_id is not None
        return self.placed in (Placed.ANYBODY, Placed.UNIT, Placed.UNITS) and not narrowed

    def of_everybody(self) -> Placement:
        """The same in and out of any unit."""
        return replace(self, placed=Placed.ANYBODY, ids=())


ANYBODY = Placement()


class CellKey(NamedTuple):
    """A unit (None: whatever one scope was asked for), a window and the segment's values.

    Of a reading by person the unit is a person.
    """

    unit_id: int | None
    window: Window
    segment: tuple[str, ...]


@dataclass(frozen=True)
class Reading:
    """What one statement reads.

    Each of `partitions` is the n + 1 borders of n adjoining windows; windows of different partitions may overlap, and
    a fact is counted once in each.  `settled_before` parts spend into pending and unknown.
    """

    relation: Relation
    partitions: tuple[Edges, ...]
    placement: Placement = ANYBODY
    facets: tuple[tuple[Dimension, tuple[str, ...]], ...] = ()
    segments: tuple[Dimension, ...] = ()
    settled_before: datetime | None = None  # None: nothing is asked of outcomes
    model_picks_facts: bool = False  # the rows name no model: the facet picks the sessions that used it
    by_person: bool = False  # what each person did of it, in place of all of it together
    with_everybody: bool = False  # whoever is in no unit is found among everybody

    # Looked up once for each cell, of which there are millions: the borders and ids would be hashed each time.
    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.relation.name, self.partitions, self.placement, self.facets, self.segments))

    @property
    def hull(self) -> Window:
        return Window(min(edges[0] for edges in self.partitions), max(edges[-1] for edges in self.partitions))

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The windows of all partitions, each once."""
        return tuple(dict.fromkeys(window for edges in self.partitions for window in windows_of(edges)))

    @cached_property
    def windows_by_last_day(self) -> Mapping[date, tuple[Window, ...]]:
        """The windows of which any day has come, by the last of these, in order: stocks are counted at its end."""
        today = local_today()
        found: dict[date, list[Window]] = {}
        for window in self.windows:
            if window.start <= today:
                found.setdefault(min(window.end - timedelta(days=1), today), []).append(window)
        return {day: tuple(found[day]) for day in sorted(found)}

    def of_any_time(self) -> Reading:
        """The same question without windows: questions that differ in them alone are answered together."""
        return replace(self, partitions=())

    def of_whole(self) -> Reading:
        """The same question for the hull alone."""
        return replace(self, partitions=((self.hull.start, self.hull.end),))

    def of_rows(self) -> Reading:
        """The rows that it reads, however they are split: readings that have these in common can be read together."""
        placement = self.placement
        if self.with_everybody or (placement.placed is Placed.UNITS and not placement.owned_alone):
            placement = placement.of_everybody()
        return replace(self, partitions=(), placement=placement, segments=(), by_person=False, with_everybody=False)

    @property
    def split(self) -> SplitBy:
        return SplitBy(self.placement, self.segments, self.by_person)

    def of_split(self, split: SplitBy) -> Reading:
        """The same rows, split in another way."""
        return replace(self, placement=split.placement, segments=split.segments, by_person=split.by_person)


class SplitBy(NamedTuple):
    """How rows are split: among units or people, or not, and by the values of dimensions."""

    placement: Placement
    segments: tuple[Dimension, ...]
    by_person: bool = False

    @property
    def in_units(self) -> bool:
        return self.placement.placed is Placed.UNITS


@dataclass(frozen=True)
class Asked:
    """What is asked of a reading (without windows): in which windows, and which measures."""

    partitions: tuple[Edges, ...]
    measures: tuple[Measure, ...]

    def and_also(self, other: Asked) -> Asked:
        partitions = dict.fromkeys((*self.partitions, *other.partitions))
        return Asked(tuple(partitions), tuple(dict.fromkeys((*self.measures, *other.measures))))

    def holds(self, other: Asked) -> bool:
        return {*self.partitions}.issuperset(other.partitions) and {*self.measures}.issuperset(other.measures)


# What is asked of the same rows, by how it is split.
AskedBySplit = Mapping[SplitBy, Asked]


@dataclass(frozen=True)
class StockReading:
    """People of a relation counted for each of `spans`."""

    relation: Relation
    spans: tuple[Window, ...]
    placement: Placement = ANYBODY

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.relation.name, self.spans, self.placement))

    @property
    def hull(self) -> Window:
        return Window(min(each.start for each in self.spans), max(each.end for each in self.spans))

    def of_any_time(self) -> StockReading:
        """As of a reading."""
        return replace(self, spans=())


def windows_of(edges: Edges) -> Iterable[Window]:
    return (Window(start, end) for start, end in pairwise(edges))

"""One question to one relation: the unit in which facts are read."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from insights.query.query import Dimension, Window
from insights.query.windows import local_today
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
    `person_id` leaves of the units' or the unassigned facts those of that person, and `among` those of these people.
    """

    placed: Placed = Placed.ANYBODY
    ids: tuple[int, ...] = ()
    held: tuple[tuple[int, tuple[str, ...]], ...] = ()
    person_id: int | None = None
    among: tuple[int, ...] = ()


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
        return Window(min(span.start for span in self.spans), max(span.end for span in self.spans))

    def of_any_time(self) -> StockReading:
        """As of a reading."""
        return replace(self, spans=())


def windows_of(edges: Edges) -> Iterable[Window]:
    return (Window(start, end) for start, end in pairwise(edges))

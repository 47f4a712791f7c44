"""Fact queries: each reads one relation with one statement."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from insights.query.query import Dimension, Window
from insights.query.windows import local_today
from integrations.facts.relation import Relation

Edges = tuple[date, ...]
Facets = tuple[tuple[Dimension, tuple[str, ...]], ...]


class ScopeKind(enum.Enum):
    """The kinds of scope."""

    ANYBODY = "the whole organisation"
    UNIT = "one unit"
    UNITS = "each of several units"
    PLACES = "which of several units somebody was in"
    UNASSIGNED = "who is in no unit of a tree, and what nobody could be matched to"
    PERSON = "one person"


@dataclass(frozen=True)
class ResolvedScope:
    """A scope with slugs resolved to ids: `ids` are the units, the tree or the person; UNITS without ids means all
    units.

    `attributes` are attribute ids with values, one of which the person must have on the day of the fact.  `person_id`
    restricts a scope of units, or of unassigned people, to that person, and `among` restricts it to these people.  For
    PLACES, `outside` includes people in none of the units, and `by_attributes` also groups people by their values of
    these attributes.
    """

    kind: ScopeKind = ScopeKind.ANYBODY
    ids: tuple[int, ...] = ()
    attributes: tuple[tuple[int, tuple[str, ...]], ...] = ()
    person_id: int | None = None
    among: tuple[int, ...] = ()
    outside: bool = False
    by_attributes: tuple[int, ...] = ()


ANYBODY = ResolvedScope()


class GroupKey(NamedTuple):
    """A unit (None: the query's only scope), a window and the segment's values.

    In a query by person the unit is a person.
    """

    unit_id: int | None
    window: Window
    segment: tuple[str, ...]


@dataclass(frozen=True)
class Chosen:
    """A split by which of these values of a dimension a row has; with `of_facts`, by which any row of its fact has.

    Several values are joined by line breaks; the text is empty if there are none.
    """

    dimension: Dimension
    values: tuple[str, ...]
    of_facts: bool = False


@dataclass(frozen=True)
class FactQuery:
    """The parameters of one statement.

    Each element of `window_edges` holds the n + 1 borders of n adjoining windows; windows of different elements may
    overlap, and a fact counts once in each.  `settled_before` separates pending spend from wasted and unknown.
    """

    relation: Relation
    window_edges: tuple[Edges, ...]
    scope: ResolvedScope = ANYBODY
    facets: Facets = ()
    segments: tuple[Dimension | Chosen, ...] = ()
    settled_before: datetime | None = None  # None: outcomes are not used
    by_person: bool = False  # group by person instead of by unit
    facets_of_facts: Facets = ()  # match facts of which any row has the value

    # Cached, because millions of groups look it up, and each time all borders and ids would be hashed.
    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.relation.name, self.window_edges, self.scope, self.facets, self.segments))

    @property
    def bounding_window(self) -> Window:
        return Window(min(edges[0] for edges in self.window_edges), max(edges[-1] for edges in self.window_edges))

    @cached_property
    def windows(self) -> tuple[Window, ...]:
        """The distinct windows of all `window_edges`."""
        return tuple(dict.fromkeys(window for edges in self.window_edges for window in windows_of(edges)))

    @cached_property
    def windows_by_last_day(self) -> Mapping[date, tuple[Window, ...]]:
        """The windows that have started, by their last elapsed day, in ascending order: stocks are counted at the end
        of that day.
        """
        today = local_today()
        by_last_day: dict[date, list[Window]] = {}
        for window in self.windows:
            if window.start <= today:
                by_last_day.setdefault(min(window.last_day, today), []).append(window)
        return {day: tuple(by_last_day[day]) for day in sorted(by_last_day)}

    def without_windows(self) -> FactQuery:
        """The same query without windows: queries that differ only in them are merged into one statement."""
        return replace(self, window_edges=())

    def over_whole_window(self) -> FactQuery:
        """The same query for the bounding window alone."""
        return replace(self, window_edges=((self.bounding_window.start, self.bounding_window.end),))


@dataclass(frozen=True)
class StockQuery:
    """Counts the people of a relation in each of `windows`."""

    relation: Relation
    windows: tuple[Window, ...]
    scope: ResolvedScope = ANYBODY

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash((self.relation.name, self.windows, self.scope))

    @property
    def bounding_window(self) -> Window:
        return Window(min(window.start for window in self.windows), max(window.end for window in self.windows))

    def without_windows(self) -> StockQuery:
        """The same query without windows, for merging, as in FactQuery."""
        return replace(self, windows=())


def windows_of(edges: Edges) -> Iterable[Window]:
    return (Window(start, end) for start, end in pairwise(edges))

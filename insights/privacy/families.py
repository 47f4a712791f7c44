"""The units whose values a viewer could subtract from one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import chain
from typing import NamedTuple

from django.utils import timezone

from core.cache import Cache
from insights.engine.contributors import Place
from insights.query.query import UNASSIGNED_PREFIX, Window
from orgtree.access.access import Access
from orgtree.models import UnitPlace


class Unassigned(NamedTuple):
    """Whoever is in no unit of a tree: with its top units, the whole organisation."""

    tree: int


Unit = int | Unassigned


class UnitPlacing(NamedTuple):
    """A unit's place in its tree, from its first day to the day before `end`."""

    unit: int
    parent: int | None
    tree: int
    slug: str
    tree_slug: str
    start: date
    end: date

    def overlaps(self, window: Window) -> bool:
        return self.start < window.end and window.start < self.end


places_by_version: Cache[Sequence[UnitPlacing]] = Cache(8_000_000, lambda places: 100 + 350 * len(places))
"""All places of units, by version of people."""


@dataclass(frozen=True)
class Family:
    """Units, with those directly below each; of a tree's top units, and of who is in no unit of it, that is the whole
    organisation, as the tree's negative id.

    Units whose parent the viewer may not see are below none.
    """

    units: Sequence[int]
    below: Mapping[int, Sequence[Unit]] = field(default_factory=dict)

    @cached_property
    def wholes(self) -> Collection[int]:
        return {whole for whole in self.below if whole < 0}

    def rows_of(self, place: Place) -> Collection[Unit]:
        """All of the family in which people count who were in these units."""
        outside = (Unassigned(-whole) for whole in self.wholes if place.isdisjoint(self.below[whole]))
        return {*place, *self.wholes, *outside}


def family_of(units: Collection[Unit], window: Window, access: Access) -> Family:
    """These units, those above them on any day of the window that the viewer may see, and all directly below these.

    The whole organisation is among them if the viewer may see it, and with it who is in no unit.  What is below a
    closed unit stands alone.
    """
    if not units:
        return Family([])
    places = [place for place in _places(access.organisation.people_version) if place.overlaps(window)]
    trees = {place.tree for place in places if place.unit in {*units}}
    trees |= {unit.tree for unit in units if isinstance(unit, Unassigned)}
    closed = {place.unit: place.end < window.end for place in sorted(places, key=lambda place: place.end)}
    above: dict[Unit, set[int]] = defaultdict(set)
    if access.visibility.whole:
        above |= {Unassigned(tree): {-tree} for tree in trees}
    for unit, parent, tree, _, _, _, _ in places:
        if tree not in trees:
            continue
        if parent is not None and parent in closed and access.visibility.can_see(parent):
            above[unit].add(parent)
        if access.visibility.whole and (parent is None or closed.get(parent, True)):
            above[unit].add(-tree)
    ancestors: set[int] = set()
    found = {parent for unit in units for parent in above.get(unit, ())}
    while found:
        ancestors |= found
        found = {parent for unit in found for parent in above.get(unit, ())} - ancestors
    below: dict[int, list[Unit]] = defaultdict(list)
    for part in sorted(above, key=repr):
        for parent in above[part] & ancestors:
            below[parent].append(part)
    known = {*units, *ancestors, *chain(*below.values())}
    return Family(sorted(unit for unit in known if isinstance(unit, int) and unit > 0), below)


def units_by_word(access: Access) -> Mapping[str, Unit]:
    """The units that are in a tree today, and who is in none, by the word of a query's scope."""
    today = timezone.localdate()
    places = _places(access.organisation.people_version)
    units = {place.slug: place.unit for place in places if place.start <= today < place.end}
    return {**units, **{f"{UNASSIGNED_PREFIX}{place.tree_slug}": Unassigned(place.tree) for place in places}}


def _places(people_version: int) -> Sequence[UnitPlacing]:
    key = str(people_version)
    places = places_by_version.get(key)
    if places is None:
        rows = UnitPlace.objects.values_list(
            "unit_id", "parent_id", "unit__tree_id", "unit__slug", "unit__tree__slug", "during"
        )
        places = tuple(
            UnitPlacing(unit, parent, tree, slug, tree_slug, during.lower or date.min, during.upper or date.max)
            for unit, parent, tree, slug, tree_slug, during in rows
        )
        places_by_version.put(key, places)
    return places

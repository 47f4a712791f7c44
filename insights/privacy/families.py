"""The units whose values a viewer could subtract from one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from django.utils import timezone

from core.cache import Cache
from insights.query.query import Window
from orgtree.access.access import Access
from orgtree.models import UnitPlace


class Place(NamedTuple):
    """A unit's place in its tree, from its first day to the day before `end`."""

    unit: int
    parent: int | None
    tree: int
    slug: str
    start: date
    end: date

    def overlaps(self, window: Window) -> bool:
        return self.start < window.end and window.start < self.end


places_by_version: Cache[Sequence[Place]] = Cache(8_000_000, lambda places: 100 + 350 * len(places))
"""All places of units, by version of people."""


@dataclass(frozen=True)
class Family:
    """Units, with those directly below each; of a tree's top units that is the whole organisation, as the tree's
    negative id.

    Units whose parent the viewer may not see are below none.
    """

    units: Sequence[int]
    below: Mapping[int, Sequence[int]] = field(default_factory=dict)

    @property
    def wholes(self) -> Collection[int]:
        return {whole for whole in self.below if whole < 0}


def family_of(units: Collection[int], window: Window, access: Access) -> Family:
    """These units, those above them on any day of the window that the viewer may see, and all directly below these.

    The whole organisation is among them if the viewer may see it.  What is below a closed unit stands alone.
    """
    if not units:
        return Family([])
    places = [place for place in _places(access.organisation.people_version) if place.overlaps(window)]
    trees = {place.tree for place in places if place.unit in {*units}}
    closed = {place.unit: place.end < window.end for place in sorted(places, key=lambda place: place.end)}
    above: dict[int, set[int]] = defaultdict(set)
    for unit, parent, tree, _, _, _ in places:
        if tree not in trees:
            continue
        if parent is not None and parent in closed and access.visibility.can_see(parent):
            above[unit].add(parent)
        if access.visibility.whole and (parent is None or closed.get(parent, True)):
            above[unit].add(-tree)
    ancestors: set[int] = set()
    found = {*units}
    while found:
        found = {parent for unit in found for parent in above.get(unit, ())} - ancestors
        ancestors |= found
    below: dict[int, list[int]] = defaultdict(list)
    for unit, parents in sorted(above.items()):
        for parent in parents & ancestors:
            below[parent].append(unit)
    beside = {unit for of_unit in below.values() for unit in of_unit}
    return Family(sorted({*units, *beside, *(unit for unit in ancestors if unit > 0)}), below)


def unit_ids(access: Access) -> Mapping[str, int]:
    """Ids of the units that are in a tree today, by slug."""
    today = timezone.localdate()
    places = _places(access.organisation.people_version)
    return {place.slug: place.unit for place in places if place.start <= today < place.end}


def _places(people_version: int) -> Sequence[Place]:
    key = str(people_version)
    places = places_by_version.get(key)
    if places is None:
        rows = UnitPlace.objects.values_list("unit_id", "parent_id", "unit__tree_id", "unit__slug", "during")
        places = tuple(
            Place(unit, parent, tree, slug, during.lower or date.min, during.upper or date.max)
            for unit, parent, tree, slug, during in rows
        )
        places_by_version.put(key, places)
    return places

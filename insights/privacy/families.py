"""The units whose values a viewer could subtract from one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.utils import timezone

from core.cache import Cache
from orgtree.access.access import Access
from orgtree.models import UnitPlace

Place = tuple[int, int | None, int, str]  # a unit, the one above it, its tree and its slug
places_by_version: Cache[Sequence[Place]] = Cache(8_000_000, lambda places: 100 + 250 * len(places))
"""Places of units in their trees, by version of people and day."""


@dataclass(frozen=True)
class Family:
    """Units with the one directly above each: None where the viewer may not see it, or nothing is compared with it.

    The parent of a tree's top units is the whole organisation, as the tree's negative id, if one of them is requested
    and the viewer may see the organisation.
    """

    parents: Mapping[int, int | None]

    @property
    def units(self) -> list[int]:
        return sorted(self.parents)

    @property
    def wholes(self) -> set[int]:
        return {parent for parent in self.parents.values() if parent is not None and parent < 0}

    @property
    def below(self) -> Mapping[int, Sequence[int]]:
        """The units directly below each."""
        below: dict[int, list[int]] = defaultdict(list)
        for unit, parent in self.parents.items():
            if parent is not None:
                below[parent].append(unit)
        return below


def family_of(units: Collection[int], access: Access) -> Family:
    """These units, those above them that the viewer may see, and all directly below any of them."""
    if not units:
        return Family({})
    all_places = _places_today(access.organisation.people_version)
    trees = {tree for unit, _, tree, _ in all_places if unit in {*units}}
    tops = -1 if access.visibility.whole else None
    above = {
        unit: parent if parent is not None else tops and tops * tree
        for unit, parent, tree, _ in all_places
        if tree in trees and (parent is None or access.visibility.can_see(parent))
    }
    ancestors: set[int] = set()
    for unit in units:
        parent = above.get(unit)
        while parent is not None and parent not in ancestors:
            ancestors.add(parent)
            parent = above.get(parent)
    beside = {
        unit: parent if parent in ancestors else None
        for unit, parent in above.items()
        if parent in ancestors or unit in ancestors
    }
    return Family({**dict.fromkeys(units), **beside})


def unit_ids(access: Access) -> Mapping[str, int]:
    """Ids of the units that are in a tree today, by slug."""
    return {slug: unit for unit, _, _, slug in _places_today(access.organisation.people_version)}


def _places_today(people_version: int) -> Sequence[Place]:
    key = f"{people_version} {timezone.localdate()}"
    places = places_by_version.get(key)
    if places is None:
        today = UnitPlace.objects.filter(during__contains=timezone.localdate())
        places = tuple(today.values_list("unit_id", "parent_id", "unit__tree_id", "unit__slug"))
        places_by_version.put(key, places)
    return places

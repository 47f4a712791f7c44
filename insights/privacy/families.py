"""The units whose values a viewer could subtract from one another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import chain, islice
from typing import Any, NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from core.cache import Cache
from insights.engine.contributors import Place
from insights.query.query import UNASSIGNED_PREFIX, Window
from integrations.models import Enrolment
from orgtree.access.access import Access
from orgtree.models import Placement, UnitPlace


class Unassigned(NamedTuple):
    """People in no unit of a tree: together with its top units they make up the whole organisation."""

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


Alike = Mapping[Unit, Collection[Unit]]
"""By unit, those of other trees with nearly the same people."""

alike_by_version: Cache[Alike] = Cache(4_000_000, lambda alike: 1000 + 250 * sum(map(len, alike.values())))
"""By version of people, window, minimum group size and hour."""


@dataclass(frozen=True)
class Family:
    """Units, each with those directly below it.  Below the whole organisation, whose id is the negative id of a tree,
    are the tree's top units and the people in no unit of it.

    Units whose parent the viewer may not see are below none.  `alike` are pairs of units of different trees.
    """

    units: Sequence[int]
    below: Mapping[int, Sequence[Unit]] = field(default_factory=dict)
    alike: Sequence[tuple[Unit, Unit]] = ()

    @cached_property
    def judged(self) -> dict[Hashable, Any]:
        """Cached decisions about these units within one answer: insights/privacy/evidence.py."""
        return {}

    @cached_property
    def wholes(self) -> Collection[int]:
        return {whole for whole in self.below if whole < 0}

    def rows_of(self, place: Place) -> Collection[Unit]:
        """All members of the family that count the people who were in these units."""
        outside = (Unassigned(-whole) for whole in self.wholes if place.isdisjoint(self.below[whole]))
        return {*place, *self.wholes, *outside}


def family_of(units: Collection[Unit], window: Window, access: Access) -> Family:
    """These units, the units above them on any day of the window that the viewer may see, and all units directly below
    these; the same for units of other trees with nearly the same people as any of them.

    If the viewer may see the whole organisation, it is included, and with it the people in no unit.  Units below a
    closed unit are on their own.
    """
    if not units:
        return Family([])
    places = [place for place in _places(access.organisation.people_version) if place.overlaps(window)]
    above = _above(places, window, access)
    alike = _alike(places, window, access)
    parts: dict[int, list[Unit]] = defaultdict(list)
    for part in sorted(above, key=repr):
        for parent in above[part]:
            parts[parent].append(part)
    known: set[Unit] = set()
    below: dict[int, Sequence[Unit]] = {}
    found = {*units}
    while found:
        known |= found
        while ancestors := {parent for unit in found for parent in above.get(unit, ())} - below.keys():
            below |= {ancestor: parts[ancestor] for ancestor in ancestors}
            found = {*ancestors}
            known |= {*ancestors, *chain(*(parts[ancestor] for ancestor in ancestors))}
        found = {other for unit in known for other in alike.get(unit, ())} - known
    pairs = [(unit, other) for unit in sorted(known, key=repr) for other in alike.get(unit, ()) if other in known]
    return Family(sorted(unit for unit in known if isinstance(unit, int) and unit > 0), below, pairs)


def _above(places: Sequence[UnitPlacing], window: Window, access: Access) -> Mapping[Unit, Set[int]]:
    """The unit directly above each unit, if the viewer may see it; the whole organisation for top units."""
    visibility = access.visibility
    closed = {place.unit: place.end < window.end for place in sorted(places, key=lambda place: place.end)}
    above: dict[Unit, set[int]] = defaultdict(set)
    if visibility.whole:
        above |= {Unassigned(tree): {-tree} for tree in {place.tree for place in places}}
    for unit, parent, tree, _, _, _, _ in places:
        if parent is not None and parent in closed and visibility.can_see(parent):
            above[unit].add(parent)
        if visibility.whole and (parent is None or closed.get(parent, True)):
            above[unit].add(-tree)
    return above


def _alike(places: Sequence[UnitPlacing], window: Window, access: Access) -> Alike:
    """The units of other trees that the viewer may see, with nearly the same people in the window."""
    tree_of: dict[Unit, int] = {place.unit: place.tree for place in places}
    if len({*tree_of.values()}) < 2:
        return {}
    organisation, few = access.organisation, access.minimum_group_size
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    key = f"{organisation.people_version} {window} {few} {hour}"
    alike = alike_by_version.get(key)
    if alike is None:
        members = _members(window, tree_of)
        enrolled = frozenset(Enrolment.objects.values_list("identity__person_id", flat=True))
        with_agents = {unit: people & enrolled for unit, people in members.items()}
        alike = _either(nearly_equal(members, tree_of, few), nearly_equal(with_agents, tree_of, few))
        alike_by_version.put(key, alike)
    visibility = access.visibility
    return {
        unit: [other for other in others if visibility.whole or (isinstance(other, int) and visibility.can_see(other))]
        for unit, others in alike.items()
    }


def _members(window: Window, tree_of: dict[Unit, int]) -> Mapping[Unit, Set[int]]:
    """The people of each unit on any day of the window, and for each tree those who are in none of its units but in
    another tree's.

    Adds the latter to `tree_of`.
    """
    of_units = (
        Placement.objects.filter(during__overlap=DateRange(*window), ancestor__in=[*tree_of])
        .values_list("ancestor_id")
        .annotate(people=ArrayAgg("person_id", distinct=True))
        .order_by()
    )
    members: dict[Unit, Set[int]] = {unit: frozenset(people) for unit, people in of_units}
    everybody = frozenset(chain(*members.values()))
    for tree in {*tree_of.values()}:
        inside = (people for unit, people in members.items() if tree_of[unit] == tree)
        outside = Unassigned(tree)
        members[outside] = everybody.difference(*inside)
        tree_of[outside] = tree
    return members


def nearly_equal(members: Mapping[Unit, Set[int]], tree_of: Mapping[Unit, int], few: int) -> Alike:
    """Each unit's counterparts: units of other trees that differ from it by fewer than `few` people.

    Units of fewer people are left out: their figures are hidden anyway.
    """
    units_of: dict[int, list[Unit]] = defaultdict(list)
    for unit, people in members.items():
        if len(people) >= few:
            for person in people:
                units_of[person].append(unit)
    alike: dict[Unit, Collection[Unit]] = {}
    for unit, people in members.items():
        if len(people) >= few:  # another unit can lack at most all but one of any `few` of its people
            near = {other for person in islice(people, few) for other in units_of[person]}
            alike[unit] = [
                other
                for other in sorted(near, key=repr)
                if tree_of[other] != tree_of[unit]
                and abs(len(members[other]) - len(people)) < few
                and len(members[other] ^ people) < few
            ]
    return {unit: others for unit, others in alike.items() if others}


def _either(one: Alike, other: Alike) -> Alike:
    return {unit: sorted({*one.get(unit, ()), *other.get(unit, ())}, key=repr) for unit in one.keys() | other.keys()}


def trees_of_tops(units: Collection[int], window: Window, access: Access) -> Sequence[str]:
    """The slugs of the trees whose top units on any day of the window are all among these units."""
    tops: dict[str, set[int]] = defaultdict(set)
    for place in _places(access.organisation.people_version):
        if place.parent is None and place.overlaps(window):
            tops[place.tree_slug].add(place.unit)
    return [tree for tree, found in tops.items() if found <= {*units}]


def units_by_word(access: Access) -> Mapping[str, Unit]:
    """The units that are in a tree today, and the people in none, by the word that a query's scope uses."""
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

"""Search for units and attribute values, for pickers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Case, Count, Exists, F, OuterRef, Q
from django.db.models.functions import Lower

from orgtree.access.search_sources import closeness, with_all
from orgtree.models import Attribute, PersonAttribute, Placement, UnitPeople, UnitPlace
from orgtree.models.visibility import Visibility, preferred_trees

MOST_UNITS = 20  # per search; refine the words to see others
MOST_BELOW = 200  # per unit
MOST_VALUES = 50  # per attribute


@dataclass(frozen=True)
class UnitChoice:
    """A unit in a picker: its tree and parent, whether it has children, and the units of the same people that it
    represents.
    """

    slug: str
    name: str
    tree_name: str
    parent_name: str
    has_units: bool
    tree_id: int
    digest: str = ""  # of its people; empty for a root, which is the choice of its tree
    also: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        """The names of the parent and the tree, if they differ from the unit's, and of units of the same people."""
        names = dict.fromkeys(filter(None, [self.parent_name, self.tree_name]))
        where = ", ".join(name for name in names if name != self.name)
        return f"{where} · the people of {', '.join(self.also)}" if self.also else where


def units_matching(words: str, visibility: Visibility, *, on: date) -> Sequence[UnitChoice]:
    """Units whose name or slug contains all words, closest first, then by name; at most MOST_UNITS."""
    condition = with_all(words.split(), "unit__name", "unit__slug")
    return _merged(_found(condition, visibility, on, MOST_UNITS, closeness(words.split(), "unit__name")))


def units_below(slug: str, visibility: Visibility, *, on: date) -> Sequence[UnitChoice]:
    """The children of a unit, by name; at most MOST_BELOW."""
    return _found(Q(parent__slug=slug), visibility, on, MOST_BELOW)


def units_named(slugs: Collection[str], visibility: Visibility, *, on: date) -> Sequence[UnitChoice]:
    """The units with these slugs that are in use and visible, in the given order."""
    by_slug = {unit.slug: unit for unit in _found(Q(unit__slug__in=slugs), visibility, on, MOST_BELOW)}
    return _merged([by_slug[slug] for slug in slugs if slug in by_slug])


def units_of_same_people(slug: str, visibility: Visibility, *, on: date) -> Sequence[UnitChoice]:
    """The other visible units in use that have had exactly the people of this one, day by day."""
    digest = UnitPeople.objects.filter(unit__slug=slug).values("digest")
    return _found(Q(unit__people_digest__digest__in=digest) & ~Q(unit__slug=slug), visibility, on, MOST_UNITS)


def _merged(units: Sequence[UnitChoice]) -> list[UnitChoice]:
    """One choice for units of the same people: the one in the tree that the program uses, else the first."""
    by_people: dict[str, list[UnitChoice]] = {}
    for unit in units:
        by_people.setdefault(unit.digest or unit.slug, []).append(unit)
    preferred = preferred_trees() if len(by_people) < len(units) else set()
    merged = []
    for same in by_people.values():
        first = next((unit for unit in same if unit.tree_id in preferred), same[0])
        also = dict.fromkeys(unit.name for unit in same if unit.name != first.name)
        merged.append(replace(first, also=tuple(also)))
    return merged


def _found(condition: Q, visibility: Visibility, on: date, most: int, *order: Case) -> Sequence[UnitChoice]:
    """Visible units of trees in use."""
    places = UnitPlace.objects.filter(condition, during__contains=on, unit__tree__archived_at=None)
    if visibility.unit_ids is not None:
        places = places.filter(unit__in=visibility.unit_ids)
    below = UnitPlace.objects.filter(parent=OuterRef("unit"), during__contains=on)
    ordered = places.select_related("unit__tree", "parent").order_by(*order, Lower("unit__name"), "unit_id")
    return [
        UnitChoice(
            slug=place.unit.slug,
            name=place.unit.name,
            tree_name=place.unit.tree.name,
            parent_name=place.parent.name if place.parent and visibility.can_see(place.parent.pk) else "",
            has_units=place.has_units,
            tree_id=place.unit.tree_id,
            digest=(place.digest or "") if place.parent_id else "",
        )
        for place in ordered.annotate(has_units=Exists(below), digest=F("unit__people_digest__digest"))[:most]
    ]


def attributes_in_use() -> Sequence[Attribute]:
    """Attributes that any person has, by slug."""
    return list(Attribute.objects.filter(Exists(PersonAttribute.objects.filter(attribute=OuterRef("pk")))))


def values_of(slug: str, visibility: Visibility, *, on: date) -> Sequence[tuple[str, int]]:
    """The attribute's values on the day with their number of people, most frequent first.

    At most MOST_VALUES, of people in visible units.
    """
    values = PersonAttribute.objects.filter(attribute__slug=slug, during__contains=on)
    if visibility.unit_ids is not None:
        placed = Placement.objects.filter(ancestor__in=visibility.unit_ids, during__contains=on)
        values = values.filter(person__in=placed.values("person"))
    counted = values.values_list("value").annotate(people=Count("person")).order_by("-people", "value")
    return list(counted[:MOST_VALUES])

"""Finding units and values of attributes, for whoever picks what to look at."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Lower

from orgtree.models import Attribute, PersonAttribute, Placement, UnitPlace
from orgtree.models.sight import Sight

MOST_UNITS = 20  # of a search; whoever finds none writes another word
MOST_BELOW = 200  # of a unit
MOST_VALUES = 50  # of an attribute


@dataclass(frozen=True)
class FoundUnit:
    """A unit as a list of units shows it: where it stands, and whether there is anything to open below it."""

    slug: str
    name: str
    tree_name: str
    parent_name: str
    has_units: bool


def units_matching(words: str, sight: Sight, *, on: date) -> Sequence[FoundUnit]:
    """Units whose name or slug holds all the words, by name; at most MOST_UNITS."""
    wanted = Q()
    for word in words.split():
        wanted &= Q(unit__name__icontains=word) | Q(unit__slug__icontains=word)
    return _found(wanted, sight, on, MOST_UNITS)


def units_below(slug: str, sight: Sight, *, on: date) -> Sequence[FoundUnit]:
    """The units directly below that one, by name; at most MOST_BELOW."""
    return _found(Q(parent__slug=slug), sight, on, MOST_BELOW)


def units_named(slugs: Collection[str], sight: Sight, *, on: date) -> Sequence[FoundUnit]:
    """Those of the slugs that are still in use and visible, in the order given."""
    by_slug = {unit.slug: unit for unit in _found(Q(unit__slug__in=slugs), sight, on, MOST_BELOW)}
    return [by_slug[slug] for slug in slugs if slug in by_slug]


def _found(wanted: Q, sight: Sight, on: date, most: int) -> Sequence[FoundUnit]:
    """Of trees that are in use, and as far as the viewer may know of them."""
    places = UnitPlace.objects.filter(wanted, during__contains=on, unit__tree__archived_at=None)
    if sight.unit_ids is not None:
        places = places.filter(unit__in=sight.unit_ids)
    below = UnitPlace.objects.filter(parent=OuterRef("unit"), during__contains=on)
    ordered = places.select_related("unit__tree", "parent").order_by(Lower("unit__name"), "unit_id")
    return [
        FoundUnit(
            slug=place.unit.slug,
            name=place.unit.name,
            tree_name=place.unit.tree.name,
            parent_name=place.parent.name if place.parent and sight.covers(place.parent.pk) else "",
            has_units=place.has_units,
        )
        for place in ordered.annotate(has_units=Exists(below))[:most]
    ]


def attributes_said() -> Sequence[Attribute]:
    """The attributes that anything is said of, by slug."""
    return list(Attribute.objects.filter(Exists(PersonAttribute.objects.filter(attribute=OuterRef("pk")))))


def values_of(slug: str, sight: Sight, *, on: date) -> Sequence[tuple[str, int]]:
    """The values that hold of anybody on the day, with the number of people, the most frequent first.

    At most MOST_VALUES, of people in the units that the viewer may look at.
    """
    said = PersonAttribute.objects.filter(attribute__slug=slug, during__contains=on)
    if sight.unit_ids is not None:
        placed = Placement.objects.filter(ancestor__in=sight.unit_ids, during__contains=on)
        said = said.filter(person__in=placed.values("person"))
    counted = said.values_list("value").annotate(people=Count("person")).order_by("-people", "value")
    return list(counted[:MOST_VALUES])

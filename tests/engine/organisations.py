"""Random organisations around a World's people: a second tree whose people and units move, leavers, attributes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

from django.db.backends.postgresql.psycopg_any import DateRange

from orgtree.models import (
    Attribute,
    Membership,
    OrgTree,
    Person,
    PersonAttribute,
    TreeKind,
    Unit,
    UnitPlace,
)
from orgtree.trees.placements import rebuild_placements
from tests.engine.facts import World

TREE = "squads"
PARENTS = {"squads": None, "a": "squads", "b": "squads", "a1": "a", "a2": "a", "b1": "b", "b2": "b1"}
VALUES = {"site": ("Pune", "Berlin", "Oslo"), "role": ("senior", "junior")}

Days = tuple[date, date | None]
Value = TypeVar("Value")


def add_organisation(world: World, seed: int, days: Sequence[date]) -> None:
    """Store the tree `squads` and what holds of people, tell the World, and rebuild placements.

    What the World is told is found day by day: who is a member of what, and what stands above it.
    """
    rng = random.Random(seed)
    people = list(Person.objects.order_by("pk").values_list("pk", flat=True))
    units = _units()
    places = _places(units, rng, days)
    members = {person: _date_ranges(rng, days, [*PARENTS, None]) for person in people}
    for person, date_ranges in members.items():
        for name, (start, end) in date_ranges:
            if name is not None:
                tree_id, unit_id = units[name].tree_id, units[name].pk
                Membership.objects.create(
                    tree_id=tree_id, person_id=person, unit_id=unit_id, during=DateRange(start, end)
                )
    _attributes(world, people, rng, days)
    world.units[TREE] = list(PARENTS)
    world.placements += _placements(world, members, places, days)
    rebuild_placements(tree_ids=[units[TREE].tree_id])


def move_somebody(world: World, seed: int, days: Sequence[date]) -> None:
    """Half of the people are members elsewhere from some days on, and a unit has another place; all at once."""
    rng = random.Random(seed)
    tree = OrgTree.objects.get(slug=TREE)
    units = list(Unit.objects.filter(tree=tree).exclude(slug=TREE))
    for person in Person.objects.order_by("pk")[::2]:
        Membership.objects.filter(tree=tree, person=person).delete()
        start = rng.choice(days)
        Membership.objects.create(tree=tree, person=person, unit=rng.choice(units), during=DateRange(start, None))
    UnitPlace.objects.filter(unit__slug="b1").update(parent=Unit.objects.get(slug="a1"))
    rebuild_placements(tree_ids=[tree.pk])


def _units() -> dict[str, Unit]:
    tree = OrgTree.objects.create(name="Squads", slug=TREE, kind=TreeKind.HAND_BUILT)
    return {name: Unit.objects.create(tree=tree, name=name.upper(), slug=name) for name in PARENTS}


def _places(
    units: dict[str, Unit], rng: random.Random, days: Sequence[date]
) -> dict[str, list[tuple[str | None, Days]]]:
    """Each unit's parents with their days; a2 moves to b with whoever is in it, b1 is closed with b2 below it."""
    moved, closed = rng.choice(days), rng.choice(days)
    ever = _long_before(days)
    places: dict[str, list[tuple[str | None, Days]]] = {
        name: [(parent, (ever, None))] for name, parent in PARENTS.items()
    }
    places["a2"] = [("a", (ever, moved)), ("b", (moved, None))]
    places["b1"] = [("b", (ever, closed))]
    for name, parents in places.items():
        for parent, (start, end) in parents:
            UnitPlace.objects.create(
                unit=units[name], parent=units[parent] if parent else None, during=DateRange(start, end)
            )
    return places


def _date_ranges(rng: random.Random, days: Sequence[date], values: Sequence[Value]) -> list[tuple[Value, Days]]:
    """One to three values, one after the other from long ago on."""
    borders = sorted(rng.sample(list(days), rng.choice([0, 1, 2])))
    starts, ends = [_long_before(days), *borders], [*borders, None]
    return [(rng.choice(values), (start, end)) for start, end in zip(starts, ends, strict=True)]


def _attributes(world: World, people: Sequence[int], rng: random.Random, days: Sequence[date]) -> None:
    for slug, values in VALUES.items():
        attribute = Attribute.objects.get_or_create(slug=slug, defaults={"name": slug.title()})[0]
        for person in people:
            for value, (start, end) in _date_ranges(rng, days, [*values, None]):
                if value is not None:
                    PersonAttribute.objects.create(
                        person_id=person, attribute=attribute, value=value, during=DateRange(start, end)
                    )
                    world.attributes.append((person, slug, value, start, end))


def _placements(
    world: World,
    members: dict[int, list[tuple[str | None, Days]]],
    places: dict[str, list[tuple[str | None, Days]]],
    days: Sequence[date],
) -> list[tuple[int, str, date, date | None]]:
    memberships: list[tuple[int, str, date, date | None]] = []
    for person, date_ranges in members.items():
        for day in days:
            if person in world.left and day >= world.left[person]:
                continue
            unit = _on(date_ranges, day)
            path: list[str] = []
            while unit is not None and any(_covers(of_days, day) for _, of_days in places[unit]):
                path.append(unit)
                unit = _on(places[unit], day)
            memberships += [(person, name, day, day + timedelta(days=1)) for name in path]
    return memberships


def _on(date_ranges: Sequence[tuple[Value, Days]], day: date) -> Value | None:
    return next((value for value, of_days in date_ranges if _covers(of_days, day)), None)


def _covers(days: Days, day: date) -> bool:
    start, end = days
    return start <= day and (end is None or day < end)


def _long_before(days: Sequence[date]) -> date:
    return days[0] - timedelta(days=400)

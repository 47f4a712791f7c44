"""Stores a derived tree: matches derived units with stored ones and writes only the difference;
finds free slugs for new units and trees.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from django.utils.text import slugify

from core import sql
from core.locks import Lock
from orgtree.models import Membership, OrgTree, Unit, UnitPlace
from orgtree.trees.derivation.structure import FOR_EVER, SINCE_EVER, DateRange, DerivedUnit, Structure

SLUGS = Lock("slugs")
LONGEST = 80
ROOM_FOR_A_NUMBER = 6


def free_slugs(model: type[OrgTree] | type[Unit], names: Sequence[str]) -> list[str]:
    """An unused slug for each name: platform, then platform-2.

    Takes a lock until the caller's transaction ends, so that nobody else can choose slugs meanwhile.
    """
    if not names:
        return []
    # slugify drops non-Latin scripts entirely; such units become unit, unit-2, …
    bases = [slugify(name)[: LONGEST - ROOM_FOR_A_NUMBER].strip("-_") or "unit" for name in names]
    SLUGS.hold()
    used = set(model.objects.values_list("slug", flat=True))
    numbers: dict[str, int] = {}
    slugs = []
    for base in bases:
        number = numbers.get(base, 1)
        while (slug := base if number == 1 else f"{base}-{number}") in used:
            number += 1
        numbers[base] = number + 1
        used.add(slug)
        slugs.append(slug)
    return slugs


@dataclass(frozen=True)
class MemberMove:
    """A person moved to another unit of a tree from that day on (None: for all time); by name, empty: no unit."""

    person_id: int
    tree: str
    from_unit: str
    to_unit: str
    on: date | None


@dataclass(frozen=True)
class UnitMove:
    """The latest parent of a unit changed; by name, empty: no parent."""

    tree: str
    unit: str
    from_parent: str
    to_parent: str


@dataclass(frozen=True)
class TreeMove:
    """The changes in one tree; units by name."""

    new_units: tuple[str, ...] = ()
    moved_units: tuple[UnitMove, ...] = ()
    ended_units: tuple[str, ...] = ()
    people: tuple[MemberMove, ...] = ()


@dataclass(frozen=True)
class Naming:
    """The naming rules of a kind of tree."""

    of: Callable[[DerivedUnit], str]
    slug_from: Callable[[DerivedUnit], str]
    likeness_of: Callable[[str], str]  # from a stored unit's key
    leads: bool  # whether the derivation knows the leaders


@dataclass(frozen=True)
class Stored:
    """The result of storing a structure."""

    moves: TreeMove | None  # None: no visible change
    person_ids: frozenset[int] | None  # people whose placements to rebuild; None: everybody in the tree


def store_structure(tree: OrgTree, structure: Structure, naming: Naming) -> Stored:
    """Replace the tree's units, places and memberships with those of the structure.

    Requires a transaction that holds the tree's lock.  Units missing from the structure stay, without a place.
    """
    stored = list(Unit.objects.filter(tree=tree))
    matched = _match(structure.units, stored, naming.likeness_of)
    _update_names(structure.units, matched, naming)
    created = _create(tree, [unit for unit in structure.units if unit.number not in matched], naming)
    unit_ids = {number: unit.pk for number, unit in (matched | created).items()}
    names = {unit.pk: unit.name for unit in [*stored, *created.values()]}

    wanted_places = {
        (unit_ids[place.number], None if place.parent is None else unit_ids[place.parent], place.during)
        for place in structure.places
    }
    stored_places = {
        (unit_id, parent_id, date_range_of(start, end)): pk
        for pk, unit_id, parent_id, start, end in UnitPlace.objects.filter(unit__tree=tree).values_list(
            "pk", "unit_id", "parent_id", "during__startswith", "during__endswith"
        )
    }
    wanted_members = {(one.person_id, unit_ids[one.number], one.during) for one in structure.members}
    stored_members = {
        (person_id, unit_id, date_range_of(start, end)): pk
        for pk, person_id, unit_id, start, end in Membership.objects.filter(tree=tree).values_list(
            "pk", "person_id", "unit_id", "during__startswith", "during__endswith"
        )
    }
    places_gone, places_new = stored_places.keys() - wanted_places, wanted_places - stored_places.keys()
    members_gone, members_new = stored_members.keys() - wanted_members, wanted_members - stored_members.keys()
    if not (places_gone or places_new or members_gone or members_new):
        return Stored(None, frozenset())
    UnitPlace.objects.filter(pk__in=[stored_places[row] for row in places_gone]).delete()
    Membership.objects.filter(pk__in=[stored_members[row] for row in members_gone]).delete()
    insert_places(places_new)
    insert_members(tree, members_new)
    moved = _unit_moves(tree.name, stored_places, wanted_places, names)
    people = _member_moves(tree.name, members_gone, members_new, names)
    everybody = bool(places_gone or places_new)
    return Stored(
        TreeMove(*moved, people),
        None if everybody else frozenset(person for person, _, _ in members_gone | members_new),
    )


def date_range_of(start: date | None, end: date | None) -> DateRange:
    """The range from stored bounds; null is an open end."""
    return DateRange(start or SINCE_EVER, end or FOR_EVER)


def bounds_of(during: DateRange) -> tuple[date | None, date | None]:
    """Stored bounds: null for an open end."""
    return (
        None if during.start == SINCE_EVER else during.start,
        None if during.end == FOR_EVER else during.end,
    )


def insert_places(rows: Iterable[tuple[int, int | None, DateRange]]) -> None:
    """Add places: (unit, parent, days)."""
    columns = [(unit, parent, *bounds_of(during)) for unit, parent, during in rows]
    sql.execute(
        """
        INSERT INTO orgtree_unitplace (unit_id, parent_id, during)
        SELECT unit_id, parent_id, daterange(day_from, day_to)
        FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::date[])
            AS row (unit_id, parent_id, day_from, day_to)
        """,
        _transposed(columns, width=4),
    )


def insert_members(tree: OrgTree, rows: Iterable[tuple[int, int, DateRange]]) -> None:
    """Add memberships: (person, unit, days)."""
    columns = [(person, unit, *bounds_of(during)) for person, unit, during in rows]
    sql.execute(
        """
        INSERT INTO orgtree_membership (tree_id, person_id, unit_id, during)
        SELECT %s, person_id, unit_id, daterange(day_from, day_to)
        FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::date[])
            AS row (person_id, unit_id, day_from, day_to)
        """,
        [tree.pk, *_transposed(columns, width=4)],
    )


def _match(
    derived: Sequence[DerivedUnit], stored: Sequence[Unit], likeness_of: Callable[[str], str]
) -> dict[int, Unit]:
    """Stored units by number of the derived unit: matched by key, then by another key, then by likeness."""
    by_key = {unit.key: unit for unit in stored}
    matched: dict[int, Unit] = {}
    for unit in derived:
        if (own := by_key.pop(unit.keys[0], None)) is not None:
            matched[unit.number] = own
    for unit in derived:
        if unit.number not in matched:
            key = next((key for key in unit.keys if key in by_key), None)
            if key is not None:
                matched[unit.number] = by_key.pop(key)
    left_over: dict[str, list[Unit]] = defaultdict(list)
    for key, own in by_key.items():
        left_over[likeness_of(key)].append(own)
    waiting = Counter(unit.likeness for unit in derived if unit.number not in matched)
    for unit in derived:
        alike = left_over[unit.likeness] if unit.likeness else []
        if unit.number not in matched and waiting[unit.likeness] == 1 == len(alike):
            matched[unit.number] = alike[0]
    return matched


def _update_names(derived: Iterable[DerivedUnit], matched: Mapping[int, Unit], naming: Naming) -> None:
    changed = []
    for unit in derived:
        own = matched.get(unit.number)
        if own is None:
            continue
        name = own.name if own.own_name else naming.of(unit)
        leader_id = unit.leader_id if naming.leads else own.leader_id
        if (own.name, own.leader_id, own.key) != (name, leader_id, unit.keys[0]):
            own.name, own.leader_id, own.key = name, leader_id, unit.keys[0]
            changed.append(own)
    Unit.objects.bulk_update(changed, ["name", "leader_id", "key"], batch_size=1000)


def _create(tree: OrgTree, derived: Sequence[DerivedUnit], naming: Naming) -> dict[int, Unit]:
    slugs = free_slugs(Unit, [naming.slug_from(unit) for unit in derived])
    units = [
        Unit(tree=tree, name=naming.of(unit), slug=slug, key=unit.keys[0], leader_id=unit.leader_id)
        for unit, slug in zip(derived, slugs, strict=True)
    ]
    Unit.objects.bulk_create(units, batch_size=1000)
    return {one.number: unit for one, unit in zip(derived, units, strict=True)}


def _unit_moves(
    tree: str,
    before: Collection[tuple[int, int | None, DateRange]],
    after: Collection[tuple[int, int | None, DateRange]],
    names: Mapping[int, str],
) -> tuple[tuple[str, ...], tuple[UnitMove, ...], tuple[str, ...]]:
    """New units, units whose latest parent changed, and units that ended."""
    first, last = _last_places(before), _last_places(after)
    new = [unit for unit in last if unit not in first]
    ended = [
        unit
        for unit, (_, during) in first.items()
        if during.end == FOR_EVER and (unit not in last or last[unit][1].end < FOR_EVER)
    ]
    gone = set(ended)
    moved = [
        UnitMove(tree, names[unit], _name(first[unit][0], names), _name(parent, names))
        for unit, (parent, _) in last.items()
        if unit in first and unit not in gone and parent != first[unit][0]
    ]
    return _sorted_names(new, names), tuple(sorted(moved, key=lambda move: move.unit)), _sorted_names(ended, names)


def _name(unit_id: int | None, names: Mapping[int, str]) -> str:
    return "" if unit_id is None else names[unit_id]


def _last_places(places: Iterable[tuple[int, int | None, DateRange]]) -> dict[int, tuple[int | None, DateRange]]:
    return {unit: (parent, during) for unit, parent, during in sorted(places, key=lambda place: place[2].start)}


def _sorted_names(unit_ids: Iterable[int], names: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(sorted(names[unit] for unit in unit_ids))


def _member_moves(
    tree: str,
    gone: Collection[tuple[int, int, DateRange]],
    new: Collection[tuple[int, int, DateRange]],
    names: Mapping[int, str],
) -> tuple[MemberMove, ...]:
    """Changes of people's units, by day."""
    before: dict[int, list[tuple[int, DateRange]]] = defaultdict(list)
    after: dict[int, list[tuple[int, DateRange]]] = defaultdict(list)
    for rows, by_person in ((gone, before), (new, after)):
        for person, unit, during in rows:
            by_person[person].append((unit, during))
    moves = []
    for person in before.keys() | after.keys():
        if not before[person] and len(after[person]) == 1:  # the common case when a tree is first filled
            ((own, during),) = after[person]
            moves.append(MemberMove(person, tree, "", names[own], bounds_of(during)[0]))
            continue
        rows_of_person = before[person] + after[person]
        days = sorted({during.start for _, during in rows_of_person} | {during.end for _, during in rows_of_person})
        previous: tuple[int | None, int | None] | None = None
        for day in days:
            pair = (_unit_on(day, before[person]), _unit_on(day, after[person]))
            if pair[0] != pair[1] and pair != previous:
                left, joined = (_name(unit, names) for unit in pair)
                moves.append(MemberMove(person, tree, left, joined, None if day == SINCE_EVER else day))
            previous = pair
    return tuple(sorted(moves, key=lambda move: (move.on or SINCE_EVER, move.person_id)))


def _unit_on(day: date, rows: Iterable[tuple[int, DateRange]]) -> int | None:
    return next((unit for unit, during in rows if during.holds(day)), None)


Row = TypeVar("Row", bound=tuple[object, ...])


def _transposed(rows: Sequence[Row], *, width: int) -> list[list[object]]:
    """Rows transposed to columns, for `unnest`."""
    return [[row[column] for row in rows] for column in range(width)]

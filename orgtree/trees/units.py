"""Changing trees by hand: units are added, named, moved and removed, and people are moved, from a day on.

`on` is the first day on which the change holds, at 00:00 in the installation's time zone; None: since ever.  What was
planned for later days gives way to it.  Every change locks the tree, so that two at a time cannot make a circle, and
rebuilds the placements that follow from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

from django.db import connection, transaction

from orgtree.models import Membership, OrgTree, Person, TreeKind, Unit, UnitPlace
from orgtree.trees.derivation.dated import Dated, cut, held_from, joined, through
from orgtree.trees.derivation.structure import FOR_EVER, SINCE_EVER, Stretch
from orgtree.trees.placements import Rebuilt, rebuild_placements
from orgtree.trees.refusals import (
    ArchivedRefusal,
    CircleRefusal,
    FollowsPeopleRefusal,
    LeaderRefusal,
    NameRefusal,
    NotStandingRefusal,
    OtherTreeRefusal,
    RootRefusal,
)
from orgtree.trees.slugs import free_slugs
from orgtree.trees.structures import bounds_of, insert_members, insert_places, stretch_of
from orgtree.trees.unit_placements import rebuild_unit_placements

LONGEST_NAME = 200


def add_unit(parent: Unit, name: str, *, on: date | None = None) -> Unit:
    """A new unit below `parent` in a hand-built tree."""
    name = checked_name(name)
    with transaction.atomic():
        tree = _tree_to_edit(parent)
        _check_standing(parent, on)
        (slug,) = free_slugs(Unit, [name])
        unit = Unit.objects.create(tree=tree, name=name, slug=slug)
        insert_places([(unit.pk, parent.pk, Stretch(on or SINCE_EVER, FOR_EVER))])
        rebuild_unit_placements([tree.pk])
    return unit


def rename_unit(unit: Unit, name: str) -> None:
    """Call a unit of any tree otherwise; its slug stays, and so does the name when its manager or value changes."""
    unit.name, unit.own_name = checked_name(name), True
    unit.save(update_fields=["name", "own_name"])


def set_leader(unit: Unit, leader: Person | None) -> None:
    """Say who manages the unit, in trees that do not know it from reporting lines."""
    if unit.tree.kind == TreeKind.MANAGERS:
        raise LeaderRefusal(unit.tree)
    unit.leader = leader
    unit.save(update_fields=["leader"])


def move_unit(unit: Unit, parent: Unit, on: date | None = None) -> Rebuilt:
    """Move a unit, with everything below it, under another one."""
    with transaction.atomic():
        tree = _tree_to_edit(unit)
        if parent.tree_id != tree.pk:
            raise OtherTreeRefusal(parent, tree)
        _check_not_root(unit)
        _check_standing(parent, on)
        if closes_circle(unit, parent, Stretch(on or SINCE_EVER, FOR_EVER)):
            raise CircleRefusal(unit, parent)
        places = _places(tree)
        _store_places({unit.pk: held_from(places[unit.pk], parent.pk, on or SINCE_EVER)}, places)
        return rebuild_placements(tree_ids=[tree.pk])


def remove_unit(unit: Unit, on: date | None = None) -> Rebuilt:
    """Take a unit out of its tree; what is below it, and its people, go to the unit above it.  Its past stays."""
    with transaction.atomic():
        tree = _tree_to_edit(unit)
        _check_not_root(unit)
        first_day = on or SINCE_EVER
        places = _places(tree)
        above = through(places[unit.pk], Stretch(first_day, FOR_EVER))
        changed = {unit.pk: cut(places[unit.pk], first_day)}
        for child, rows in places.items():
            if any(parent == unit.pk and days.end > first_day for parent, days in rows):
                changed[child] = _handed_up(rows, unit.pk, above, first_day)
        _store_places(changed, places)
        members = _memberships(tree, unit=unit)
        moved: dict[int, list[Dated[int]]] = {}
        for person, memberships in members.items():
            if any(own == unit.pk and days.end > first_day for own, days in memberships):
                handed_up = _handed_up(memberships, unit.pk, above, first_day)
                moved[person] = [(own, days) for own, days in handed_up if own is not None]
        _store_memberships(tree, moved, members)
        return rebuild_placements(tree_ids=[tree.pk])


def move_person(person: Person, unit: Unit, on: date | None = None) -> Rebuilt:
    """Make a person a member of a unit of a hand-built tree."""
    return move_people([person.pk], unit, on)


def move_people(person_ids: Collection[int], unit: Unit, on: date | None = None) -> Rebuilt:
    """Make these people members of a unit of a hand-built tree."""
    with transaction.atomic():
        tree = _tree_to_edit(unit)
        _check_standing(unit, on)
        stored = _memberships(tree, person_ids=person_ids)
        _store_memberships(
            tree, {person: held_from(stored[person], unit.pk, on or SINCE_EVER) for person in person_ids}, stored
        )
        return rebuild_placements(person_ids=person_ids, tree_ids=[tree.pk])


def take_out(person_ids: Collection[int], tree: OrgTree, on: date | None = None) -> Rebuilt:
    """Make these people members of no unit of a hand-built tree."""
    with transaction.atomic():
        tree = _locked(tree.pk)
        stored = _memberships(tree, person_ids=person_ids)
        _store_memberships(tree, {person: cut(stored[person], on or SINCE_EVER) for person in person_ids}, stored)
        return rebuild_placements(person_ids=person_ids, tree_ids=[tree.pk])


@contextmanager
def editing_rows(unit: Unit) -> Iterator[None]:
    """The block changes dated rows of a unit of a hand-built tree as they are stored; placements follow.

    Whoever uses it has made sure of `closes_circle`, and that the parents are of the same tree.
    """
    with transaction.atomic():
        tree = _tree_to_edit(unit)
        yield
        rebuild_placements(tree_ids=[tree.pk])


def closes_circle(unit: Unit, parent: Unit, during: Stretch) -> bool:
    """Whether on any of the days `parent` is the unit, or stands below it, as places are stored."""
    start, end = bounds_of(during)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE way AS (
                SELECT %(parent)s::bigint AS unit_id, daterange(%(start)s::date, %(end)s::date) AS during
                UNION
                SELECT place.parent_id, place.during * way.during
                FROM way JOIN orgtree_unitplace place
                  ON place.unit_id = way.unit_id AND place.during && way.during
                WHERE way.unit_id <> %(unit)s
            )
            SELECT EXISTS (SELECT FROM way WHERE unit_id = %(unit)s)
            """,
            {"unit": unit.pk, "parent": parent.pk, "start": start, "end": end},
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def checked_name(name: str) -> str:
    """The name without spaces around it.  Raises NameRefusal."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise NameRefusal(LONGEST_NAME)
    return name


def _tree_to_edit(unit: Unit) -> OrgTree:
    return _locked(unit.tree_id)


def _locked(tree_id: int) -> OrgTree:
    """The tree, held until the transaction ends.  Refuses one that follows people or is archived."""
    tree = OrgTree.objects.select_for_update(no_key=True).get(pk=tree_id)
    if tree.archived_at is not None:
        raise ArchivedRefusal(tree)
    if tree.kind != TreeKind.HAND_BUILT:
        raise FollowsPeopleRefusal(tree)
    return tree


def _check_not_root(unit: Unit) -> None:
    if UnitPlace.objects.filter(unit=unit, parent=None).exists():
        raise RootRefusal(unit)


def _check_standing(unit: Unit, on: date | None) -> None:
    """Refuse a unit that is not in the tree from that day on for ever."""
    rows = [
        (True, stretch_of(start, end))
        for start, end in UnitPlace.objects.filter(unit=unit).values_list("during__startswith", "during__endswith")
    ]
    wanted = Stretch(on or SINCE_EVER, FOR_EVER)
    if [days for _, days in joined(through(rows, wanted))] != [wanted]:
        raise NotStandingRefusal(unit, on)


def _handed_up(
    rows: Sequence[Dated[int] | Dated[int | None]],
    unit_id: int,
    above: Sequence[Dated[int | None]],
    first_day: date,
) -> list[Dated[int | None]]:
    """The rows with what stands above the unit, in its stead, from that day on."""
    found: list[Dated[int | None]] = []
    for value, days in rows:
        if value != unit_id:
            found.append((value, days))
            continue
        found += through([(value, days)], Stretch(SINCE_EVER, first_day)) if first_day > SINCE_EVER else []
        found += through(above, days)
    return joined(found)


Places = Mapping[int, list[Dated[int | None]]]
Memberships = Mapping[int, list[Dated[int]]]


def _places(tree: OrgTree) -> Places:
    """By unit: its parents."""
    found: dict[int, list[Dated[int | None]]] = defaultdict(list)
    for unit_id, parent_id, start, end in UnitPlace.objects.filter(unit__tree=tree).values_list(
        "unit_id", "parent_id", "during__startswith", "during__endswith"
    ):
        found[unit_id].append((parent_id, stretch_of(start, end)))
    return found


def _memberships(tree: OrgTree, *, person_ids: Collection[int] | None = None, unit: Unit | None = None) -> Memberships:
    """By person: their units in the tree; of these people, or of whoever is ever in the unit."""
    rows = Membership.objects.filter(tree=tree)
    rows = (
        rows.filter(person__in=person_ids)
        if person_ids is not None
        else rows.filter(person__in=Membership.objects.filter(tree=tree, unit=unit).values("person"))
    )
    found: dict[int, list[Dated[int]]] = defaultdict(list)
    for person_id, unit_id, start, end in rows.values_list(
        "person_id", "unit_id", "during__startswith", "during__endswith"
    ):
        found[person_id].append((unit_id, stretch_of(start, end)))
    return found


def _store_places(changed: Places, stored: Places) -> None:
    units = [unit for unit, rows in changed.items() if rows != joined(stored[unit])]
    UnitPlace.objects.filter(unit__in=units).delete()
    insert_places((unit, parent, days) for unit in units for parent, days in changed[unit])


def _store_memberships(tree: OrgTree, changed: Memberships, stored: Memberships) -> None:
    people = [person for person, rows in changed.items() if rows != joined(stored[person])]
    Membership.objects.filter(tree=tree, person__in=people).delete()
    insert_members(tree, ((person, unit, days) for person in people for unit, days in changed[person]))

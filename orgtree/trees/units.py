"""Edits of hand-built trees: add, rename, move and remove units, and move people, from a day on.

`on` is the effective date, from 00:00 in the installation's time zone; None: for all time.  Changes planned for later
days are dropped.  Every edit locks the tree, so that concurrent edits cannot create a cycle, and rebuilds the
placements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date

from django.db import transaction

from core import sql
from orgtree.models import Membership, OrgTree, Person, TreeKind, Unit, UnitPlace
from orgtree.trees.derivation.dated import Dated, cut, joined, through, with_value_from
from orgtree.trees.derivation.structure import FOR_EVER, SINCE_EVER, DateRange
from orgtree.trees.placements import Rebuilt, rebuild_placements
from orgtree.trees.structures import bounds_of, date_range_of, free_slugs, insert_members, insert_places
from orgtree.trees.unit_placements import rebuild_unit_placements

LONGEST_NAME = 200


class TreeRefusedError(Exception):
    """The tree does not allow the change; the message is a sentence for the user: why, and what to do."""


def add_unit(parent: Unit, name: str, *, on: date | None = None) -> Unit:
    """A new unit below `parent` in a hand-built tree."""
    name = checked_name(name)
    with transaction.atomic():
        tree = _tree_to_edit(parent)
        _check_in_tree(parent, on)
        (slug,) = free_slugs(Unit, [name])
        unit = Unit.objects.create(tree=tree, name=name, slug=slug)
        insert_places([(unit.pk, parent.pk, DateRange(on or SINCE_EVER, FOR_EVER))])
        rebuild_unit_placements([tree.pk])
    return unit


def rename_unit(unit: Unit, name: str) -> None:
    """Rename a unit of any tree.  Its slug stays, and the name no longer follows its manager or value."""
    unit.name, unit.own_name = checked_name(name), True
    unit.save(update_fields=["name", "own_name"])


def set_leader(unit: Unit, leader: Person | None) -> None:
    """Set the unit's leader; not in trees by manager, where reporting lines decide."""
    if unit.tree.kind == TreeKind.MANAGERS:
        raise TreeRefusedError(f"Who leads a unit of {unit.tree.name} follows from the reporting lines.")
    unit.leader = leader
    unit.save(update_fields=["leader"])


def move_unit(unit: Unit, parent: Unit, on: date | None = None) -> Rebuilt:
    """Move a unit with its descendants below another unit."""
    with transaction.atomic():
        tree = _tree_to_edit(unit)
        if parent.tree_id != tree.pk:
            raise TreeRefusedError(f"{parent.name} is not a unit of {tree.name}.")
        _check_not_root(unit)
        _check_in_tree(parent, on)
        if creates_cycle(unit, parent, DateRange(on or SINCE_EVER, FOR_EVER)):
            where = "itself" if unit == parent else f"{parent.name}, which is below it"
            raise TreeRefusedError(f"{unit.name} cannot be below {where}.")
        places = _places(tree)
        _store_places({unit.pk: with_value_from(places[unit.pk], parent.pk, on or SINCE_EVER)}, places)
        return rebuild_placements(tree_ids=[tree.pk])


def remove_unit(unit: Unit, on: date | None = None) -> Rebuilt:
    """Remove a unit from its tree; its children and members move to its parent.  Its history stays."""
    with transaction.atomic():
        tree = _tree_to_edit(unit)
        _check_not_root(unit)
        first_day = on or SINCE_EVER
        places = _places(tree)
        above = through(places[unit.pk], DateRange(first_day, FOR_EVER))
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
        _check_in_tree(unit, on)
        stored = _memberships(tree, person_ids=person_ids)
        _store_memberships(
            tree, {person: with_value_from(stored[person], unit.pk, on or SINCE_EVER) for person in person_ids}, stored
        )
        return rebuild_placements(person_ids=person_ids, tree_ids=[tree.pk])


def take_out(person_ids: Collection[int], tree: OrgTree, on: date | None = None) -> Rebuilt:
    """Remove these people from all units of a hand-built tree."""
    with transaction.atomic():
        tree = _locked(tree.pk)
        stored = _memberships(tree, person_ids=person_ids)
        _store_memberships(tree, {person: cut(stored[person], on or SINCE_EVER) for person in person_ids}, stored)
        return rebuild_placements(person_ids=person_ids, tree_ids=[tree.pk])


@contextmanager
def editing_rows(unit: Unit) -> Iterator[None]:
    """Wrap a block that edits the stored dated rows of a unit of a hand-built tree; rebuilds placements.

    The caller has checked `creates_cycle` and that parents belong to the same tree.
    """
    with transaction.atomic():
        tree = _tree_to_edit(unit)
        yield
        rebuild_placements(tree_ids=[tree.pk])


def creates_cycle(unit: Unit, parent: Unit, during: DateRange) -> bool:
    """Whether on any of the days `parent` is the unit or a descendant of it."""
    start, end = bounds_of(during)
    is_below = sql.value(
        """
        WITH RECURSIVE path AS (
            SELECT %(parent)s::bigint AS unit_id, daterange(%(start)s::date, %(end)s::date) AS during
            UNION
            SELECT place.parent_id, place.during * path.during
            FROM path JOIN orgtree_unitplace place
              ON place.unit_id = path.unit_id AND place.during && path.during
            WHERE path.unit_id <> %(unit)s
        )
        SELECT EXISTS (SELECT FROM path WHERE unit_id = %(unit)s)
        """,
        {"unit": unit.pk, "parent": parent.pk, "start": start, "end": end},
    )
    return bool(is_below)


def checked_name(name: str) -> str:
    """The name with whitespace normalised.  Raises TreeRefusedError."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise TreeRefusedError(f"A name has 1 to {LONGEST_NAME} printable characters.")
    return name


def _tree_to_edit(unit: Unit) -> OrgTree:
    return _locked(unit.tree_id)


def _locked(tree_id: int) -> OrgTree:
    """The tree, locked until the transaction ends.  Refuses derived and archived trees."""
    tree = OrgTree.objects.select_for_update(no_key=True).get(pk=tree_id)
    if tree.archived_at is not None:
        raise TreeRefusedError(f"{tree.name} is archived. Restore it to change it.")
    if tree.kind != TreeKind.HAND_BUILT:
        source = "reporting lines" if tree.kind == TreeKind.MANAGERS else "attributes"
        raise TreeRefusedError(f"{tree.name} follows people’s {source}: change those, with an import or in admin.")
    return tree


def _check_not_root(unit: Unit) -> None:
    if UnitPlace.objects.filter(unit=unit, parent=None).exists():
        raise TreeRefusedError(f"{unit.name} is the root of its tree, so it cannot move.")


def _check_in_tree(unit: Unit, on: date | None) -> None:
    """Refuse a unit that is not in the tree from that day on."""
    rows = [
        (True, date_range_of(start, end))
        for start, end in UnitPlace.objects.filter(unit=unit).values_list("during__startswith", "during__endswith")
    ]
    required = DateRange(on or SINCE_EVER, FOR_EVER)
    if [days for _, days in joined(through(rows, required))] != [required]:
        since = f"from {on:%-d %B %Y} on" if on else "on every day"
        raise TreeRefusedError(f"{unit.name} is not in its tree {since}. Choose a later day, or another unit.")


def _handed_up(
    rows: Sequence[Dated[int] | Dated[int | None]],
    unit_id: int,
    above: Sequence[Dated[int | None]],
    first_day: date,
) -> list[Dated[int | None]]:
    """The rows with the unit replaced by its parent from that day on."""
    replaced: list[Dated[int | None]] = []
    for value, days in rows:
        if value != unit_id:
            replaced.append((value, days))
            continue
        replaced += through([(value, days)], DateRange(SINCE_EVER, first_day)) if first_day > SINCE_EVER else []
        replaced += through(above, days)
    return joined(replaced)


Places = Mapping[int, list[Dated[int | None]]]
Memberships = Mapping[int, list[Dated[int]]]


def _places(tree: OrgTree) -> Places:
    """Parents by unit."""
    parents: dict[int, list[Dated[int | None]]] = defaultdict(list)
    for unit_id, parent_id, start, end in UnitPlace.objects.filter(unit__tree=tree).values_list(
        "unit_id", "parent_id", "during__startswith", "during__endswith"
    ):
        parents[unit_id].append((parent_id, date_range_of(start, end)))
    return parents


def _memberships(tree: OrgTree, *, person_ids: Collection[int] | None = None, unit: Unit | None = None) -> Memberships:
    """Units by person: of these people, or of everybody who was ever in the unit."""
    rows = Membership.objects.filter(tree=tree)
    rows = (
        rows.filter(person__in=person_ids)
        if person_ids is not None
        else rows.filter(person__in=Membership.objects.filter(tree=tree, unit=unit).values("person"))
    )
    units: dict[int, list[Dated[int]]] = defaultdict(list)
    for person_id, unit_id, start, end in rows.values_list(
        "person_id", "unit_id", "during__startswith", "during__endswith"
    ):
        units[person_id].append((unit_id, date_range_of(start, end)))
    return units


def _store_places(changed: Places, stored: Places) -> None:
    units = [unit for unit, rows in changed.items() if rows != joined(stored[unit])]
    UnitPlace.objects.filter(unit__in=units).delete()
    insert_places((unit, parent, days) for unit in units for parent, days in changed[unit])


def _store_memberships(tree: OrgTree, changed: Memberships, stored: Memberships) -> None:
    people = [person for person, rows in changed.items() if rows != joined(stored[person])]
    Membership.objects.filter(tree=tree, person__in=people).delete()
    insert_members(tree, ((person, unit, days) for person in people for unit, days in changed[person]))

"""Stored unit placements agree with a brute-force climb on each day."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import date

import pytest

from orgtree.models import OrgTree, TreeKind, Unit, UnitPlace, UnitPlacement
from orgtree.trees.placements import rebuild_placements
from orgtree.trees.trees import create_tree, sync_trees
from orgtree.trees.units import TreeRefusedError, add_unit, move_unit, remove_unit
from tests.orgtree.trees.made_up import DAYS, made_up_organisation
from tests.orgtree.trees.stored import store_people, tree_of
from tests.seeds import seeds

pytestmark = pytest.mark.django_db
Standing = set[tuple[int, int, date]]  # (unit, ancestor, day)


@pytest.mark.parametrize("seed", seeds(0, soaked=40))
def test_units_stand_below_those_that_a_climb_finds(seed: int) -> None:
    rng = random.Random(seed)
    store_people(made_up_organisation(rng))
    for kind in (TreeKind.MANAGERS, TreeKind.ATTRIBUTES):
        tree_of(kind)
    for _ in range(3):
        sync_trees()
        assert stored() == climbed()
        rows = set(UnitPlacement.objects.values_list())
        rebuild_placements()
        assert set(UnitPlacement.objects.values_list()) == rows
        store_people(made_up_organisation(rng))


@pytest.mark.parametrize("seed", seeds(0))
def test_edits_by_hand_are_followed_where_nobody_is_a_member(seed: int) -> None:
    rng = random.Random(seed)
    tree = create_tree("By hand", TreeKind.HAND_BUILT)
    root = Unit.objects.get(tree=tree)
    units = [root]
    for number in range(6):
        units.append(add_unit(rng.choice(units), f"Unit {number}"))
    assert stored() == climbed()
    for _ in range(8):
        unit, parent = rng.choice(units[1:]), rng.choice(units)
        with suppress(TreeRefusedError):  # a circle, or a unit that is gone: nothing may change
            if rng.random() < 0.8:
                move_unit(unit, parent, rng.choice([None, *DAYS]))
            else:
                remove_unit(unit, rng.choice(DAYS))
        assert stored() == climbed()


def test_the_units_of_another_tree_are_let_be() -> None:
    one, other = create_tree("One", TreeKind.HAND_BUILT), create_tree("Other", TreeKind.HAND_BUILT)
    before = set(UnitPlacement.objects.filter(tree=other).values_list())
    add_unit(Unit.objects.get(tree=one), "New")
    assert set(UnitPlacement.objects.filter(tree=other).values_list()) == before
    assert UnitPlacement.objects.filter(tree=one).count() == 3


def test_a_deleted_unit_or_tree_takes_its_placements_along() -> None:
    tree = create_tree("One", TreeKind.HAND_BUILT)
    unit = add_unit(Unit.objects.get(tree=tree), "New")
    unit.delete()
    assert UnitPlacement.objects.count() == 1
    OrgTree.objects.all().delete()
    assert not UnitPlacement.objects.exists()


def climbed() -> Standing:
    """Unit by unit and day by day, from places alone."""
    places = list(UnitPlace.objects.all())
    placements: Standing = set()
    for day in DAYS:
        parent = {place.unit_id: place.parent_id for place in places if holds(place.during, day)}
        for unit in parent:
            above: int | None = unit
            while above in parent:
                placements.add((unit, above, day))
                above = parent[above]
    return placements


def stored() -> Standing:
    rows = [
        (row.unit_id, row.ancestor_id, day)
        for row in UnitPlacement.objects.all()
        for day in DAYS
        if holds(row.during, day)
    ]
    assert len(rows) == len(set(rows)), "a unit stands twice below another"
    return set(rows)


def holds(during: object, day: date) -> bool:
    start, end = during.lower, during.upper  # type: ignore[attr-defined]
    return (start is None or start <= day) and (end is None or day < end)

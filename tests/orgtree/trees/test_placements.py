"""Stored placements agree with a brute-force model of each day, and exactly the differences are announced."""

from __future__ import annotations

import random

import pytest

from orgtree.models import Membership, Person, Placement, TreeKind, Unit, UnitPlace
from orgtree.tasks import update_trees
from orgtree.trees.placements import Rebuilt, rebuild_placements, stray_placements
from orgtree.trees.trees import sync_trees
from orgtree.trees.units_as_of import units_as_of
from tests.orgtree.trees.made_up import DAYS, made_up_organisation
from tests.orgtree.trees.stored import (
    placements_by_hand,
    store_people,
    stored_placements,
    tree_of,
)
from tests.seeds import seeds

pytestmark = pytest.mark.django_db
SEEDS = seeds(0, soaked=40)


@pytest.mark.parametrize("seed", SEEDS)
def test_trees_and_placements_follow_whatever_happens(seed: int) -> None:
    rng = random.Random(seed)
    store_people(made_up_organisation(rng))
    for kind in (TreeKind.MANAGERS, TreeKind.ATTRIBUTES):
        tree_of(kind)
    for _ in range(3):
        sync_trees()
        rebuild_placements()
        for day in DAYS:
            assert stored_placements(day) == placements_by_hand(day), day
        assert_nothing_is_left_to_do()
        store_people(made_up_organisation(rng))


def assert_nothing_is_left_to_do() -> None:
    tables = (Unit, UnitPlace, Membership, Placement)
    stored = [set(table.objects.values_list()) for table in tables]
    assert sync_trees() == ()
    assert rebuild_placements() == Rebuilt()
    assert stored == [set(table.objects.values_list()) for table in tables]


def test_rows_that_went_astray_are_counted_and_mended_at_night() -> None:
    store_people(made_up_organisation(random.Random(0)))
    tree_of(TreeKind.MANAGERS)
    sync_trees()
    before = set(Placement.objects.values_list("tree", "person", "unit", "ancestor", "during"))
    Placement.objects.filter(pk=Placement.objects.earliest("pk").pk).update(person=10**9)
    assert stray_placements() == 1
    update_trees()
    assert stray_placements() == 0
    assert set(Placement.objects.values_list("tree", "person", "unit", "ancestor", "during")) == before


def test_whoever_is_deleted_takes_their_placements_along() -> None:
    store_people(made_up_organisation(random.Random(0)))
    tree = tree_of(TreeKind.MANAGERS)
    sync_trees()
    Person.objects.filter(pk=Placement.objects.earliest("pk").person_id).delete()
    Unit.objects.filter(pk=Placement.objects.earliest("pk").unit_id).delete()
    assert stray_placements() == 0
    tree.delete()
    assert not Placement.objects.exists()


@pytest.mark.parametrize("seed", seeds(0))
def test_a_unit_on_a_day_has_the_people_who_are_placed_below_it(seed: int) -> None:
    store_people(made_up_organisation(random.Random(seed)))
    trees = [tree_of(kind) for kind in (TreeKind.MANAGERS, TreeKind.ATTRIBUTES)]
    sync_trees()
    for day in DAYS:
        placed = Placement.objects.filter(during__contains=day)
        for unit in units_as_of(trees, on=day):
            assert unit.people == placed.filter(ancestor=unit.id).count()
            assert unit.members == placed.filter(ancestor=unit.id, unit=unit.id).count()

"""Stored placements are what a slow look at each day finds, and every difference is announced, and nothing else."""

from __future__ import annotations

import random

import pytest

from orgtree.models import Membership, Placement, PlacementChange, TreeKind, Unit, UnitPlace
from orgtree.services.placements import Rebuilt, rebuild_placements
from orgtree.services.trees import TreeMoves, follow_people
from tests.orgtree.trees.made_up import DAYS, made_up_organisation
from tests.orgtree.trees.stored import (
    announced_days,
    people_by_unit_and_day,
    placements_by_hand,
    store_people,
    stored_placements,
    tree_of,
)

pytestmark = pytest.mark.django_db
SEEDS = [*range(4), *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(4, 100))]


@pytest.mark.parametrize("seed", SEEDS)
def test_trees_and_placements_follow_whatever_happens(seed: int) -> None:
    rng = random.Random(seed)
    store_people(made_up_organisation(rng))
    for kind in (TreeKind.MANAGERS, TreeKind.ATTRIBUTES):
        tree_of(kind)
    for _ in range(3):
        before = people_by_unit_and_day()
        PlacementChange.objects.all().delete()
        follow_people()
        rebuild_placements()
        after = people_by_unit_and_day()
        for day in DAYS:
            assert stored_placements(day) == placements_by_hand(day), day
        differing = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        assert announced_days(PlacementChange.objects.all()) == differing
        assert_nothing_is_left_to_do()
        store_people(made_up_organisation(rng))


def assert_nothing_is_left_to_do() -> None:
    tables = (Unit, UnitPlace, Membership, Placement, PlacementChange)
    stored = [set(table.objects.values_list()) for table in tables]
    assert follow_people() == TreeMoves()
    assert rebuild_placements() == Rebuilt()
    assert stored == [set(table.objects.values_list()) for table in tables]

"""Concurrent changes of a tree are serialised."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from orgtree.models import TreeKind, Unit, UnitPlace
from orgtree.trees.trees import create_tree, lock_trees
from orgtree.trees.units import TreeRefusedError, add_unit, move_unit
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_moves_at_a_time_cannot_make_a_circle() -> None:
    create_tree("Engineering", TreeKind.HAND_BUILT)
    root = Unit.objects.get(slug="engineering")
    product, search = add_unit(root, "Product"), add_unit(root, "Search")
    outcomes: list[str] = []

    def move(unit: Unit, parent: Unit) -> None:
        try:
            move_unit(unit, parent)
            outcomes.append("moved")
        except TreeRefusedError:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=move, args=pair) for pair in ((product, search), (search, product))]
    with transaction.atomic():
        lock_trees()  # so that both wait at the same place
        for thread in threads:
            thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    assert sorted(outcomes) == ["moved", "refused"]
    assert UnitPlace.objects.filter(parent=root).count() == 1


def test_units_of_the_same_name_at_a_time_get_slugs_of_their_own() -> None:
    trees = [create_tree(name, TreeKind.HAND_BUILT) for name in ("Engineering", "Sites")]
    roots = [Unit.objects.get(tree=tree) for tree in trees]

    def add(root: Unit) -> None:
        try:
            add_unit(root, "Platform")
        finally:
            connection.close()

    threads = [threading.Thread(target=add, args=(root,)) for root in roots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    assert set(Unit.objects.filter(name="Platform").values_list("slug", flat=True)) == {"platform", "platform-2"}

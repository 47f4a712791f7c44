"""Hand-built trees: the effect of each edit on places and memberships, and refusals."""

from __future__ import annotations

from datetime import date

import pytest
from django.db.models import Q

from orgtree.models import Membership, OrgTree, Person, Placement, TreeKind, Unit, UnitPlace
from orgtree.trees.trees import archive_tree, create_tree, restore_tree
from orgtree.trees.units import (
    TreeRefusedError,
    add_unit,
    move_people,
    move_person,
    move_unit,
    remove_unit,
    rename_unit,
    take_out,
)

pytestmark = pytest.mark.django_db
MARCH, APRIL, MAY = date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)


@pytest.fixture
def tree() -> OrgTree:
    """Engineering, with Product and Platform, and in Platform the teams Search and Payments."""
    tree = create_tree("Engineering", TreeKind.HAND_BUILT)
    root = unit("engineering")
    add_unit(root, "Product")
    platform = add_unit(root, "Platform")
    add_unit(platform, "Search")
    add_unit(platform, "Payments")
    return tree


def test_a_tree_begins_with_its_root(tree: OrgTree) -> None:
    assert above("engineering", MARCH) == []
    assert above("search", MARCH) == ["platform", "engineering"]


def test_slugs_are_readable_and_unique_over_all_trees(tree: OrgTree) -> None:
    create_tree("Platform", TreeKind.HAND_BUILT)
    add_unit(unit("platform-2"), "Zahlungen & Café")
    add_unit(unit("platform-2"), "支付")
    assert set(Unit.objects.filter(tree__slug="platform").values_list("slug", flat=True)) == {
        "platform-2",
        "zahlungen-cafe",
        "unit",
    }


def test_a_renamed_unit_keeps_its_slug(tree: OrgTree) -> None:
    rename_unit(unit("search"), "  Find and  discover ")
    assert unit("search").name == "Find and discover"


def test_a_moved_unit_takes_its_people_along_from_that_day(tree: OrgTree) -> None:
    ada = person("Ada")
    move_person(ada, unit("search"))
    moved = move_unit(unit("search"), unit("product"), APRIL)
    assert moved.person_ids == {ada.pk}
    assert moved.unit_ids == {unit("platform").pk, unit("product").pk}
    assert counted_in(ada, MARCH) == {"search", "platform", "engineering"}
    assert counted_in(ada, APRIL) == {"search", "product", "engineering"}


def test_moving_a_unit_to_where_it_is_changes_nothing(tree: OrgTree) -> None:
    move_unit(unit("search"), unit("platform"), APRIL)
    assert UnitPlace.objects.filter(unit=unit("search")).count() == 1


def test_what_was_planned_for_later_gives_way(tree: OrgTree) -> None:
    move_unit(unit("search"), unit("product"), MAY)
    move_unit(unit("search"), unit("engineering"), APRIL)
    assert above("search", MAY) == ["engineering"]
    assert above("search", MARCH) == ["platform", "engineering"]


def test_a_moved_person_counts_in_one_unit_a_day(tree: OrgTree) -> None:
    ada = person("Ada")
    move_person(ada, unit("search"))
    move_person(ada, unit("payments"), APRIL)
    assert counted_in(ada, MARCH) == {"search", "platform", "engineering"}
    assert counted_in(ada, APRIL) == {"payments", "platform", "engineering"}


def test_who_is_taken_out_counts_in_no_unit(tree: OrgTree) -> None:
    ada, grace = person("Ada"), person("Grace")
    move_people([ada.pk, grace.pk], unit("search"))
    take_out([ada.pk], tree, APRIL)
    assert counted_in(ada, MARCH)
    assert not counted_in(ada, APRIL)
    assert counted_in(grace, APRIL)


def test_what_stood_below_a_removed_unit_goes_to_the_one_above(tree: OrgTree) -> None:
    ada, grace = person("Ada"), person("Grace")
    move_person(ada, unit("platform"))
    move_person(grace, unit("search"))
    remove_unit(unit("platform"), APRIL)
    assert counted_in(ada, MARCH) == {"platform", "engineering"}
    assert counted_in(ada, APRIL) == {"engineering"}
    assert counted_in(grace, APRIL) == {"search", "engineering"}
    assert above("search", MARCH) == ["platform", "engineering"]


def test_a_removed_unit_hands_up_to_wherever_it_would_have_moved(tree: OrgTree) -> None:
    move_unit(unit("platform"), unit("product"), MAY)
    remove_unit(unit("platform"), APRIL)
    assert above("search", APRIL) == ["engineering"]
    assert above("search", MAY) == ["product", "engineering"]


def test_circles_are_refused_on_any_day(tree: OrgTree) -> None:
    with pytest.raises(TreeRefusedError, match="Platform cannot be below Search, which is below it"):
        move_unit(unit("platform"), unit("search"), APRIL)
    move_unit(unit("product"), unit("search"), MAY)
    with pytest.raises(TreeRefusedError, match="cannot be below"):
        move_unit(unit("search"), unit("product"), APRIL)  # Product moves below Search later
    with pytest.raises(TreeRefusedError, match="cannot be below"):
        move_unit(unit("search"), unit("search"))
    assert above("search", MAY) == ["platform", "engineering"]


def test_the_root_stays(tree: OrgTree) -> None:
    with pytest.raises(TreeRefusedError, match="is the root of its tree"):
        remove_unit(unit("engineering"))
    with pytest.raises(TreeRefusedError, match="is the root of its tree"):
        move_unit(unit("engineering"), unit("search"))


def test_a_unit_must_stand_where_others_move_to(tree: OrgTree) -> None:
    add_unit(unit("engineering"), "Later", on=MAY)
    with pytest.raises(TreeRefusedError, match="from 1 April 2026 on"):
        move_person(person("Ada"), unit("later"), APRIL)
    remove_unit(unit("search"), MAY)
    with pytest.raises(TreeRefusedError, match="is not in its tree"):
        add_unit(unit("search"), "Below search", on=APRIL)


def test_trees_do_not_mix(tree: OrgTree) -> None:
    create_tree("Sites", TreeKind.HAND_BUILT)
    with pytest.raises(TreeRefusedError, match="is not a unit of Engineering"):
        move_unit(unit("search"), unit("sites"))


def test_names_are_one_line(tree: OrgTree) -> None:
    for name in ("", "   ", "x" * 201, "a\x00b"):
        with pytest.raises(TreeRefusedError, match="A name has 1 to 200"):
            add_unit(unit("engineering"), name)


def test_an_archived_tree_keeps_its_history_and_refuses_changes(tree: OrgTree) -> None:
    ada = person("Ada")
    move_person(ada, unit("search"))
    archive_tree(tree)
    with pytest.raises(TreeRefusedError, match="is archived"):
        move_person(ada, unit("payments"))
    assert counted_in(ada, MARCH) == {"search", "platform", "engineering"}
    restore_tree(tree)
    move_person(ada, unit("payments"))


def test_a_tree_that_follows_people_is_not_edited_by_hand() -> None:
    create_tree("Managers", TreeKind.MANAGERS)
    with pytest.raises(TreeRefusedError, match="reporting lines"):
        add_unit(unit("managers"), "Another")


def unit(slug: str) -> Unit:
    return Unit.objects.select_related("tree").get(slug=slug)


def person(name: str) -> Person:
    return Person.objects.create(full_name=name, email=f"{name.lower()}@example.com")


def above(slug: str, day: date) -> list[str]:
    """The units above on that day, the nearest first."""
    rows: list[str] = []
    place = UnitPlace.objects.select_related("parent").get(unit__slug=slug, during__contains=day)
    while place.parent is not None:
        rows.append(place.parent.slug)
        place = UnitPlace.objects.select_related("parent").get(unit=place.parent, during__contains=day)
    return rows


def counted_in(person: Person, day: date) -> set[str]:
    rows = Placement.objects.filter(Q(person=person), during__contains=day)
    assert Membership.objects.filter(person=person, during__contains=day).count() <= 1
    return set(rows.values_list("ancestor__slug", flat=True))

"""Org Trees and units in Django admin: correcting rows rebuilds placements."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from orgtree.models import OrgTree, Person, Placement, TreeKind, Unit
from orgtree.trees.trees import create_tree
from orgtree.trees.units import add_unit, move_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin", "admin@example.com"))
    return client


@pytest.fixture
def search() -> Unit:
    """Engineering with Search and Product, and Ada in Search since 2026."""
    create_tree("Engineering", TreeKind.HAND_BUILT)
    root = Unit.objects.get(slug="engineering")
    add_unit(root, "Product")
    search = add_unit(root, "Search")
    move_person(Person.objects.create(full_name="Ada", email="ada@example.com"), search)
    return search


def test_a_corrected_membership_is_followed_by_placements(admin: Client, search: Unit) -> None:
    answer = save(admin, search, member_from="2026-03-01")
    assert answer.status_code == 302, answer.context["errors"]
    (membership,) = search.memberships.all()
    assert membership.during.lower.isoformat() == "2026-03-01"
    assert set(Placement.objects.values_list("ancestor__slug", "during__startswith")) == {
        ("search", membership.during.lower),
        ("engineering", membership.during.lower),
    }


def test_a_corrected_place_is_followed_by_placements(admin: Client, search: Unit) -> None:
    assert save(admin, search, parent="product").status_code == 302
    assert set(Placement.objects.values_list("ancestor__slug", flat=True)) == {"search", "product", "engineering"}


def test_a_circle_and_a_second_membership_are_refused_in_words(admin: Client, search: Unit) -> None:
    save(admin, search, parent="product")
    product = Unit.objects.get(slug="product")
    answer = save(admin, product, parent="search")
    assert "Product cannot be below Search" in answer.content.decode()
    ada = Person.objects.get()
    answer = save(admin, product, parent="engineering", new_member=ada)
    assert "Ada is a member of Search on some of these days" in answer.content.decode()
    assert set(Placement.objects.values_list("ancestor__slug", flat=True)) == {"search", "product", "engineering"}


def test_a_rename_keeps_the_slug_and_lasts(admin: Client, search: Unit) -> None:
    save(admin, search, name="Find")
    search.refresh_from_db()
    assert (search.name, search.slug, search.own_name) == ("Find", "search", True)


def test_rows_of_a_tree_that_follows_people_are_only_read(admin: Client) -> None:
    create_tree("Managers", TreeKind.MANAGERS)
    page = admin.get(reverse("admin:orgtree_unit_change", args=[Unit.objects.get(slug="managers").pk]))
    assert "places-0-parent" not in page.content.decode()
    assert "memberships-0-person" not in page.content.decode()


def test_trees_are_archived_and_restored_by_actions_and_never_deleted(admin: Client, search: Unit) -> None:
    tree = OrgTree.objects.get()
    address = reverse("admin:orgtree_orgtree_changelist")
    admin.post(address, {"action": "archive", "_selected_action": [tree.pk]})
    assert OrgTree.objects.get().archived_at is not None
    admin.post(address, {"action": "restore", "_selected_action": [tree.pk]})
    assert OrgTree.objects.get().archived_at is None
    assert admin.post(reverse("admin:orgtree_orgtree_delete", args=[tree.pk])).status_code == 403
    assert admin.get(reverse("admin:orgtree_orgtree_add")).headers["Location"] == reverse("new_tree")


def save(
    admin: Client,
    unit: Unit,
    *,
    name: str = "",
    parent: str = "engineering",
    member_from: str = "",
    new_member: Person | None = None,
) -> Any:  # the answer, with the context that only the test client gives it
    """Post the unit's page with its rows as they are stored, but for what is given."""
    (place,) = unit.places.all()
    members = list(unit.memberships.all())
    posted: dict[str, str | int] = {
        "name": name or unit.name,
        "leader": "",
        "places-TOTAL_FORMS": 1,
        "places-INITIAL_FORMS": 1,
        "places-0-id": place.pk,
        "places-0-unit": unit.pk,
        "places-0-parent": Unit.objects.get(slug=parent).pk,
        "places-0-during_0": "",
        "places-0-during_1": "",
        "memberships-TOTAL_FORMS": len(members) + (new_member is not None),
        "memberships-INITIAL_FORMS": len(members),
    }
    for number, member in enumerate(members):
        posted |= {
            f"memberships-{number}-id": member.pk,
            f"memberships-{number}-unit": unit.pk,
            f"memberships-{number}-person": member.person_id,
            f"memberships-{number}-during_0": member_from,
            f"memberships-{number}-during_1": "",
        }
    if new_member is not None:
        posted |= {
            f"memberships-{len(members)}-unit": unit.pk,
            f"memberships-{len(members)}-person": new_member.pk,
            f"memberships-{len(members)}-during_0": "2026-05-01",
            f"memberships-{len(members)}-during_1": "",
        }
    return admin.post(reverse("admin:orgtree_unit_change", args=[unit.pk]), posted)

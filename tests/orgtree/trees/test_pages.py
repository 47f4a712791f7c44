"""The Org Tree pages: previews, refusals, and visibility."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from orgtree.models import Membership, Organisation, OrgTree, Person, TreeKind, Unit, UnitPlace
from orgtree.trees.trees import archive_tree, create_tree
from orgtree.trees.units import add_unit, move_person
from tests.org import Org
from tests.personas import MEMBER

pytestmark = pytest.mark.django_db
PEOPLE = (
    {"full_name": "Grace", "email": "grace@example.com", "manager_email": "", "site": "Oslo", "team": "Search"},
    {"full_name": "Ada", "email": "ada@example.com", "manager_email": "grace@example.com", "site": "Oslo", "team": ""},
    {"full_name": "Linus", "email": "linus@example.com", "manager_email": "grace@example.com", "site": "", "team": ""},
)


@pytest.fixture
def engineering(db: None) -> OrgTree:
    """Engineering with Search and Product; Ada is in Search."""
    tree = create_tree("Engineering", TreeKind.HAND_BUILT)
    root = Unit.objects.get(slug="engineering")
    add_unit(root, "Product")
    search = add_unit(root, "Search")
    move_person(Person.objects.create(full_name="Ada", email="ada@example.com"), search)
    return tree


def test_a_new_tree_is_shown_before_it_is_stored(admin: Client, org: Org) -> None:
    org.people(*PEOPLE)
    params = {"kind": "attributes", "name": "Sites", "level": ["site", "team"]}
    page = text_of(admin.get("/orgtree/trees/new/", {**params, "preview": "1"}))
    assert "3 units today with 2 people; 1 unassigned" in page
    assert not OrgTree.objects.exists()
    answer = admin.post("/orgtree/trees/new/", params)
    assert answer.headers["Location"] == "/orgtree/trees/sites/"
    assert set(Unit.objects.values_list("slug", flat=True)) == {"sites", "oslo", "search"}


def test_the_overview_counts_units_people_and_who_is_unassigned(admin: Client, org: Org) -> None:
    org.people(*PEOPLE)
    org.tree("Managers", "managers")
    org.tree("Sites", "attributes", levels=("site", "team"))
    org.tree("By hand")
    page = text_of(admin.get("/orgtree/"))
    assert "Managers 1 3 0 By manager" in page
    assert "Sites 3 2 1 By attributes Site → Team" in page
    assert "By hand 1 0 3 Hand-built" in page


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"kind": "attributes", "name": "Sites"}, "Choose at least one attribute"),
        ({"kind": "attributes", "name": "Sites", "level": ["site", "site"]}, "each only once"),
        ({"kind": "attributes", "name": "Sites", "level": ["shoe-size"]}, "Choose at least one attribute"),
        ({"kind": "hand_built", "name": " "}, "1 to 200 printable characters"),
        ({"kind": "hand_built", "name": "a\x1bb"}, "1 to 200 printable characters"),
    ],
)
def test_a_tree_that_cannot_be_is_refused_in_words(
    admin: Client, org: Org, params: dict[str, str | list[str]], why: str
) -> None:
    org.people(*PEOPLE)
    answer = admin.post("/orgtree/trees/new/", params)
    assert answer.status_code == 400
    assert why in text_of(answer)
    assert not OrgTree.objects.exists()


def test_a_move_of_a_unit_is_shown_before_it_is_stored(admin: Client, engineering: OrgTree) -> None:
    on = timezone.localdate() + timedelta(days=3)
    params = {"change": "move-unit", "unit": "search", "target": "product", "on": on.isoformat()}
    page = text_of(admin.get("/orgtree/trees/engineering/move/", params))
    assert f"What moves from {on.day} {on:%B %Y} on" in page
    assert "People 1: Ada" in page
    assert "Units whose figures change 1: Product" in page
    assert not UnitPlace.objects.filter(parent__slug="product").exists()
    assert admin.post("/orgtree/trees/engineering/move/", params).status_code == 302
    (place,) = UnitPlace.objects.filter(parent__slug="product")
    assert place.during.lower == on


def test_a_move_without_a_destination_offers_the_possible_ones(admin: Client, engineering: OrgTree) -> None:
    answer = admin.get("/orgtree/trees/engineering/move/", {"change": "move-unit", "unit": "search"})
    assert answer.status_code == 200
    assert re.findall(r'<option value="([^"]+)"', answer.content.decode()) == ["engineering", "product"]


def test_people_are_moved_and_taken_out(admin: Client, engineering: OrgTree) -> None:
    ada = Person.objects.get()
    params: dict[str, str | list[str]] = {
        "change": "move-people",
        "people": [str(ada.pk)],
        "target": "product",
        "on": timezone.localdate().isoformat(),
    }
    assert "Move Ada to Product" in text_of(admin.get("/orgtree/trees/engineering/move/", params))
    admin.post("/orgtree/trees/engineering/move/", params)
    assert Membership.objects.get(during__contains=timezone.localdate()).unit.slug == "product"
    admin.post(
        "/orgtree/trees/engineering/move/",
        {"change": "take-out", "people": [str(ada.pk)], "on": timezone.localdate().isoformat()},
    )
    assert not Membership.objects.filter(during__contains=timezone.localdate()).exists()
    assert "Ada" in text_of(admin.get("/orgtree/trees/engineering/?unassigned"))


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"change": "move-unit", "unit": "engineering", "target": "search"}, "root of its tree"),
        ({"change": "move-unit", "unit": "search", "target": "search"}, "cannot be below itself"),
        ({"change": "move-unit", "unit": "search", "target": "elsewhere"}, "no such unit in this tree"),
        ({"change": "move-people", "target": "search"}, "Choose whom to move"),
        ({"change": "move-people", "people": ["7777777"], "target": "search"}, "not one of the available choices"),
        ({"change": "move-people", "people": ["x"], "target": "search"}, "not a valid value"),
        ({"change": "move-unit", "unit": "search", "target": "product", "on": "soon"}, "as 2026-01-31"),
        ({"change": "explode"}, "not one of the available choices"),
    ],
)
def test_a_move_that_cannot_be_is_refused_in_words(
    admin: Client, engineering: OrgTree, params: dict[str, str | list[str]], why: str
) -> None:
    before = set(UnitPlace.objects.values_list())
    answer = admin.post("/orgtree/trees/engineering/move/", params)
    assert answer.status_code == 400
    assert why in text_of(answer)
    assert set(UnitPlace.objects.values_list()) == before


def test_units_are_added_renamed_and_given_a_leader(admin: Client, engineering: OrgTree) -> None:
    address = "/orgtree/trees/engineering/units/"
    admin.post(address, {"change": "add", "unit": "product", "name": "Growth"})
    admin.post(address, {"change": "rename", "unit": "growth", "name": "Grow"})
    admin.post(address, {"change": "leader", "unit": "growth", "leader": "ADA@example.com"})
    growth = Unit.objects.get(slug="growth")
    assert (growth.name, growth.leader) == ("Grow", Person.objects.get())
    refused = admin.post(address, {"change": "leader", "unit": "growth", "leader": "nobody@example.com"})
    assert refused.status_code == 400
    assert "Nobody has the e-mail address" in text_of(refused)
    assert admin.post(address, {"change": "add", "unit": "growth", "name": ""}).status_code == 400


def test_levels_are_changed_after_a_look_at_what_moves(admin: Client, org: Org) -> None:
    org.people(*PEOPLE)
    org.tree("Sites", "attributes", levels=("site", "team"))
    page = text_of(admin.get("/orgtree/trees/sites/levels/", {"level": ["team"], "preview": "1"}))
    assert "Ended units 1: Oslo" in page
    assert "Moved units 1: Search" in page
    admin.post("/orgtree/trees/sites/levels/", {"level": ["team"]})
    assert set(Unit.objects.filter(places__isnull=False).values_list("slug", flat=True)) == {"sites", "search"}


def test_a_tree_that_follows_people_offers_no_edits(admin: Client, org: Org) -> None:
    org.people(*PEOPLE)
    org.tree("Managers", "managers")
    page = admin.get("/orgtree/trees/managers/").content.decode()
    assert "Grace’s team" in page
    assert "move-unit" not in page
    refused = admin.post("/orgtree/trees/managers/units/", {"change": "add", "unit": "grace", "name": "More"})
    assert "follows people’s reporting lines" in text_of(refused)


def test_trees_are_renamed_archived_and_restored(admin: Client, engineering: OrgTree) -> None:
    address = "/orgtree/trees/engineering/state/"
    admin.post(address, {"change": "rename", "name": "Technology"})
    assert Unit.objects.get(slug="engineering").name == "Technology"
    admin.post(address, {"change": "archive"})
    assert "Archived" in text_of(admin.get("/orgtree/"))
    assert admin.get("/orgtree/trees/engineering/").status_code == 200
    admin.post(address, {"change": "restore"})
    assert OrgTree.objects.get().archived_at is None


def test_members_see_their_own_units_and_no_names(member: Client, engineering: OrgTree) -> None:
    Organisation.objects.update_or_create(pk=1, defaults={"protected_since": timezone.now()})
    page = member.get("/orgtree/trees/engineering/").content.decode()
    assert "Search" in page
    assert "Product" not in page
    assert f"{MEMBER.email}" not in page.split("<main", 1)[1]
    assert member.get("/orgtree/trees/engineering/?unit=product").status_code == 404
    assert member.post("/orgtree/trees/engineering/move/", {}).status_code == 404
    archive_tree(engineering)
    assert member.get("/orgtree/trees/engineering/").status_code == 404


def text_of(answer: object) -> str:
    """The text that a reader sees, without tags and with single spaces."""
    content = answer.content.decode()  # type: ignore[attr-defined]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", content.split("<main", 1)[1])).replace(" :", ":")

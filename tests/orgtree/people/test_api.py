"""People and units over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from orgtree.access.api_tokens import create_api_token
from orgtree.models import OrgTree, Person, TokenScope, TreeKind
from orgtree.trees.trees import create_tree
from tests.orgtree.people.files import load, managers, person, there, values
from tests.personas import ADMIN, MEMBER, Persona, create_user

PEOPLE, UNITS = "/api/v1/people/", "/api/v1/units/"
Send = Callable[..., Any]


@pytest.fixture
def send(db: None) -> Send:
    """`send("post", address, record)` with a token for people: status and document."""
    _, secret = create_api_token("hr", scope=TokenScope.PEOPLE, expires_at=None)
    return sender(secret)


def sender(secret: str) -> Send:
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    def send(method: str, address: str, body: Any = None) -> tuple[int, Any]:
        answer = getattr(client, method)(address, body, content_type="application/json")
        return answer.status_code, answer.json()

    return send


def statuses(document: Any) -> list[str]:
    return [result["status"] for result in document["results"]]


def test_people_are_created_updated_and_left_alone_in_order(send: Send) -> None:
    grace = {"email": "grace@example.com", "full_name": "Grace Hopper"}
    ada = {"email": "Ada@example.com", "manager_email": "grace@example.com", "team": "Payments"}
    status, document = send("post", PEOPLE, [ada, grace])
    assert (status, statuses(document)) == (200, ["created", "created"])
    assert document["results"][0]["id"] == str(person("ada").public_id)
    _, document = send("post", f"{PEOPLE}?effective=2026-03-02", [grace, {**ada, "team": "Search"}])
    assert statuses(document) == ["unchanged", "updated"]
    assert values("ada", "team") == [("Payments", "until 2026-03-02"), ("Search", "from 2026-03-02")]
    assert managers("ada") == [("grace", "always")]


def test_what_is_read_can_be_sent_back_and_changes_nothing(send: Send) -> None:
    load("email,full_name,team,cost_center,identities,start\nada@example.com,Ada,Payments,4711,github:ada,2024-01-01")
    _, document = send("get", f"{PEOPLE}ADA@example.com/")
    assert (document["team"], document["attributes"]) == ("Payments", {"cost_center": "4711"})
    assert (document["identities"], document["start"], document["end"]) == (["github:ada"], "2024-01-01", None)
    for method in ("put", "patch"):
        status, answer = send(method, f"{PEOPLE}{document['id']}/", document)
        assert (status, statuses(answer)) == (200, ["unchanged"])


def test_put_empties_what_is_not_named_and_patch_leaves_it(send: Send) -> None:
    load("email,full_name,team,site\nada@example.com,Ada,Payments,London", on="2026-01-01")
    send("patch", f"{PEOPLE}ada@example.com/?effective=2026-02-01", {"site": None})
    assert values("ada", "team") == [("Payments", "from 2026-01-01")]
    assert values("ada", "site") == [("London", "2026-01-01 – 2026-02-01")]
    send("put", f"{PEOPLE}ada@example.com/?effective=2026-03-01", {"site": "Pune"})
    assert values("ada", "team") == [("Payments", "2026-01-01 – 2026-03-01")]
    assert person("ada").full_name == "Ada"


def test_one_record_that_is_wrong_does_not_hold_the_others_up(send: Send) -> None:
    records: list[Any] = [
        {"email": "ada@example.com", "manager_email": "nobody@example.com"},
        {"email": "grace@example.com", "full_name": "Grace"},
        {"email": "alan", "start": "2026-02-01", "surname": "Turing"},
        {"email": "joan@example.com", "start": "2026-02-01", "end": "2026-01-01", "time_zone": "Mars/Base"},
        {"full_name": "Somebody"},
        "nonsense",
    ]
    status, document = send("post", PEOPLE, records)
    assert status == 200
    assert statuses(document) == ["rejected", "created", "rejected", "rejected", "rejected", "rejected"]
    fields = [sorted(result["errors"] or ()) for result in document["results"]]
    assert fields == [["manager_email"], [], ["surname"], ["time_zone"], ["email"], ["record"]]
    assert send("post", PEOPLE, records[0])[0] == 400
    assert Person.objects.filter(email__endswith="@example.com").count() == 1


def test_a_record_with_an_unknown_id_does_not_hold_up_another_with_its_address(send: Send) -> None:
    load("email\nada@example.com")
    ada = {"email": "ada@example.com", "full_name": "Ada King"}
    _, document = send("post", PEOPLE, [{**ada, "id": str(uuid4())}, ada])
    assert statuses(document) == ["rejected", "updated"]
    assert document["results"][0]["errors"] == {"id": ["There is no person with this id. Omit it to add a person."]}


def test_a_new_address_keeps_the_old_one_as_an_identity(send: Send) -> None:
    load("email,full_name\nada@example.com,Ada")
    known = person("ada")
    _, document = send("patch", f"{PEOPLE}{known.public_id}/", {"email": "ada.king@example.com"})
    assert statuses(document) == ["updated"]
    known.refresh_from_db()
    assert known.email == "ada.king@example.com"
    assert known.identities.filter(value="ada@example.com").exists()
    load("email,full_name\ngrace@example.com,Grace")
    status, document = send("patch", f"{PEOPLE}{known.public_id}/", {"email": "grace@example.com"})
    assert (status, list(document["results"][0]["errors"])) == (400, ["email"])


def test_deleting_lets_somebody_leave(send: Send) -> None:
    load("email,full_name\nada@example.com,Ada")
    assert statuses(send("delete", f"{PEOPLE}ada@example.com/?effective=2026-04-01")[1]) == ["updated"]
    assert there("ada") == "until 2026-04-01"
    assert send("delete", f"{PEOPLE}nobody@example.com/")[0] == 404


def test_people_are_listed_by_pages_words_attributes_and_state(send: Send) -> None:
    load("email,full_name,team\nada@example.com,Ada,Payments\ngrace@example.com,Grace,Search")
    _, document = send("get", f"{PEOPLE}?size=1&page=2")
    assert (document["total"], [entry["full_name"] for entry in document["people"]]) == (2, ["Grace"])
    assert document["next"] is None
    assert document["previous"].endswith("size=1&page=1")
    _, document = send("get", f"{PEOPLE}?where=team=payments&q=ad")
    assert [entry["full_name"] for entry in document["people"]] == ["Ada"]
    load("email,end\nada@example.com,2026-02-01")
    names = {}
    for state in ("", "there", "left", "all"):
        _, document = send("get", f"{PEOPLE}?state={state}")
        names[state] = [entry["full_name"] for entry in document["people"]]
    assert names == {"": ["Ada", "Grace"], "there": ["Grace"], "left": ["Ada"], "all": ["Ada", "Grace"]}


@pytest.mark.parametrize(
    "address",
    ["?sort=name", "?size=0", "?page=-1", "?where=team", "?where=height=tall", "?state=gone", "?q=%F0%9F%98%80&x=1"],
)
def test_parameters_that_mean_nothing_are_refused_in_words(send: Send, address: str) -> None:
    status, document = send("get", f"{PEOPLE}{address}")
    assert status == 400
    assert document["error"]["message"]


@pytest.mark.parametrize("body", [[], "x", [[]], {"email": "a@example.com", "identities": "x"}, {"email": 5}, None])
def test_bodies_that_are_no_people_are_refused(send: Send, body: Any) -> None:
    assert send("post", PEOPLE, body)[0] == 400
    assert send("patch", f"{PEOPLE}nobody@example.com/", body)[0] in (400, 404)
    assert not Person.objects.exists()


def test_only_tokens_for_people_and_admins_may(sign_in: Callable[[Persona], Client]) -> None:
    def token(scope: TokenScope, user: User | None) -> Send:
        return sender(create_api_token("x", scope=scope, user=user, expires_at=None)[1])

    admin, member = create_user(ADMIN), create_user(MEMBER)
    assert token(TokenScope.PEOPLE, admin)("get", PEOPLE)[0] == 200
    for refused in (token(TokenScope.READ, admin), token(TokenScope.READ, None), token(TokenScope.PEOPLE, member)):
        for address in (PEOPLE, UNITS):
            assert refused("get", address)[0] == 403
            assert refused("post", address, {"email": "x@example.com"})[0] == 403
    assert not Person.objects.filter(email="x@example.com").exists()


def test_units_of_hand_built_trees_are_added_moved_and_renamed(send: Send) -> None:
    load("email,full_name\nada@example.com,Ada")
    tree: OrgTree = create_tree("Value streams", TreeKind.HAND_BUILT)
    root = tree.units.get().slug
    status, shop = send("post", UNITS, {"name": "Shop", "parent": root, "manager": "ada@example.com"})
    assert (status, shop["parent"], shop["manager"], shop["tree"]) == (201, root, "ada@example.com", tree.slug)
    _, cart = send("post", UNITS, {"name": "Cart", "parent": root})
    assert send("patch", f"{UNITS}{cart['slug']}/", {"parent": shop["slug"], "name": "Basket"})[0] == 200
    _, document = send("get", f"{UNITS}?tree={tree.slug}")
    assert [(unit["name"], unit["parent"]) for unit in document["units"]][1:] == [
        ("Shop", root),
        ("Basket", shop["slug"]),
    ]
    assert send("get", f"{UNITS}{cart['slug']}/")[1]["name"] == "Basket"
    status, document = send("patch", f"{UNITS}{shop['slug']}/", {"parent": cart["slug"], "name": "Store"})
    assert (status, list(document["errors"])) == (400, ["parent"])
    assert send("get", f"{UNITS}{shop['slug']}/")[1]["name"] == "Shop"  # all of it or nothing


@pytest.mark.parametrize(
    ("record", "field"),
    [
        ({"name": "X"}, "parent"),
        ({"name": "X", "parent": "nowhere"}, "parent"),
        ({"name": "", "parent": "nowhere"}, "name"),
        ({"name": "X", "parent": "managers", "manager": "nobody@example.com"}, "manager"),
        ({"name": "X", "parent": "managers", "colour": "red"}, "colour"),
    ],
)
def test_units_that_can_not_be_are_refused_by_field(send: Send, record: dict[str, str], field: str) -> None:
    status, document = send("post", UNITS, record)
    assert status == 400
    assert field in document["errors"]

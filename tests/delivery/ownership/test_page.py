"""The page of ownership and its programs' side: what admins see and change, and what everybody else sees."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from integrations.delivery.ownership.find import find_owned
from integrations.delivery.ownership.give import own
from integrations.models import Ownership, Repository
from orgtree.access.api_tokens import create_api_token
from orgtree.models import MembersSee, Organisation, TokenScope, Unit
from tests.org import Org
from tests.personas import EXECUTIVE, MEMBER, Persona
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
PAGE = "/integrations/ownership/"
API = "/api/v1/ownership/"


@pytest.fixture
def teams(db: None) -> Teams:
    """Engineering with Platform (ada and five others) and Search (grace, lise); three repositories, nobody's."""
    created = create_teams()
    for name in ("acme/api", "acme/shop", "acme/web"):
        Repository.objects.create(name=name)
    return created


@pytest.fixture
def program() -> dict[str, str]:
    """The header of a token that may write people and units."""
    _, secret = create_api_token("Inventory", expires_at=None, scope=TokenScope.PEOPLE)
    return {"authorization": f"Bearer {secret}"}


def text_of(client: Client, address: str = PAGE) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.status_code
    return html.unescape(answer.content.decode())


def merged(org: Org, repository: str, author: str) -> None:
    at = timezone.now().isoformat()
    record = {"id": repository, "repository": repository, "number": 1, "author": f"{author}@example.com"}
    org.push("pull-requests", {**record, "created_at": at, "merged_at": at, "state": "merged"})


def owners() -> dict[str, str]:
    return {str(ownership.owned): ownership.unit.slug for ownership in Ownership.objects.filter(during__endswith=None)}


def test_proposals_are_confirmed_in_bulk(org: Org, teams: Teams, admin: Client) -> None:
    merged(org, "acme/shop", "ada")
    merged(org, "acme/web", "grace")
    page = text_of(admin)
    assert "3 of 3 repositories in Teams have no owner" in page
    assert "the only merge in the last 90 days by members of Platform" in page
    chosen = [f"{find_owned('acme/shop').pk}:{teams.platform.pk}", f"{find_owned('acme/web').pk}:{teams.search.pk}"]
    answer = admin.post(PAGE, {"act": "confirm", "chosen": chosen}, follow=True)
    assert "2 of them have new owners." in answer.content.decode()
    assert owners() == {"acme/shop": "platform", "acme/web": "search"}
    assert "Everything of that kind" not in text_of(admin, f"{PAGE}?without=1")
    assert "acme/shop" not in text_of(admin, f"{PAGE}?without=1")


def test_one_button_confirms_one_row(org: Org, teams: Teams, admin: Client) -> None:
    merged(org, "acme/shop", "ada")
    admin.post(PAGE, {"confirm": f"{find_owned('acme/shop').pk}:{teams.platform.pk}"})
    assert owners() == {"acme/shop": "platform"}


def test_what_is_chosen_is_given_from_a_day_on(teams: Teams, admin: Client) -> None:
    shop, web = (find_owned(name) for name in ("acme/shop", "acme/web"))
    own(shop, teams.search)
    admin.post(PAGE, {"act": "give", "chosen": [shop.pk, web.pk], "unit": "platform", "from": "2026-03-09"})
    days = {
        (str(ownership.owned), ownership.unit.slug): str(ownership.during.lower)
        for ownership in Ownership.objects.all()
    }
    assert days == {
        ("acme/shop", "search"): "None",
        ("acme/shop", "platform"): "2026-03-09",
        ("acme/web", "platform"): "2026-03-09",
    }
    admin.post(PAGE, {"act": "give", "chosen": [shop.pk], "unit": "-", "from": "2026-04-01"})
    assert owners() == {"acme/web": "platform"}


def test_without_a_day_nobodys_are_given_since_ever_and_others_from_today(teams: Teams, admin: Client) -> None:
    shop, web = (find_owned(name) for name in ("acme/shop", "acme/web"))
    own(shop, teams.search)
    admin.post(PAGE, {"act": "give", "chosen": [shop.pk, web.pk], "unit": "platform"})
    since = {
        str(ownership.owned): ownership.during.lower for ownership in Ownership.objects.filter(unit=teams.platform)
    }
    assert since == {"acme/shop": timezone.localdate(), "acme/web": None}


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"act": "give", "unit": "platform"}, "Tick rows first"),
        ({"act": "give", "chosen": ["SHOP"]}, "Choose the unit"),
        ({"act": "give", "chosen": ["SHOP"], "unit": "platform", "from": "tomorrow"}, "is not a day"),
        ({"act": "give", "chosen": ["SHOP"], "unit": "platform", "from": "2020-01-01"}, "is not in Teams"),
        ({"act": "confirm", "chosen": ["SHOP"]}, "Tick rows with a proposal first"),
    ],
)
@pytest.mark.usefixtures("teams")
def test_what_cannot_be_done_is_said(admin: Client, sent: dict[str, Any], message: str) -> None:
    chosen = [str(find_owned("acme/shop").pk) for _ in sent.get("chosen", ())]
    answer = admin.post(PAGE, {**sent, "chosen": chosen}, follow=True)
    assert message in html.unescape(answer.content.decode())
    assert not Ownership.objects.exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"act": "give", "chosen": "4711", "unit": "platform"},
        {"act": "give", "chosen": "x", "unit": "platform"},
        {"act": "confirm", "chosen": "1:2:3"},
        {"act": "else"},
    ],
)
@pytest.mark.usefixtures("teams")
def test_what_is_not_there_is_no_page(admin: Client, sent: dict[str, str]) -> None:
    assert admin.post(PAGE, sent).status_code == 404
    assert admin.get(f"{PAGE}?tree=nowhere").status_code == 404


def test_members_see_what_their_units_own_and_change_nothing(
    teams: Teams, sign_in: Callable[[Persona], Client]
) -> None:
    Organisation.objects.update(members_see=MembersSee.OWN_UNITS)
    own(find_owned("acme/shop"), teams.platform)
    own(find_owned("acme/web"), teams.search)
    member = sign_in(MEMBER)
    page = text_of(member)
    assert "acme/shop" in page
    assert "acme/web" not in page
    assert "acme/api" not in page, "what nobody owns"
    assert "Confirm" not in page
    assert member.post(PAGE, {"act": "confirm"}).status_code == 404
    assert "acme/web" in text_of(sign_in(EXECUTIVE))


def test_without_a_tree_the_page_says_what_to_make_first(admin: Client) -> None:
    assert "No Org Tree yet" in text_of(admin)


def test_the_list_is_paged_and_asks_the_database_little(
    teams: Teams, admin: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(120):
        Repository.objects.create(name=f"acme/many-{number:03}")
    admin.get(PAGE)
    with django_assert_max_num_queries(13):
        page = text_of(admin)
    assert "1–50 of 123" in page
    assert "acme/many-049" in text_of(admin, f"{PAGE}?page=2")
    assert "1–50 of 123" in text_of(admin, f"{PAGE}?page=99")


@pytest.mark.usefixtures("teams")
def test_the_page_of_integrations_says_what_has_no_owner(
    org: Org, admin: Client, sign_in: Callable[[Persona], Client]
) -> None:
    """Counts per kind, for viewers of the whole organisation; only admins get links to assign owners."""
    own(find_owned("acme/shop"), Unit.objects.get(slug="platform"))
    item = {"id": "SHOP-1", "project": "SHOP", "title": "Sell", "type": "Story", "status_category": "todo"}
    org.push("work-items", {**item, "created_at": "2026-11-02T09:00:00Z"})
    page = text_of(admin, "/integrations/")
    assert "2 of 3 repositories without an owner" in page
    assert "1 of 1 project without an owner: work planned there counts for no unit" in page
    assert f"{PAGE}?tree=teams&kind=repository&without=1" in page
    assert "2 of 3 repositories without an owner" in text_of(sign_in(EXECUTIVE), "/integrations/")
    assert "without=1" not in text_of(sign_in(EXECUTIVE), "/integrations/")
    Organisation.objects.update(members_see=MembersSee.OWN_UNITS)
    assert "without an owner" not in text_of(sign_in(MEMBER), "/integrations/")


@pytest.mark.usefixtures("teams")
def test_a_tree_in_which_everything_has_an_owner_is_complete(admin: Client) -> None:
    for name in ("acme/api", "acme/shop", "acme/web"):
        own(find_owned(name), Unit.objects.get(slug="platform"))
    page = text_of(admin, "/integrations/")
    assert "3 repositories, each with an owner" in page
    assert "without an owner" not in page


def test_programs_give_list_and_confirm(org: Org, teams: Teams, client: Client, program: dict[str, str]) -> None:
    merged(org, "acme/web", "grace")
    assert put(client, program, resource="acme/shop", unit="platform", **{"from": "2026-03-09"}) == (
        200,
        {"kind": "repository", "name": "acme/shop", "unit": "platform", "tree": "teams", "changed": True},
    )
    listed = client.get(f"{API}?kind=repository", headers=program).json()
    assert [(entry["name"], entry["owner"]) for entry in listed["ownership"]] == [
        *(("acme/api", None), ("acme/web", None)),
        ("acme/shop", "platform"),
    ]
    assert listed["ownership"][1]["proposal"]["unit"] == "search"
    assert client.get(f"{API}?unit=engineering", headers=program).json()["total"] == 1
    assert client.get(f"{API}?without_owner=true&size=1", headers=program).json()["next"].endswith("page=2")
    behind = client.get(f"{API}?without_owner=true&size=1&page=9", headers=program).json()
    assert (behind["total"], behind["next"], behind["ownership"]) == (2, None, [])
    answer = client.post(f"{API}confirm/", json.dumps({}), content_type="application/json", headers=program)
    assert (answer.status_code, answer.json()) == (200, {"confirmed": 1})
    status, given = put(client, program, resource="acme/shop", unit=None, tree="teams")
    assert (status, given["changed"]) == (200, True)
    assert owners() == {"acme/web": "search"}


@pytest.mark.usefixtures("teams")
@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"resource": "acme/nothing", "unit": "platform"}, "resource"),
        ({"resource": "acme/shop", "unit": "nowhere"}, "unit"),
        ({"resource": "acme/shop", "unit": None}, "tree"),
        ({"resource": "acme/shop", "unit": "platform", "from": "soon"}, "from"),
        ({"resource": "acme/shop", "unit": "platform", "since": "2026-01-01"}, "since"),
    ],
)
def test_programs_get_an_error_that_says_what_is_wrong(
    client: Client, program: dict[str, str], sent: dict[str, Any], field: str
) -> None:
    status, answer = put(client, program, **sent)
    assert status == 400
    assert list(answer["errors"]) == [field]
    assert not Ownership.objects.exists()


def put(client: Client, program: dict[str, str], **sent: Any) -> tuple[int, Any]:
    answer = client.put(API, json.dumps(sent), content_type="application/json", headers=program)
    return answer.status_code, answer.json()

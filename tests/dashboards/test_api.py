"""/api/v1/dashboards/: the same dashboards as programs read and write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from insights.models import Dashboard
from orgtree.models import TokenScope
from tests.annotations.test_api import bearer
from tests.org import Org
from tests.personas import ADMIN, MEMBER, OTHER_MEMBER, Persona
from tests.teams import Teams, create_teams

ADDRESS = "/api/v1/dashboards/"
CARDS = [{"kind": "tile", "metric": "pr.cycle_time"}, {"kind": "text", "text": "Read it weekly."}]
SignIn = Callable[[Persona], Client]


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


def sent(client: Client, body: object, address: str = ADDRESS, method: str = "post") -> Any:
    return getattr(client, method)(address, body, content_type="application/json")


def test_a_dashboard_is_made_changed_published_copied_and_deleted(teams: Teams, sign_in: SignIn) -> None:
    owner, reader = sign_in(MEMBER), sign_in(OTHER_MEMBER)
    made = sent(owner, {"title": "Ours", "cards": CARDS, "roles": ["everybody"]})
    assert made.status_code == 201
    document = made.json()
    assert [card["id"] for card in document["cards"]] == ["c1", "c2"]
    assert (document["version"], document["owner"], document["may_change"]) == (0, "Ada", True)
    address = f"{ADDRESS}{document['id']}/"
    assert owner.get(address).json() == document
    assert reader.get(address).status_code == 404
    published = sent(owner, {}, f"{address}publish/").json()
    assert (published["version"], published["has_changes"]) == (1, False)
    changed = sent(owner, {"cards": CARDS[1:], "purpose": "For us"}, address, "patch").json()
    assert (changed["has_changes"], changed["roles"], len(changed["cards"])) == (True, ["everybody"], 1)
    seen = reader.get(address).json()
    assert (seen["may_change"], seen["has_changes"], len(seen["cards"])) == (False, False, 2)
    copy = sent(reader, {}, f"{address}copy/")
    assert copy.status_code == 201
    assert copy.json()["cards"] == seen["cards"]
    listed = reader.get(ADDRESS).json()
    assert (listed["total"], [one["title"] for one in listed["dashboards"]]) == (2, ["Copy of Ours", "Ours"])
    assert reader.delete(address).status_code == 403
    assert owner.delete(address).status_code == 204
    assert owner.get(address).status_code == 404


def test_an_exported_file_is_sent_back(member: Client) -> None:
    made = sent(member, {"template": "engineering-leader"}).json()
    file = member.get(f"{ADDRESS}{made['id']}/export/").json()
    again = sent(member, file).json()
    assert {name: again[name] for name in ("title", "purpose", "cards")} == {
        name: made[name] for name in ("title", "purpose", "cards")
    }


@pytest.mark.parametrize(
    ("change", "parameter"),
    [
        ({"title": ""}, "title"),
        ({"title": 7}, "title"),
        ({"title": "x" * 81}, "title"),
        ({"cards": {}}, "cards"),
        ({"cards": [{"kind": "tile", "metric": "no.such"}]}, "cards.1.metric"),
        ({"cards": [{"kind": "tile", "metric": "pr.size", "unit": "nowhere"}]}, "cards.1.unit"),
        ({"roles": ["kings"]}, "roles"),
        ({"roles": "everybody"}, "roles"),
        ({"units": ["nowhere"]}, "units"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(teams: Teams, admin: Client, change: dict[str, object], parameter: str) -> None:
    stored = sent(admin, {"title": "Ours", "cards": CARDS}).json()
    refused = sent(admin, change, f"{ADDRESS}{stored['id']}/", "patch")
    assert (refused.status_code, refused.json()["error"]["parameter"]) == (400, parameter)
    assert admin.get(f"{ADDRESS}{stored['id']}/").json() == stored
    assert sent(admin, {"title": "Ours", "cards": CARDS, **change}).status_code == 400
    assert Dashboard.objects.count() == 1


def test_a_token_reads_or_writes(teams: Teams) -> None:
    assert sent(bearer(MEMBER, TokenScope.READ), {"title": "A", "cards": []}).status_code == 403
    assert sent(bearer(None, TokenScope.PROGRAM), {"title": "A", "cards": []}).status_code == 403
    made = sent(bearer(MEMBER, TokenScope.PROGRAM), {"title": "A", "cards": []})
    assert made.status_code == 201
    assert bearer(MEMBER, TokenScope.READ).get(ADDRESS).json()["total"] == 1
    assert bearer(ADMIN, TokenScope.READ).get(ADDRESS).json()["total"] == 1
    assert bearer(None, TokenScope.READ).get(ADDRESS).json()["total"] == 0

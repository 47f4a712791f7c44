"""Dashboards: pages that people make of cards, and what each reader sees of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from insights.dashboards.templates import TEMPLATES
from insights.models import Dashboard
from tests.org import Org
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
SignIn = Callable[[Persona], Client]


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


def made(client: Client, **fields: Any) -> Dashboard:
    """A dashboard as its owner makes it from a template."""
    before = set(Dashboard.objects.values_list("pk", flat=True))
    answer = client.post("/insights/dashboards/new/", {"template": "team-lead", **fields})
    assert answer.status_code == 302
    return Dashboard.objects.exclude(pk__in=before).get()


def page(dashboard: Dashboard, rest: str = "") -> str:
    return f"/insights/dashboards/{dashboard.pk}/{rest}"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_is_a_page_at_once(name: str, admin: Client) -> None:
    dashboard = made(admin, template=name)
    for address in (page(dashboard), page(dashboard, "edit/")):
        answer = admin.get(address)
        assert answer.status_code == 200
        for card in dashboard.draft:
            assert f'id="slot-{card["id"]}"' in answer.content.decode()
    for card in dashboard.draft:
        kinds = {"trend": "charts", "breakdown": "charts", "units": "parts", "comparison": "parts", "slowest": "parts"}
        if kind := kinds.get(card["kind"]):
            for base in (page(dashboard), page(dashboard, "edit/")):
                assert admin.get(f"{base}{kind}/{card['id']}/").status_code == 200, card
                assert admin.get(f"{base}charts/{card['id']}.csv").status_code == 200, card
    assert admin.get(page(dashboard, "charts/figures.csv")).status_code == 200


def publish(client: Client, dashboard: Dashboard, **shares: list[str]) -> None:
    description = {"title": dashboard.title, "purpose": dashboard.purpose, **shares}
    assert client.post(page(dashboard, "share/"), description).status_code == 302
    assert client.post(page(dashboard, "publish/")).status_code == 302


def sees(client: Client, dashboard: Dashboard) -> bool:
    """In the list, too; an account without a unit is told that there is no figure for it."""
    status = client.get(page(dashboard)).status_code
    listed = f'href="{page(dashboard)}"' in client.get("/insights/dashboards/").content.decode()
    assert listed is (status in (200, 403))
    return listed


def test_only_its_owner_and_admins_see_a_draft(teams: Teams, sign_in: SignIn) -> None:
    owner = sign_in(MEMBER)
    dashboard = made(owner)
    owner.post(page(dashboard, "share/"), {"title": "Ours", "roles": ["everybody"]})
    dashboard.refresh_from_db()
    assert sees(owner, dashboard)
    assert sees(sign_in(ADMIN), dashboard)
    assert not sees(sign_in(OTHER_MEMBER), dashboard)


@pytest.mark.parametrize(
    ("shares", "readers"),
    [
        ({}, set()),
        ({"roles": ["everybody"]}, {"grace", "edith", "mary", "joan"}),
        ({"roles": ["executives"]}, {"mary"}),
        ({"roles": ["managers"]}, {"edith"}),
        ({"roles": ["auditors"]}, {"joan"}),
        ({"roles": ["executives", "auditors"]}, {"mary", "joan"}),
        ({"units": ["search"]}, {"grace"}),
        ({"units": ["platform"]}, {"edith"}),
        ({"units": ["engineering"]}, {"grace", "edith"}),
    ],
)
def test_a_published_dashboard_is_seen_by_the_roles_and_units_it_is_shared_with(
    shares: dict[str, list[str]], readers: set[str], teams: Teams, sign_in: SignIn
) -> None:
    owner = sign_in(ADMIN)
    dashboard = made(owner)
    publish(owner, dashboard, **shares)
    others = (OTHER_MEMBER, MANAGER, EXECUTIVE, AUDITOR)
    assert {persona.name for persona in others if sees(sign_in(persona), dashboard)} == readers


def test_only_its_owner_and_admins_change_it(teams: Teams, sign_in: SignIn) -> None:
    owner = sign_in(MEMBER)
    dashboard = made(owner)
    publish(owner, dashboard, roles=["everybody"])
    reader = sign_in(EXECUTIVE)
    assert reader.get(page(dashboard)).status_code == 200
    for rest in ("edit/", "share/", "cards/new/", f"cards/{dashboard.draft[0]['id']}/"):
        assert reader.get(page(dashboard, rest)).status_code == 404
    for rest in ("act/", "publish/", "remove/", "share/"):
        assert reader.post(page(dashboard, rest), {"act": "undo", "title": "Mine"}).status_code == 404
    assert sign_in(ADMIN).get(page(dashboard, "edit/")).status_code == 200
    dashboard.refresh_from_db()
    assert dashboard.title == TEMPLATES["team-lead"].title


def test_readers_see_what_is_published_until_it_is_published_again(teams: Teams, sign_in: SignIn) -> None:
    owner, reader = sign_in(MEMBER), sign_in(OTHER_MEMBER)
    dashboard = made(owner)
    publish(owner, dashboard, roles=["everybody"])
    gone = dashboard.draft[0]["id"]
    owner.post(page(dashboard, "act/"), {"act": "remove", "card": gone})
    assert f'id="slot-{gone}"' in reader.get(page(dashboard)).content.decode()
    owner.post(page(dashboard, "publish/"))
    assert f'id="slot-{gone}"' not in reader.get(page(dashboard)).content.decode()
    dashboard.refresh_from_db()
    assert dashboard.version == 2


def test_a_card_of_what_a_reader_may_not_see_says_so(teams: Teams, sign_in: SignIn) -> None:
    """The rights of the reader decide, never those of the author."""
    owner, reader = sign_in(ADMIN), sign_in(OTHER_MEMBER)
    dashboard = made(owner)
    for unit in ("platform", "search", "organisation"):
        card = {"kind": "trend", "metric": "pr.cycle_time", "unit": unit, "title": f"Of {unit}"}
        assert owner.post(page(dashboard, "cards/new/"), card).status_code == 302
    dashboard.refresh_from_db()
    publish(owner, dashboard, roles=["everybody"])
    platform, search, everybody = (card["id"] for card in dashboard.draft[-3:])
    shown = reader.get(page(dashboard)).content.decode()
    for name, is_withheld in ((platform, True), (search, False), (everybody, True)):
        slot = shown.partition(f'id="slot-{name}"')[2].partition("hw-slot")[0]
        assert ("Not visible to you" in slot) is is_withheld
        assert reader.get(page(dashboard, f"charts/{name}/")).status_code == (403 if is_withheld else 200)
        assert reader.get(page(dashboard, f"charts/{name}.csv")).status_code == (403 if is_withheld else 200)
    assert "Not visible to you" not in owner.get(page(dashboard)).content.decode()


def test_the_names_of_units_that_a_reader_may_not_see_stay_hidden(teams: Teams, sign_in: SignIn) -> None:
    owner = sign_in(ADMIN)
    dashboard = made(owner)
    teams.platform.name = "Nameless deeds"
    teams.platform.save()
    owner.post(page(dashboard, "cards/new/"), {"kind": "tile", "metric": "pr.cycle_time", "unit": "platform"})
    publish(owner, dashboard, roles=["everybody"])
    assert "Nameless deeds" in owner.get(page(dashboard)).content.decode()
    assert "Nameless deeds" not in sign_in(OTHER_MEMBER).get(page(dashboard)).content.decode()

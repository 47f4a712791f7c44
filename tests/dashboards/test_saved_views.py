"""Saved views: pages with a unit, a window and filters under a name, and what each reader sees of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from django.test import Client

from insights.models import SavedView
from orgtree.models import Organisation
from tests.org import Org
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona
from tests.teams import Teams, create_teams

pytestmark = pytest.mark.django_db
SignIn = Callable[[Persona], Client]
NEW = "/insights/views/new/"
SHOWN = {"unit": "platform", "range": "26w", "granularity": "month", "agent": "claude_code"}


@pytest.fixture
def teams(org: Org) -> Teams:
    return create_teams()


def saved(client: Client, **form: Any) -> SavedView:
    answer = client.post(f"{NEW}?to=/insights/ai/spend/&{urlencode(SHOWN)}", form)
    assert answer.status_code == 302, answer.content.decode()
    return SavedView.objects.latest("pk")


def opened(client: Client, view: SavedView) -> Any:
    return client.get(f"/insights/views/{view.pk}/")


def test_a_view_leads_to_its_page_with_unit_window_and_filters(teams: Teams, sign_in: SignIn) -> None:
    owner = sign_in(MANAGER)
    view = saved(owner, title="  Spend of  platform ")
    assert view.title == "Spend of platform"
    address = urlsplit(opened(owner, view)["Location"])
    assert (address.path, dict(parse_qsl(address.query))) == ("/insights/ai/spend/", SHOWN)
    assert owner.get(address.geturl()).status_code == 200
    listed = owner.get("/insights/views/").content.decode()
    assert "AI: Spend" in listed
    assert "Platform · last 26 weeks · Agent: Claude Code" in listed


@pytest.mark.parametrize(
    "page", ["ai/leaderboard/", "delivery/lead-time/", "metrics/pr.cycle_time/", "compare/", "ai/sessions/"]
)
def test_pages_with_a_filter_bar_offer_their_view(page: str, admin: Client) -> None:
    """With the parameters that it shows now, whichever page it is."""
    Organisation.current()
    Organisation.objects.update(leaderboard=True)
    shown = admin.get(f"/insights/{page}?range=8w").content.decode()
    address = shown.partition('id="views-menu"')[2].partition('hx-get="')[2].partition('"')[0].replace("&amp;", "&")
    menu = admin.get(address, headers={"HX-Request": "true"}).content.decode()
    form = menu.partition("Save this view")[0].rpartition('href="')[2].partition('"')[0].replace("&amp;", "&")
    assert admin.post(form, {"title": "This one"}).status_code == 302
    view = SavedView.objects.get()
    assert view.address.startswith(f"/insights/{page}?")
    assert "range=8w" in view.address
    assert "This one" in admin.get(address, headers={"HX-Request": "true"}).content.decode()


@pytest.mark.parametrize(
    ("shares", "readers"),
    [
        ({}, {"admin"}),
        ({"roles": ["everybody"]}, {"admin", "ada", "grace", "mary", "joan"}),
        ({"roles": ["executives"]}, {"admin", "mary"}),
        ({"units": ["platform"]}, {"admin", "ada"}),
    ],
)
def test_it_is_listed_for_the_roles_and_units_it_is_shared_with(
    shares: dict[str, list[str]], readers: set[str], teams: Teams, sign_in: SignIn
) -> None:
    view = saved(sign_in(MANAGER), title="Ours", **shares)
    others = (ADMIN, MEMBER, OTHER_MEMBER, EXECUTIVE, AUDITOR)
    address = f'href="/insights/views/{view.pk}/"'
    for page in ("/insights/views/", "/insights/views/menu/?to=/insights/ai/", "/?home=page", "/search/?q=ours"):
        seen = {one.name for one in others if address in sign_in(one).get(page).content.decode()}
        assert seen == readers, page
    assert {one.name for one in others if opened(sign_in(one), view).status_code != 404} == readers


def test_a_reader_who_may_not_see_its_unit_reads_so_without_its_name(teams: Teams, sign_in: SignIn) -> None:
    view = saved(sign_in(MANAGER), title="Ours", roles=["everybody"])
    reader = sign_in(OTHER_MEMBER)
    withheld = opened(reader, view)
    assert withheld.status_code == 403
    assert "visible to its members and managers alone" in withheld.content.decode()
    for page in (opened(reader, view), reader.get("/insights/views/"), reader.get("/search/?q=ours"), reader.get("/")):
        assert "platform" not in page.content.decode().lower()
    assert reader.get(f"/api/v1/views/{view.pk}/").json()["address"] is None
    assert opened(sign_in(EXECUTIVE), view).status_code == 302


def test_a_view_whose_filter_is_gone_names_no_unit_either(teams: Teams, sign_in: SignIn) -> None:
    view = saved(sign_in(MANAGER), title="Ours", roles=["everybody"])
    SavedView.objects.update(address="/insights/ai/spend/?unit=platform&range=soon")
    reader = sign_in(OTHER_MEMBER)
    assert opened(reader, view).status_code == 403
    assert "platform" not in opened(reader, view).content.decode().lower()
    assert reader.get(f"/api/v1/views/{view.pk}/").json()["address"] is None


def test_a_view_of_the_readers_unit_shows_readers_their_own(teams: Teams, sign_in: SignIn) -> None:
    view = saved(sign_in(MANAGER), title="My unit", whose="reader", roles=["everybody"])
    reader = sign_in(OTHER_MEMBER)
    assert "unit=" not in view.address
    assert "Search · last 26 weeks" in reader.get("/insights/views/").content.decode()
    assert opened(reader, view).status_code == 302


def test_only_its_owner_and_admins_rename_share_and_delete_it(teams: Teams, sign_in: SignIn) -> None:
    owner, reader = sign_in(MANAGER), sign_in(EXECUTIVE)
    view = saved(owner, title="Ours", roles=["everybody"])
    edit, remove = (f"/insights/views/{view.pk}/{rest}/" for rest in ("edit", "remove"))
    assert reader.get(edit).status_code == reader.post(remove).status_code == 404
    assert owner.post(edit, {"title": "Theirs", "units": ["platform"]}).status_code == 302
    view.refresh_from_db()
    assert (view.title, [str(share) for share in view.shares.all()]) == ("Theirs", ["Platform"])
    assert owner.post(edit, {"title": " "}).status_code == 400
    assert opened(reader, view).status_code == 404
    assert sign_in(ADMIN).get(edit).status_code == 200
    assert owner.post(remove).status_code == 302
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(
    "address",
    [
        *("", "https://example.com/insights/ai/", "//example.com/insights/ai/", "/admin/", "/insights/metrics/"),
        *("/insights/ai/?range=long", "/insights/ai/?unit=nowhere", "/insights/ai/?unit=search", 7),
        *("/insights/ai/?unit=%00", f"/insights/ai/?agent={'x' * 2001}", "/insights/ai/units/", "/insights/nothing/"),
    ],
)
def test_what_is_no_page_or_not_the_owners_to_see_is_refused(address: object, teams: Teams, sign_in: SignIn) -> None:
    sent = {"title": "Wrong", "address": address}
    answer = sign_in(MANAGER).post("/api/v1/views/", sent, content_type="application/json")
    assert (answer.status_code, SavedView.objects.count()) == (400, 0)
    assert answer.json()["error"]["parameter"] == "address"


def test_programs_save_change_share_and_delete_it(teams: Teams, sign_in: SignIn) -> None:
    owner, reader = sign_in(MANAGER), sign_in(EXECUTIVE)
    sent = {"title": "Ours", "address": "/insights/delivery/?unit=platform&range=quarter", "roles": ["executives"]}
    made = owner.post("/api/v1/views/", sent, content_type="application/json")
    assert made.status_code == 201
    document = made.json()
    assert {name: document[name] for name in sent} == sent
    assert (document["page"], document["may_change"], document["owner"]) == ("Delivery", True, "Edith")
    address = f"/api/v1/views/{document['id']}/"
    seen = reader.get(address).json()
    assert (seen["address"], seen["may_change"]) == (sent["address"], False)
    assert reader.patch(address, {"title": "Mine"}, content_type="application/json").status_code == 403
    assert reader.delete(address).status_code == 403
    changed = owner.patch(address, {"address": "/insights/compare/"}, content_type="application/json").json()
    assert (changed["address"], changed["title"], changed["roles"]) == ("/insights/compare/", "Ours", ["executives"])
    assert owner.get("/api/v1/views/").json()["total"] == reader.get("/api/v1/views/").json()["total"] == 1
    assert owner.delete(address).status_code == 204
    assert reader.get(address).status_code == 404


def test_admins_find_and_rename_it_in_admin(teams: Teams, sign_in: SignIn) -> None:
    view, admin = saved(sign_in(MANAGER), title="Ours"), sign_in(ADMIN)
    listed = "/admin/insights/savedview/"
    assert "AI: Spend" in admin.get(listed, {"q": "ours"}).content.decode()
    shares = {f"shares-{name}": number for name, number in (("TOTAL_FORMS", 1), ("INITIAL_FORMS", 0))}
    form = {"title": "Renamed", "owner": view.owner_id, **shares, "shares-0-role": "everybody"}
    assert admin.post(f"{listed}{view.pk}/change/", form).status_code == 302
    view.refresh_from_db()
    assert (view.title, view.shares.get().role) == ("Renamed", "everybody")

"""Dashboards: pages that people make of cards, and what each reader sees of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.authorship import account_of
from insights.dashboards.document import KINDS
from insights.dashboards.templates import TEMPLATES
from insights.models import Dashboard
from tests.org import Org
from tests.personas import ADMIN, AUDITOR, EXECUTIVE, MANAGER, MEMBER, OTHER_MEMBER, Persona, create_user
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
        kinds["stages"] = kinds["findings"] = "parts"
        if kind := kinds.get(card["kind"]):
            for base in (page(dashboard), page(dashboard, "edit/")):
                assert admin.get(f"{base}{kind}/{card['id']}/").status_code == 200, card
                assert admin.get(f"{base}charts/{card['id']}.csv").status_code == 200, card
    assert admin.get(page(dashboard, "charts/figures.csv")).status_code == 200


# Cards of every kind, of figures from all parts of the product.
CARDS: tuple[dict[str, Any], ...] = (
    {"kind": "tile", "metric": "sprint.commit"},
    {"kind": "trend", "metric": "ai.spend", "more": ["ai.spend_wasted"]},
    {"kind": "trend", "metric": "allocation.share", "by": "investment"},
    {"kind": "trend", "metric": "ai.active_share_by_agent", "by": "agent"},
    {"kind": "breakdown", "metric": "allocation.time", "by": "investment"},
    {"kind": "lines", "metric": "pr.cycle_time"},
    {"kind": "distribution", "metric": "pr.cycle_time"},
    {"kind": "comparison", "metric": "pr.cycle_time", "more": ["pr.merged_per_developer"]},
    {"kind": "units", "metric": "capacity.weekend_share", "more": ["allocation.new_share"]},
    {"kind": "split", "metric": "ai.spend", "more": ["ai.sessions"], "by": "repository"},
    {"kind": "stages"},
    {"kind": "findings"},
    {"kind": "slowest", "metric": "pr.cycle_time"},
    {"kind": "text", "text": "Read from the left."},
)


CHART, PART, FILE = "charts/c1/", "parts/c1/", "charts/c1.csv"
PARTS = {
    **dict.fromkeys(("trend", "breakdown", "distribution"), (CHART, FILE)),
    "lines": (CHART, "charts/c1_with_bands/", FILE),
    **dict.fromkeys(("comparison", "units", "split", "stages", "findings", "slowest"), (PART, FILE)),
}


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card['kind']}-{card.get('metric', '')}")
def test_a_card_of_any_kind_is_chosen_and_drawn(card: dict[str, Any], admin: Client) -> None:
    dashboard = made(admin, template="", title="Of one card")
    answer = admin.post(page(dashboard, "cards/new/"), card)
    assert answer.status_code == 302, answer.content.decode()
    dashboard.refresh_from_db()
    [stored] = dashboard.draft
    shown = admin.get(page(dashboard)).content.decode()
    assert f'id="slot-{stored["id"]}"' in shown
    assert "can no longer be shown" not in shown
    parts = [part for part in PARTS.get(card["kind"], ()) if admin.get(page(dashboard, part)).status_code != 200]
    assert parts == []


def test_cards_of_every_kind_are_tried() -> None:
    assert {card["kind"] for card in CARDS} == set(KINDS)


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


def draft(dashboard: Dashboard) -> list[tuple[str, int]]:
    """The cards of the draft in their order, each with its width."""
    dashboard.refresh_from_db()
    return [(card["id"], card["width"]) for card in dashboard.draft]


def acted(client: Client, dashboard: Dashboard, act: str, card: str = "", **more: object) -> list[tuple[str, int]]:
    answer = client.post(page(dashboard, "act/"), {"act": act, "card": card, **more})
    assert answer.status_code == 302
    return draft(dashboard)


def test_cards_are_arranged_by_buttons_and_every_step_can_be_undone(member: Client) -> None:
    dashboard = made(member)
    started = draft(dashboard)
    (first, _), (second, _) = started[:2]
    ids = [card for card, _ in started]
    assert [card for card, _ in acted(member, dashboard, "later", first)] == [second, first, *ids[2:]]
    assert [card for card, _ in acted(member, dashboard, "earlier", first)] == ids
    assert [card for card, _ in acted(member, dashboard, "place", first, position=3)][3] == first
    assert [card for card, _ in acted(member, dashboard, "place", first, position=999)][-1] == first
    assert dict(acted(member, dashboard, "wider", first))[first] == 4
    assert dict(acted(member, dashboard, "narrower", first))[first] == 3
    assert dict(acted(member, dashboard, "narrower", first))[first] == 3
    assert dict(acted(member, dashboard, "resize", first, width=9))[first] == 8
    before = draft(dashboard)
    assert first not in dict(acted(member, dashboard, "remove", first))
    assert acted(member, dashboard, "undo") == before
    assert first not in dict(acted(member, dashboard, "redo"))
    for _ in range(20):
        acted(member, dashboard, "undo")
    assert draft(dashboard) == started


def test_a_script_gets_the_stored_state_or_the_reason_against_a_step(member: Client) -> None:
    dashboard = made(member)
    wants = {"Accept": "application/json"}
    first = dashboard.draft[0]["id"]
    answer = member.post(page(dashboard, "act/"), {"act": "later", "card": first}, headers=wants).json()
    assert (answer["state"], answer["can_undo"], answer["can_redo"]) == ("Draft", True, False)
    refused = member.post(page(dashboard, "act/"), {"act": "later", "card": "gone"}, headers=wants)
    assert (refused.status_code, refused.json()["message"]) == (400, "The card is gone: somebody removed it.")
    assert member.post(page(dashboard, "act/"), {"act": "explode"}).status_code == 400


def test_a_card_is_added_and_changed_and_errors_stand_at_its_fields(member: Client) -> None:
    dashboard = made(member)
    add, number = page(dashboard, "cards/new/"), len(dashboard.draft)
    fields = {"kind": "trend", "metric": "pr.cycle_time", "by": "assistance", "window": "26w", "title": "Long ago"}
    assert member.post(add, fields).status_code == 302
    dashboard.refresh_from_db()
    assert {name: dashboard.draft[-1][name] for name in fields} == fields
    wrong = member.post(add, {"kind": "breakdown", "metric": "pr.cycle_time", "by": "agent"})
    assert wrong.status_code == 400
    assert "cannot be shown as breakdown" in wrong.content.decode()
    assert member.post(add, {"kind": "tile", "metric": "no.such"}).status_code == 400
    change = page(dashboard, f"cards/{dashboard.draft[-1]['id']}/")
    assert "Long ago" in member.get(change).content.decode()
    assert member.post(change, {"metric": "pr.cycle_time", "more": ["pr.review_time"]}).status_code == 302
    dashboard.refresh_from_db()
    assert len(dashboard.draft) == number + 1
    assert dashboard.draft[-1]["beside"] == ["pr.review_time"]
    assert "title" not in dashboard.draft[-1]
    assert member.get(page(dashboard, "cards/c99/")).status_code == 400


def test_a_dashboard_is_exported_and_imported(member: Client, sign_in: SignIn) -> None:
    dashboard = made(member)
    exported = member.get(page(dashboard, "export/"))
    assert exported["Content-Disposition"] == 'attachment; filename="headway-how-is-my-team-doing.json"'
    other = sign_in(OTHER_MEMBER)

    def imported(content: bytes) -> Any:
        file = SimpleUploadedFile("dashboard.json", content, "application/json")
        return other.post("/insights/dashboards/new/", {"import": "1", "file": file})

    assert imported(exported.content).status_code == 302
    copy = Dashboard.objects.exclude(pk=dashboard.pk).get()
    assert (copy.title, copy.purpose, copy.draft) == (dashboard.title, dashboard.purpose, dashboard.draft)
    wrong = exported.content.replace(b'"pr.cycle_time"', b'"pr.cycle_tome"')
    refused = imported(wrong)
    assert refused.status_code == 400
    assert "Card 1 (tile), metric: there is no metric “pr.cycle_tome”." in refused.content.decode()
    assert Dashboard.objects.count() == 2


def test_a_dashboard_becomes_home_and_can_be_left(teams: Teams, sign_in: SignIn) -> None:
    owner, reader = sign_in(MEMBER), sign_in(OTHER_MEMBER)
    dashboard = made(owner)
    publish(owner, dashboard, roles=["everybody"])
    assert reader.get("/").status_code == 200
    assert reader.post(page(dashboard, "home/")).status_code == 302
    assert reader.get("/")["Location"] == page(dashboard)
    assert reader.get("/?home=page").status_code == 200
    assert "Is your home" in reader.get(page(dashboard)).content.decode()
    owner.post(page(dashboard, "share/"), {"title": "Mine alone"})
    assert reader.get("/").status_code == 200, "no longer shared"
    owner.post(page(dashboard, "share/"), {"title": "Ours", "roles": ["everybody"]})
    assert reader.post(page(dashboard, "home/"), {"undo": "1"}).status_code == 302
    assert reader.get("/").status_code == 200


def test_a_copy_is_a_draft_of_ones_own_with_what_one_sees(teams: Teams, sign_in: SignIn) -> None:
    owner, reader = sign_in(MEMBER), sign_in(OTHER_MEMBER)
    dashboard = made(owner)
    publish(owner, dashboard, roles=["everybody"])
    acted(owner, dashboard, "remove", dashboard.draft[0]["id"])
    assert reader.post(page(dashboard, "copy/")).status_code == 302
    copy = Dashboard.objects.exclude(pk=dashboard.pk).get()
    assert (copy.draft, copy.version) == (dashboard.published, 0)
    assert sees(reader, copy)
    assert not sees(owner, copy)


def test_it_is_deleted_and_kept_in_the_history_with_its_authors(member: Client, admin: Client) -> None:
    dashboard = made(member)
    changes = admin.get(f"/admin/insights/dashboard/{dashboard.pk}/change/").content.decode()
    assert "added by ada" in changes.lower()
    assert member.post(page(dashboard, "remove/")).status_code == 302
    assert not Dashboard.objects.exists()
    events: Any = apps.get_model("insights", "DashboardEvent")._default_manager
    last = events.select_related("pgh_context").latest("pgh_id")
    assert (last.pgh_label, last.title) == ("removed", dashboard.title)
    assert account_of(last) == create_user(MEMBER).pk


def test_admins_find_and_change_it_in_admin(member: Client, admin: Client) -> None:
    dashboard = made(member)
    listed = "/admin/insights/dashboard/"
    assert dashboard.title in admin.get(listed, {"q": "team doing"}).content.decode()
    assert dashboard.title not in admin.get(listed, {"state": "published"}).content.decode()
    shares = {f"shares-{name}": number for name, number in (("TOTAL_FORMS", 1), ("INITIAL_FORMS", 0))}
    form = {"title": "Renamed", "owner": dashboard.owner_id, **shares, "shares-0-role": "everybody"}
    answer = admin.post(f"{listed}{dashboard.pk}/change/", form)
    assert answer.status_code == 302
    dashboard.refresh_from_db()
    assert (dashboard.title, dashboard.shares.get().role) == ("Renamed", "everybody")


def test_it_is_found_by_those_who_may_see_it(teams: Teams, sign_in: SignIn) -> None:
    owner, reader = sign_in(MEMBER), sign_in(OTHER_MEMBER)
    dashboard = made(owner)
    address = f'href="{page(dashboard)}'
    for client, is_found in ((owner, True), (reader, False)):
        assert (address in client.get("/search/", {"q": "team doing"}).content.decode()) is is_found
    publish(owner, dashboard, roles=["everybody"])
    assert address in reader.get("/search/", {"q": "team doing"}).content.decode()


def test_the_draft_is_previewed_as_its_readers_see_it(teams: Teams, sign_in: SignIn) -> None:
    """With the rights of an executive, a manager or a member of a unit, or as it is published."""
    owner = sign_in(EXECUTIVE)
    dashboard = made(owner)
    publish(owner, dashboard)
    for unit in ("platform", "search", "organisation"):
        card = {"kind": "trend", "metric": "pr.cycle_time", "unit": unit}
        assert owner.post(page(dashboard, "cards/new/"), card).status_code == 302
    dashboard.refresh_from_db()
    names = [card["id"] for card in dashboard.draft[-3:]]
    readers = {
        "as=executive": [False, False, False],
        "as=manager&of=engineering": [False, False, True],
        "as=manager&of=platform": [False, True, True],
        "as=member&of=search": [True, False, True],
        "as=member&of=engineering": [True, True, True],
    }
    for reader, withheld in readers.items():
        shown = owner.get(page(dashboard, f"preview/?{reader}&range=12w")).content.decode()
        slots = [shown.partition(f'id="slot-{name}"')[2].partition("hw-slot")[0] for name in names]
        assert ["Not visible to you" in slot for slot in slots] == withheld, reader
        for name, is_withheld in zip(names, withheld, strict=True):
            chart = owner.get(page(dashboard, f"edit/charts/{name}/?{reader}&range=12w"))
            assert chart.status_code == (403 if is_withheld else 200), (reader, name)
    assert f'id="slot-{names[0]}"' not in owner.get(page(dashboard, "preview/?version=published")).content.decode()
    assert owner.get(page(dashboard, "preview/?as=auditor")).status_code == 400


def test_a_preview_shows_nothing_that_its_viewer_may_not_see(teams: Teams, sign_in: SignIn) -> None:
    owner = sign_in(MEMBER)
    dashboard = made(owner)
    preview = page(dashboard, "preview/")
    assert (
        "Executive"
        not in owner.get(preview).content.decode().partition('aria-label="Reader"')[2].partition("</div>")[0]
    )
    for reader in ("as=executive", "as=member&of=search", "as=manager&of=search"):
        assert owner.get(f"{preview}?{reader}").status_code == 400, reader
    # A manager of the member's own unit sees no unit beside it.
    card = {"kind": "trend", "metric": "pr.cycle_time", "unit": "organisation"}
    owner.post(page(dashboard, "cards/new/"), card)
    assert "Not visible to you" in owner.get(f"{preview}?as=manager&of=platform&range=12w").content.decode()
    assert sign_in(OTHER_MEMBER).get(preview).status_code == 404


def test_a_table_by_unit_ends_with_what_is_in_no_unit(teams: Teams, sign_in: SignIn) -> None:
    owner = sign_in(ADMIN)
    dashboard = made(owner, template="engineering-leader")
    [name] = [card["id"] for card in dashboard.draft if card["kind"] == "units"]
    table = owner.get(page(dashboard, f"parts/{name}/"), headers={"HX-Request": "true"}).content.decode()
    address = table.partition("<tbody hx-get=")[2].split('"')[1].replace("&amp;", "&")
    assert "Unassigned" in owner.get(address, headers={"HX-Request": "true"}).content.decode()
    # Members see no unassigned activity.
    reader = sign_in(MEMBER)
    assert reader.get(page(made(reader, template="engineering-leader"), f"parts/{name}-unassigned/")).status_code == 200
    seen = reader.get(page(Dashboard.objects.latest("pk"), f"parts/{name}/"), headers={"HX-Request": "true"})
    assert "<tbody hx-get" not in seen.content.decode()

"""The guided start: a tick is true, computed from what is stored, and an empty installation claims nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from insights.models import Dashboard
from insights.pages.guided_start import Progress, progress
from insights.query import windows
from integrations.models import Connection, IngestToken, Resource, Stream
from integrations.telemetry.otlp.ingest_tokens import create_ingest_token, find_ingest_token
from orgtree.access.invitations import invite
from orgtree.access.policy import keep_policy, policy_history
from orgtree.models import Organisation, OrgTree, Person, Role, TreeKind, Unit
from tests.org import Org

pytestmark = pytest.mark.django_db
START = "/setup/"


def ticked(client: Client) -> list[str]:
    page = client.get(START).content.decode()
    steps = re.findall(r'<li class="(\w*)"[^>]*id="step-(\w+)"', page)
    return [key for state, key in steps if state == "done"]


def test_an_admin_finds_the_start_at_home_until_it_is_left_and_can_resume_it(admin: Client, member: Client) -> None:
    assert "Set up Headway" in admin.get("/").content.decode()
    assert "Set up Headway" not in member.get("/").content.decode()
    assert member.get(START).status_code == 404
    left = admin.post("/setup/leave/", follow=True).content.decode()
    assert "<h1>Home</h1>" in left
    assert f'href="{START}"' in left
    assert admin.get(START).status_code == 200
    assert "Set up Headway" in admin.get("/").content.decode(), "resumed"


def test_nothing_is_ticked_by_what_headway_did_itself(admin: Client) -> None:
    """The first start makes an account and a token, and looks the token up at each further start."""
    _, secret = create_ingest_token("First")
    assert find_ingest_token(secret)
    assert IngestToken.objects.get().last_used_at is None
    Person.objects.create(full_name="Found in a commit", found_in_data=True)
    Connection.objects.create(provider="github", name="Saved, not read")
    OrgTree.objects.create(name="Empty", slug="empty", kind=TreeKind.HAND_BUILT)
    User.objects.exclude(is_superuser=True).delete()
    assert progress() == Progress(*[False] * 6)
    assert "No request yet" in admin.get("/home/health/").content.decode()


def test_the_page_of_figures_without_an_agent_has_the_way_back(admin: Client, member: Client) -> None:
    for page in ("/insights/ai/", reverse("connect_agent")):
        assert 'id="way-back"' in admin.get(page).content.decode(), page
        assert 'id="way-back"' not in member.get(page).content.decode()


def an_agent_reports(org: Org) -> None:
    org.session(by="ada", on=windows.local_today() - timedelta(days=1))


def people_are_entered(_org: Org) -> None:
    Person.objects.create(full_name="Lena Example", email="lena@example.com")


def a_tree_has_a_unit(_org: Org) -> None:
    tree = OrgTree.objects.create(name="Engineering", slug="engineering", kind=TreeKind.HAND_BUILT)
    Unit.objects.create(tree=tree, name="Payments", slug="payments-unit")


def a_tool_is_read(_org: Org) -> None:
    connection = Connection.objects.create(provider="github", name="GitHub")
    resource = Resource.objects.create(connection=connection, external_id="1", kind="repository", name="acme/shop")
    Stream.objects.create(resource=resource, kind="pull_request", succeeded_at=timezone.now())


def others_may_come_in(_org: Org) -> None:
    admin = User.objects.filter(is_superuser=True).first()
    assert admin
    invite(["erin@example.com"], by=admin)
    keep_policy()
    admin.grants.create(role=Role.EXECUTIVE, during=(timezone.localdate(), None))


def a_dashboard_is_made(_org: Org) -> None:
    Dashboard.objects.create(title="Engineering")


@pytest.mark.parametrize(
    ("happens", "step"),
    [
        (an_agent_reports, "agent"),
        (people_are_entered, "people"),
        (a_tree_has_a_unit, "tree"),
        (a_tool_is_read, "tools"),
        (others_may_come_in, "access"),
        (a_dashboard_is_made, "dashboard"),
    ],
)
def test_a_step_is_ticked_by_its_own_fact(org: Org, admin: Client, happens: Callable[[Org], None], step: str) -> None:
    before = set(ticked(admin))
    happens(org)
    assert set(ticked(admin)) - before <= {step, "people"}
    assert step in ticked(admin)


def test_rules_are_decided_by_choosing_or_keeping_them(org: Org, admin: Client) -> None:
    others_may_come_in(org)
    Organisation.objects.update(rules_decided_at=None)
    assert "access" not in ticked(admin), "nobody looked at the rules"
    page = "/orgtree/access/"
    assert "Keep these rules" in admin.get(page).content.decode()
    before = policy_history()
    assert admin.post(f"{page}rules/", {"keep": "1"}).status_code == 302
    assert "access" in ticked(admin)
    assert "Keep these rules" not in admin.get(page).content.decode()
    assert policy_history() == before, "no change to announce"


def test_the_pages_of_a_step_lead_back_and_say_when_it_is_done(org: Org, admin: Client, member: Client) -> None:
    for path in ("/setup/agents/", "/orgtree/people/", "/orgtree/trees/new/", "/admin/integrations/connection/add/"):
        page = admin.get(path).content.decode()
        assert "Back to the guided start" in page or ": done.</b>" in page, path
    assert "Connect an agent: done." not in admin.get("/setup/agents/").content.decode()
    an_agent_reports(org)
    assert "Connect an agent: done." in admin.get("/setup/agents/").content.decode()
    assert "guided start" not in member.get("/setup/agents/").content.decode()
    assert 'id="way-back"' not in admin.get("/insights/ai/leaderboard/").content.decode()


def test_a_first_day_of_data_says_since_when_and_counts_no_week(org: Org, admin: Client) -> None:
    today = windows.local_today()
    org.session(by="ada", on=today - timedelta(days=1))
    org.fold()
    page = admin.get(START).content.decode()
    tile = page[page.index('data-tile="ai.sessions"') :]
    day = today - timedelta(days=1)
    assert f"since {day.day} {day:%b %Y}" in tile
    adoption = admin.get("/insights/ai/adoption/").content.decode()
    assert "0.08" not in adoption
    assert f"Needs a whole week of data, which began on {day.day} {day:%b %Y}." in adoption


def test_the_token_stays_through_every_choice_of_agent(admin: Client, member: Client) -> None:
    made = admin.post("/setup/agents/", {"name": "Laptops"}).content.decode()
    found = re.search(r'id="ingest-token">([^<]+)<', made)
    assert found
    secret = found[1]
    for agent in ("codex", "gemini_cli", "copilot", "gen_ai", "claude_code"):
        answer = admin.post("/setup/agents/", {"token": secret, "agent": agent})
        if answer.status_code == 404:  # not an agent of this version
            continue
        assert answer.content.decode().count(secret) >= 2, agent
    assert IngestToken.objects.get(name="Laptops").last_used_at is None
    assert secret not in admin.get("/setup/agents/").content.decode(), "left"
    assert admin.post("/setup/agents/", {"token": "hwi_made_up", "agent": "codex"}).status_code == 400
    assert member.post("/setup/agents/", {"token": secret, "agent": "codex"}).status_code == 403

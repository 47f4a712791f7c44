"""Custom fields: detected automatically, shown with example values, chosen by an admin."""

from __future__ import annotations

import html
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import reverse

from demo.providers.jira_server import JiraServer
from integrations.connectors.base import Settings
from integrations.models import Connection, WorkItem
from integrations.sync.connect import connect
from integrations.sync.resources import discover_resources
from integrations.sync.slices import run_next_slice
from tests.demo.small_history import small_history

pytestmark = pytest.mark.django_db
EMAIL, TOKEN = "reader@example.com", "token_of_the_tests"


@pytest.fixture
def jira() -> Iterator[JiraServer]:
    with JiraServer(small_history(), email=EMAIL, token=TOKEN) as server:
        yield server


@pytest.fixture
def site(jira: JiraServer) -> Connection:
    answers = Settings(values={"base_url": jira.url, "email": EMAIL}, secrets={"token": TOKEN})
    connection = connect("jira", "Jira of Acme", answers)
    discover_resources(connection)
    read()
    return connection


def read() -> None:
    while run_next_slice() is not None:
        pass


def page_of(connection: Connection) -> str:
    return reverse("admin:integrations_connection_fields", args=[connection.pk])


def chosen(**settings: object) -> dict[str, object]:
    """The form as the page gives it, with these answers."""
    others = {f"other_{name}": "" for name in ("estimates", "sprints", "epics", "teams")}
    found = {"found_estimates": "customfield_10016, customfield_10031", "found_sprints": "customfield_10020"}
    ticked = {"estimates": ["customfield_10016", "customfield_10031"], "sprints": ["customfield_10020"]}
    return {**others, **found, **ticked, **settings}


def estimates() -> dict[str, float | None]:
    return dict(WorkItem.objects.values_list("key", "estimate"))


def test_every_field_is_shown_with_its_latest_values(admin: Client, site: Connection) -> None:
    page = html.unescape(admin.get(page_of(site)).content.decode())
    for words in ("Story Points", "customfield_10016", "Story point estimate", "Epic Link", "no values", "Shop"):
        assert words in page
    assert "Fields</a>" in page


def test_a_chosen_field_is_read_in_place_of_the_found_one(admin: Client, site: Connection) -> None:
    before = estimates()
    assert before["SHOP-1"] != 13
    assert admin.post(page_of(site), chosen(estimates=["customfield_10031"])).status_code == 302
    site.refresh_from_db()
    assert (site.settings["estimates"], site.settings["sprints"]) == ("customfield_10031", "")
    read()
    assert estimates() == dict.fromkeys(before) | {"SHOP-1": 13}
    admin.post(page_of(site), {**chosen(), "estimates": [], "found_estimates": ""})
    read()
    assert estimates() == before


def test_what_is_found_anyway_is_no_choice_and_reads_nothing_again(admin: Client, site: Connection) -> None:
    site.refresh_from_db()
    admin.post(page_of(site), chosen())
    site.refresh_from_db()
    assert {site.settings.get(name, "") for name in ("estimates", "sprints", "epics", "teams")} == {""}
    assert not site.resources.filter(streams__full_requested=True).exists()


def test_a_name_that_is_no_fields_is_refused_and_nothing_changes(admin: Client, site: Connection) -> None:
    answer = admin.post(page_of(site), chosen(other_estimates="Sizes"))
    assert (answer.status_code, "No field is called Sizes." in answer.content.decode()) == (400, True)
    site.refresh_from_db()
    assert not site.settings.get("estimates")


def test_what_hinders_stands_on_the_page(admin: Client, site: Connection, jira: JiraServer) -> None:
    Connection.objects.update(settings={**site.settings, "email": "somebody@example.com"})
    assert "refused the" in admin.get(page_of(site)).content.decode()


def test_the_settings_form_keeps_the_chosen_fields(admin: Client, site: Connection, jira: JiraServer) -> None:
    admin.post(page_of(site), chosen(estimates=["customfield_10031"]))
    address = reverse("admin:integrations_connection_change", args=[site.pk])
    assert 'name="estimates"' not in admin.get(address).content.decode()
    form = {"name": "Jira", "base_url": jira.url, "email": EMAIL, "token": "", "mirror_tickets": "false"}
    form |= {"sync_every_minutes": "15"}
    assert admin.post(address, form).status_code == 302
    site.refresh_from_db()
    assert (site.name, site.settings["estimates"]) == ("Jira", "customfield_10031")


def test_a_provider_without_fields_of_its_own_has_no_such_page(admin: Client, connection: Connection) -> None:
    assert admin.get(page_of(connection)).status_code == 404

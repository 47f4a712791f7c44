"""Why nothing of a connection works: the three causes, named alike by the form, the list, Integrations and doctor."""

from __future__ import annotations

import html
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config import diagnosis
from demo.providers.github_server import GitHubServer
from integrations.models import Connection
from integrations.sync.check import check_connection
from integrations.sync.health import sync_health
from tests.connections.conftest import TOKEN
from tests.connections.test_settings_form import ADD, TEST, filled
from tests.listening import listening

pytestmark = pytest.mark.django_db
NOWHERE = "http://127.0.0.1:9"
LIST = "/admin/integrations/connection/"


class _Site(BaseHTTPRequestHandler):
    """A web site that is no API: a page at its root, 404 elsewhere."""

    def do_GET(self) -> None:
        is_page = self.path.startswith("/page")
        self.send_response(200 if is_page else 404)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html><title>Welcome</title></html>")

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def site() -> Iterator[str]:
    with listening(HTTPServer(("127.0.0.1", 0), _Site)) as address:
        yield address


@pytest.fixture
def addresses(site: str, github: GitHubServer) -> dict[str, tuple[str, str]]:
    """By the words for the cause: an address and a token."""
    return {
        "Cannot be reached": (NOWHERE, TOKEN),
        "Wrong address": (site, TOKEN),
        "Refused": (github.url, "github_pat_revoked"),
    }


@pytest.mark.parametrize("cause", ["Cannot be reached", "Wrong address", "Refused"])
def test_causes_are_named_before_and_after_connecting(
    admin: Client, addresses: dict[str, tuple[str, str]], cause: str
) -> None:
    address, token = addresses[cause]
    answers = filled(base_url=address, token=token)
    tested = admin.post(f"{TEST}?provider=github", answers, headers={"HX-Request": "true"}).content.decode()
    assert f'<span class="hw-mark bad">{cause}</span>' in tested

    saved = admin.post(ADD, answers)
    connection = Connection.objects.get()
    assert saved["Location"] == reverse("admin:integrations_connection_change", args=[connection.pk])
    page = html.unescape(admin.get(saved["Location"]).content.decode())
    assert "is connected" not in page
    assert "nothing works yet" in page
    others = {"Cannot be reached", "Wrong address", "Refused"} - {cause}
    shown = html.unescape(admin.get(LIST).content.decode())
    assert f'<td class="field-state">{cause}</td>' in shown
    assert not any(f'<td class="field-state">{other}</td>' in shown for other in others)
    assert sync_health(timezone.now())[0].state.value == cause.lower().replace(
        "cannot be reached", "unreachable"
    ).replace(" ", "_")
    found = diagnosis.connections()
    assert found.state == diagnosis.State.WRONG
    assert f"{connection.name}: {cause}." in found.sentence


def test_a_page_where_json_is_expected_is_a_wrong_address(admin: Client, site: str) -> None:
    answers = filled(base_url=f"{site}/page", token=TOKEN)
    tested = admin.post(f"{TEST}?provider=github", answers, headers={"HX-Request": "true"}).content.decode()
    assert '<span class="hw-mark bad">Wrong address</span>' in tested


def test_the_last_attempt_decides(admin: Client, github: GitHubServer, connection: Connection) -> None:
    check_connection(connection)
    assert connection.cause == "unreachable"
    connection.settings = {**connection.settings, "base_url": github.url}
    connection.save()
    check_connection(connection)
    assert (connection.cause, connection.problem) == ("", "")
    assert '<td class="field-state">No resource selected</td>' in admin.get(LIST).content.decode()


def test_a_pasted_address_is_read_as_the_apis_and_said_so(admin: Client) -> None:
    answers = filled(base_url="https://github.com/acme", owners="", token=TOKEN)
    tested = html.unescape(
        admin.post(f"{TEST}?provider=github", answers, headers={"HX-Request": "true"}).content.decode()
    )
    assert "https://github.com/acme is read as https://api.github.com, organisation acme." in tested


@pytest.mark.parametrize("pasted", ["https://github.com/acme/shop", "git@github.com:acme/shop.git"])
def test_a_repositorys_address_leads_to_githubs_form(admin: Client, pasted: str) -> None:
    answer = admin.post("/setup/repositories/", {"path": pasted}, follow=True)
    page = answer.content.decode()
    assert 'value="https://api.github.com"' in page
    assert 'name="owners" value="acme"' in page
    assert not Connection.objects.exists()


def test_another_hosts_address_is_no_path(admin: Client) -> None:
    answer = admin.post("/setup/repositories/", {"path": "https://gitlab.example.com/acme/shop"})
    assert answer.status_code == 400
    assert "not a path on this machine" in answer.content.decode()

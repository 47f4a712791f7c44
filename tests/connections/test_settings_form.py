"""The guided form of a connection: what it asks, what it never shows, and what Test connection answers."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from demo.providers.github_server import GitHubServer
from integrations.admin.connections.forms import GitConnectionForm, form_of
from integrations.connectors.github.connector import GitHub
from integrations.models import Connection
from tests.connections.conftest import LACKING, TOKEN

pytestmark = pytest.mark.django_db
ADD = "/admin/integrations/connection/add/?provider=github"
TEST = "/admin/integrations/connection/test/"
ELSEWHERE = "http://127.0.0.1:10"


def filled(**answers: str) -> dict[str, str]:
    """The form with its defaults, a name, an address where nobody answers, and a token."""
    defaults = {field.name: field.default for field in GitHub.fields}
    filled_in = {"name": "GitHub of Acme", "base_url": "http://127.0.0.1:9", "token": TOKEN, "sync_every_minutes": "15"}
    return {**defaults, **filled_in, **answers}


def change(connection: Connection) -> str:
    return reverse("admin:integrations_connection_change", args=[connection.pk])


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_a_provider_is_chosen_first(admin: Client) -> None:
    page = text_of(admin.get("/admin/integrations/connection/add/"))
    assert "GitHub" in page
    assert "Local git" in page
    assert "pull requests" in page.lower()


def test_the_form_asks_what_the_connector_does_and_says_what_to_grant(admin: Client) -> None:
    page = text_of(admin.get(ADD))
    for field in GitHub.fields:
        assert f'name="{field.name}"' in page
    assert "<li>Pull requests: read</li>" in page


def test_connecting_leads_to_what_is_synced(admin: Client, github: GitHubServer) -> None:
    answer = admin.post(ADD, filled(base_url=github.url))
    connection = Connection.objects.get()
    assert answer["Location"] == reverse("admin:integrations_connection_resources", args=[connection.pk])
    assert connection.provider == "github"
    assert connection.secrets["token"] == TOKEN
    assert connection.settings["resources"]["match"] == []  # nothing is read before somebody chose it
    assert connection.discover_at is not None


def test_a_taken_name_is_refused_and_the_other_connection_stays(admin: Client, connection: Connection) -> None:
    answer = admin.post(ADD, filled(base_url=ELSEWHERE))
    assert "already exists" in text_of(answer)
    connection.refresh_from_db()
    assert connection.settings["base_url"] == "http://127.0.0.1:9"


def test_a_secret_is_never_rendered_and_empty_means_keep(admin: Client, connection: Connection) -> None:
    assert TOKEN not in text_of(admin.get(change(connection)))
    answer = admin.post(change(connection), filled(token="", name="Our GitHub", sync_every_minutes="30"))
    assert answer.status_code == 302
    connection.refresh_from_db()
    assert (connection.name, connection.sync_every_minutes) == ("Our GitHub", 30)
    assert connection.secrets["token"] == TOKEN


def test_a_form_that_was_wrong_does_not_give_the_secret_back(admin: Client) -> None:
    for secret in ("token", "private_key"):
        answer = admin.post(ADD, filled(**{secret: "a-secret-that-was-typed", "base_url": ""}))
        assert "required" in text_of(answer)
        assert "a-secret-that-was-typed" not in text_of(answer)


def test_another_base_url_asks_for_the_secret_again(admin: Client, connection: Connection) -> None:
    refused = admin.post(change(connection), filled(token="", base_url=ELSEWHERE))
    assert "must be entered again" in text_of(refused)
    connection.refresh_from_db()
    assert connection.settings["base_url"] == "http://127.0.0.1:9"
    assert admin.post(change(connection), filled(base_url=ELSEWHERE)).status_code == 302


def test_a_stored_secret_can_be_forgotten(admin: Client, connection: Connection) -> None:
    assert admin.post(change(connection), filled(token="", forget_token="on")).status_code == 302
    connection.refresh_from_db()
    assert "token" not in connection.secrets
    assert connection.secrets["webhook_secret"]


def test_the_webhook_secret_survives_a_rotation_of_the_token(admin: Client, connection: Connection) -> None:
    before = connection.secrets["webhook_secret"]
    admin.post(change(connection), filled(token="github_pat_next"))
    connection.refresh_from_db()
    assert connection.secrets == {"token": "github_pat_next", "webhook_secret": before}


def test_every_permission_is_answered_before_anything_is_saved(admin: Client, github: GitHubServer) -> None:
    answer = admin.post(f"{TEST}?provider=github", filled(base_url=github.url, token=LACKING))
    page_text = text_of(answer)
    assert "Pull requests and reviews" in page_text
    assert "grant the token “Deployments: read”" in page_text
    assert LACKING not in page_text
    assert not Connection.objects.exists()


def test_a_refused_token_is_said_in_words(admin: Client, github: GitHubServer) -> None:
    page_text = text_of(admin.post(f"{TEST}?provider=github", filled(base_url=github.url, token="github_pat_wrong")))
    assert "GitHub refused the token" in page_text
    assert "401" not in page_text


def test_what_is_stored_is_tested_with_the_stored_secret(admin: Client, github: GitHubServer) -> None:
    admin.post(ADD, filled(base_url=github.url))
    connection = Connection.objects.get()
    page_text = text_of(admin.post(f"{TEST}?connection={connection.pk}", filled(base_url=github.url, token="")))
    assert "does not work" not in page_text
    connection.refresh_from_db()
    assert all(check["works"] for check in connection.checks)
    assert connection.checks[0]["what"] in text_of(admin.get(change(connection)))


def test_a_stored_secret_is_not_sent_to_another_address(
    admin: Client, connection: Connection, github: GitHubServer
) -> None:
    page_text = text_of(admin.post(f"{TEST}?connection={connection.pk}", filled(base_url=github.url, token="")))
    assert "must be entered again" in page_text
    assert github.requests == []


def test_a_form_that_is_incomplete_is_not_tested(admin: Client) -> None:
    assert "Not tested yet" in text_of(admin.post(f"{TEST}?provider=github", filled(base_url="")))


def test_members_reach_none_of_it(member: Client, connection: Connection) -> None:
    names = ("change", "resources", "meanings", "webhook", "history", "quarantine", "delete")
    addresses = [reverse(f"admin:integrations_connection_{name}", args=[connection.pk]) for name in names]
    for address in (ADD, *addresses):
        assert member.get(address, follow=True).status_code == 403, address
    act = reverse("admin:integrations_connection_act", args=[connection.pk])
    for address in (f"{TEST}?connection={connection.pk}", act):
        assert member.post(address, {"act": "sync"}, follow=True).status_code == 403, address


@pytest.mark.parametrize("act", ["sync", "look_again", "pause", "resume", "cancel", "test"])
def test_every_button_says_what_it_did(admin: Client, connection: Connection, act: str) -> None:
    address = reverse("admin:integrations_connection_act", args=[connection.pk])
    page = text_of(admin.post(address, {"act": act}, follow=True))
    assert 'class="messagelist"' in page
    assert connection.name in page


def test_the_forms_of_all_providers_can_be_made() -> None:
    names = list(form_of(GitHub)().fields)
    assert (names[0], names[-1]) == ("name", "sync_every_minutes")
    assert list(GitConnectionForm().fields) == ["path", "name"]


def test_the_name_of_a_removed_connection_goes_on_with_its_facts(admin: Client, connection: Connection) -> None:
    remove = reverse("admin:integrations_connection_delete", args=[connection.pk])
    assert "GitHub of Acme is removed. Its records are kept." in text_of(
        admin.post(remove, {"facts": "keep"}, follow=True)
    )
    assert admin.get(change(connection), follow=True).redirect_chain
    assert admin.post(ADD, filled()).status_code == 302
    assert Connection.objects.get().pk == connection.pk

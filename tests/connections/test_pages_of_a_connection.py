"""Webhook, meanings, history and quarantine of a connection in admin."""

from __future__ import annotations

import html
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.admin.connections.masking import masked
from integrations.enums import Kind
from integrations.models import (
    Connection,
    Deployment,
    QuarantinedPayload,
    Repository,
    Stream,
    SyncRun,
    ValueMapping,
    WebhookDelivery,
)
from tests.connections.conftest import add_resources

pytestmark = pytest.mark.django_db


def address_of(connection: Connection, page: str) -> str:
    return reverse(f"admin:integrations_connection_{page}", args=[connection.pk])


def text_of(answer: Any) -> str:
    return html.unescape(answer.content.decode())


def test_the_webhook_secret_is_shown_on_demand_and_kept_by_nobody(admin: Client, connection: Connection) -> None:
    address, secret = address_of(connection, "webhook"), connection.secrets["webhook_secret"]
    page = admin.get(address)
    assert f"/hooks/github/{connection.pk}/" in text_of(page)
    assert secret not in text_of(page)
    shown = admin.post(address, {"act": "show"})
    assert secret in text_of(shown)
    assert "no-store" in shown["Cache-Control"]


def test_a_new_webhook_secret_leaves_the_token_alone(admin: Client, connection: Connection) -> None:
    before = dict(connection.secrets)
    admin.post(address_of(connection, "webhook"), {"act": "rotate"})
    connection.refresh_from_db()
    assert connection.secrets["webhook_secret"] != before["webhook_secret"]
    assert connection.secrets["token"] == before["token"]


def test_the_last_deliveries_are_listed(admin: Client, connection: Connection) -> None:
    WebhookDelivery.objects.create(connection=connection, delivery_id="1", event="pull_request")
    assert "pull_request" in text_of(admin.get(address_of(connection, "webhook")))


def deployed(connection: Connection, environment: str) -> Deployment:
    return Deployment.objects.create(
        connection=connection,
        repository=Repository.objects.get_or_create(name="acme/shop")[0],
        external_id=f"to {environment}",
        native_environment=environment,
        status="success",
        finished_at=timezone.now(),
    )


def test_a_changed_meaning_is_applied_to_what_is_stored(admin: Client, connection: Connection) -> None:
    deployment = deployed(connection, "blue")
    address = f"{address_of(connection, 'meanings')}?subject=environment"
    page = text_of(admin.get(address))
    assert "blue" in page
    assert "Default: other" in page
    message = text_of(admin.post(address, {"word": ["blue"], "means": ["production"]}, follow=True))
    assert "1 value mapping changed; 1 stored record was updated." in message
    deployment.refresh_from_db()
    assert deployment.environment == "production"
    admin.post(address, {"word": ["blue"], "means": ["default"]})
    deployment.refresh_from_db()
    assert deployment.environment == "other"
    assert not ValueMapping.objects.exists()


def test_what_a_word_cannot_mean_is_refused(admin: Client, connection: Connection) -> None:
    deployed(connection, "blue")
    address = f"{address_of(connection, 'meanings')}?subject=environment"
    assert "Choose one of" in text_of(admin.post(address, {"word": ["blue"], "means": ["moon"]}, follow=True))
    assert not ValueMapping.objects.exists()


@pytest.mark.parametrize("subject", ValueMapping.Subject.values)
def test_every_subject_has_its_words(admin: Client, connection: Connection, subject: str) -> None:
    page = admin.get(f"{address_of(connection, 'meanings')}?subject={subject}")
    assert "No values yet" in text_of(page)


def test_the_history_says_in_words_what_happened(admin: Client, connection: Connection) -> None:
    resource = add_resources(connection, "acme/shop")[0]
    stream = Stream.objects.create(resource=resource, kind=Kind.PULL_REQUEST)
    SyncRun.objects.create(stream=stream, state=SyncRun.State.DONE, read=12, to_read=12, requests=1, added=3, changed=1)
    problem = "GitHub refused the token. Enter a new one."
    SyncRun.objects.create(stream=stream, state=SyncRun.State.FAILED, problem=problem)
    page = text_of(admin.get(address_of(connection, "history")))
    assert "acme/shop: pull requests" in page
    assert "12 records read in 1 request: 3 added, 1 changed" in page
    assert problem in page
    failed = text_of(admin.get(f"{address_of(connection, 'history')}?failed"))
    assert problem in failed
    assert "12 records" not in failed


@pytest.fixture
def quarantined(connection: Connection) -> QuarantinedPayload:
    return QuarantinedPayload.objects.create(
        connection=connection,
        kind=Kind.RELEASE,
        external_id="701",
        source="release",
        payload={"id": 701, "author": {"login": "ada", "email": "ada@example.com"}, "html_url": "https://x/ada/shop"},
        path="tag_name",
        problem="is missing",
    )


def test_quarantine_names_the_field_and_masks_people(
    admin: Client, connection: Connection, quarantined: QuarantinedPayload
) -> None:
    page = text_of(admin.get(address_of(connection, "quarantine")))
    assert "tag_name" in page
    assert "Release 701" in page
    assert "ada@example.com" not in page
    assert "https://x/(name)/shop" in page


def test_what_is_still_not_understood_stays_in_quarantine(
    admin: Client, connection: Connection, quarantined: QuarantinedPayload
) -> None:
    address = address_of(connection, "quarantine")
    message = text_of(admin.post(address, {"record": [quarantined.pk]}, follow=True))
    assert "still cannot be understood" in message
    quarantined.refresh_from_db()
    assert quarantined.replayed_at is None


def test_masking_keeps_the_shape() -> None:
    payload = {
        "number": 7,
        "title": "Ada's secret plan",
        "user": {"login": "grace-hopper", "id": 4},
        "head": {"ref": "grace-hopper/fix", "label": "acme:grace-hopper/fix"},
        "state": "open",
        "created_at": "2026-03-02T10:00:00Z",
        "note": "ask grace@example.com",
        "files": list(range(9)),
    }
    assert masked(payload) == {
        "number": 7,
        "title": "(text of 17 characters)",
        "user": "(object with login, id)",
        "head": {"ref": "(name)/fix", "label": "acme:(name)/fix"},
        "state": "open",
        "created_at": "2026-03-02T10:00:00Z",
        "note": "ask (address)",
        "files": [0, 1, 2, 3, 4, "(and 4 more)"],
    }

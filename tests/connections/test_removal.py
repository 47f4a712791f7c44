"""Removing a connection with more facts than a browser waits for."""

from __future__ import annotations

import html

import pytest
from django.test import Client
from django.urls import reverse

from integrations.admin.connections import removal
from integrations.models import Connection, PullRequest, Repository
from integrations.sync.health import synced_connections
from integrations.sync.remove_connection import delete_unwanted_facts

pytestmark = pytest.mark.django_db


@pytest.fixture
def pull_request(connection: Connection) -> PullRequest:
    shop = Repository.objects.create(name="acme/shop")
    return PullRequest.objects.create(connection=connection, repository=shop, external_id="1", number=1)


def remove(admin: Client, connection: Connection) -> str:
    address = reverse("admin:integrations_connection_delete", args=[connection.pk])
    return html.unescape(admin.post(address, {"facts": "delete"}, follow=True).content.decode())


def test_few_facts_are_deleted_at_once(admin: Client, connection: Connection, pull_request: PullRequest) -> None:
    assert "The records that it alone provided are deleted, too." in remove(admin, connection)
    assert not PullRequest.objects.exists()


def test_removing_a_connection_without_its_facts_deletes_its_secrets(admin: Client, connection: Connection) -> None:
    connection.secrets = {"token": "kept-until-now"}
    connection.save()
    admin.post(reverse("admin:integrations_connection_delete", args=[connection.pk]), {"facts": "keep"})
    connection.refresh_from_db()
    assert connection.removed_at
    assert not connection.secrets


def test_many_are_deleted_by_the_worker(
    admin: Client, connection: Connection, pull_request: PullRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "MOST_WHILE_WAITING", 0)
    connection.secrets = {"token": "kept-until-now"}
    connection.save()
    assert "The 1 records that it provided are being deleted in the background" in remove(admin, connection)
    assert PullRequest.objects.exists()
    assert not synced_connections().exists()
    assert not Connection.objects.filter(name=connection.name).exists()  # the name can be given again
    assert not Connection.objects.get().secrets
    assert delete_unwanted_facts() == 1
    assert not PullRequest.objects.exists()
    assert not Connection.objects.exists()

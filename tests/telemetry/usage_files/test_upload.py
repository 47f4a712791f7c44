"""The page on which an admin uploads a file of ccusage."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from integrations.models import ImportedUsage
from tests.personas import ADMIN, MEMBER, create_user
from tests.telemetry.usage_files import reports

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(create_user(ADMIN))
    return client


def upload(client: Client, document: Any, **more: str) -> Any:
    file = SimpleUploadedFile("ccusage.json", json.dumps(document).encode(), "application/json")
    return client.post(reverse("usage_files"), {"file": file, "person": "ada@example.com", **more})


def test_a_preview_stores_nothing_and_an_import_does(admin: Client) -> None:
    previewed = upload(admin, reports.CLAUDE_DAILY, preview="1")
    assert "3 new rows" in previewed.content.decode()
    assert not ImportedUsage.objects.exists()
    upload(admin, reports.CLAUDE_DAILY)
    assert ImportedUsage.objects.count() == 3


def test_errors_are_shown_by_field(admin: Client) -> None:
    answered = upload(admin, reports.ALL_DAILY)
    assert answered.status_code == 422
    assert "daily[0].metadata.agents" in answered.content.decode()


def test_without_an_address_the_form_says_so(admin: Client) -> None:
    answered = upload(admin, reports.CLAUDE_DAILY, person="ada")
    assert answered.status_code == 422
    assert "valid email" in answered.content.decode()


def test_others_do_not_find_the_page(client: Client) -> None:
    client.force_login(create_user(MEMBER))
    assert client.get(reverse("usage_files")).status_code == 404

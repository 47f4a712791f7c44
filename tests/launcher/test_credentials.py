"""The sign-in and token generated at the first start, and how long they are shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from config.launcher.credentials import FIRST_ADMIN, ingest_token, sign_ins
from integrations.models import IngestToken
from integrations.telemetry.otlp.ingest_tokens import revoke_ingest_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_the_first_admin_is_shown_until_the_password_is_changed() -> None:
    first = sign_ins()
    assert [(sign_in["name"], sign_in["role"]) for sign_in in first] == [(FIRST_ADMIN, "admin")]
    assert sign_ins() == first
    user = User.objects.get(email=FIRST_ADMIN)
    assert user.check_password(first[0]["password"])
    user.set_password("another one")
    user.save()
    assert sign_ins() == []


def test_an_installation_with_accounts_gets_none() -> None:
    User.objects.create_user("ada")
    assert sign_ins() == []
    assert User.objects.count() == 1


def test_the_first_token_is_shown_until_it_is_revoked(data_dir: Path) -> None:
    token = ingest_token()
    assert token is not None
    assert ingest_token() == token
    assert (data_dir / "secrets" / "ingest_token").stat().st_mode & 0o077 == 0
    revoke_ingest_token(IngestToken.objects.get())
    assert ingest_token() is None
    assert IngestToken.objects.count() == 1

"""My account: personal tokens, and signing out everywhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orgtree.access.api_tokens import create_api_token
from orgtree.models import ApiToken, TokenScope
from tests.personas import ADMIN, MEMBER, OTHER_MEMBER, Persona, create_user

pytestmark = pytest.mark.django_db

SERIES = "/api/v1/metrics/ai.tokens/series/"


def bearer(secret: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {secret}"})


def made(client: Client, **fields: str) -> str:
    """The secret that the page shows."""
    answer = client.post(reverse("create_token"), {"name": "notebook", "scope": "read", "lifetime": "365", **fields})
    [secret] = re.findall(r"hwa_[\w-]+", answer.content.decode())
    return str(secret)


def test_a_token_of_oneself_is_shown_once_and_ends_in_a_year(member: Client) -> None:
    secret = made(member)
    assert bearer(secret).get(SERIES).status_code == 200
    page = member.get(reverse("account")).content.decode()
    assert secret not in page
    assert f"…{secret[-4:]}" in page
    token = ApiToken.objects.get()
    assert token.user == create_user(MEMBER)
    assert token.expires_at is not None
    assert timedelta(days=364) < token.expires_at - timezone.now() <= timedelta(days=365)


def test_a_token_that_is_over_opens_nothing() -> None:
    _, secret = create_api_token("old", user=create_user(MEMBER), expires_at=timezone.now())
    assert bearer(secret).get(SERIES).status_code == 401


def test_a_token_for_people_reads_no_figures(admin: Client) -> None:
    answer = bearer(made(admin, scope=TokenScope.PEOPLE.value)).get(SERIES)
    assert answer.status_code == 403
    assert "for something else" in answer.json()["error"]["message"]


def test_members_cannot_make_a_token_that_writes(member: Client) -> None:
    fields = {"name": "x", "scope": TokenScope.PEOPLE.value, "lifetime": "365"}
    assert member.post(reverse("create_token"), fields).status_code == 400
    assert not ApiToken.objects.exists()


def test_only_ones_own_tokens_can_be_revoked(member: Client, sign_in: Callable[[Persona], Client]) -> None:
    secret = made(member)
    address = reverse("revoke_token", args=[ApiToken.objects.get().pk])
    assert sign_in(OTHER_MEMBER).post(address).status_code == 404
    assert bearer(secret).get(SERIES).status_code == 200
    assert member.post(address).status_code == 302
    assert bearer(secret).get(SERIES).status_code == 401


def test_signing_out_everywhere_ends_all_sessions_of_oneself_alone(sign_in: Callable[[Persona], Client]) -> None:
    laptop, phone, other = sign_in(MEMBER), sign_in(MEMBER), sign_in(OTHER_MEMBER)
    assert laptop.post(reverse("sign_out_everywhere")).status_code == 302
    assert [client.get("/").status_code for client in (laptop, phone, other)] == [302, 302, 200]


def test_an_admin_signs_another_account_out_and_switches_it_off(
    admin: Client, sign_in: Callable[[Persona], Client]
) -> None:
    client = sign_in(MEMBER)
    user = User.objects.get(username=MEMBER.email)
    _, secret = create_api_token("own", user=user, expires_at=None)
    accounts = reverse("admin:auth_user_changelist")
    answer = admin.post(accounts, {"action": "sign_out", "_selected_action": [user.pk]}, follow=True)
    assert "Sessions ended: 1. API tokens that still work: 1." in answer.content.decode()
    assert client.get("/").status_code == 302
    assert bearer(secret).get(SERIES).status_code == 200
    own = User.objects.get(username=ADMIN.email)
    admin.post(accounts, {"action": "switch_off", "_selected_action": [user.pk, own.pk]})
    assert bearer(secret).get(SERIES).status_code == 401
    own.refresh_from_db()
    assert own.is_active

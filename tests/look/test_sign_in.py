"""Signing in and out, and what happens to somebody who guesses."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from django.urls import NoReverseMatch, reverse

from tests.personas import ADMIN, MEMBER, Persona, create_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _accounts() -> None:
    cache.clear()  # allauth counts sign-ins by address there: 30 a minute
    for persona in (ADMIN, MEMBER):
        user = create_user(persona)
        user.set_password(persona.password)
        user.save()


def sign_in(client: Client, login: str, password: str, **fields: str) -> int:
    return client.post(reverse("account_login"), {"login": login, "password": password, **fields}).status_code


def test_the_page_asks_for_two_things_and_asks_the_browser_to_fill_them() -> None:
    page = Client().get(reverse("account_login")).content.decode()
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page


def test_people_sign_in_by_e_mail_and_leave_again() -> None:
    client = Client()
    assert sign_in(client, MEMBER.email.upper(), MEMBER.password) == 302
    assert client.session["_auth_user_id"]
    answer = client.post(reverse("account_logout"))
    assert answer.headers["Location"] == reverse("account_login")
    assert "_auth_user_id" not in client.session


def test_a_wrong_password_keeps_the_name_and_says_so() -> None:
    answer = Client().post(reverse("account_login"), {"login": MEMBER.email, "password": "guess"})
    page = answer.content.decode()
    assert 'role="alert"' in page
    assert f'value="{MEMBER.email}"' in page
    assert "guess" not in page


@pytest.mark.parametrize("login", [MEMBER.email, "Nobody@example.com", "nobody"])
def test_guessing_is_stopped(login: str) -> None:
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT - 1):
        assert sign_in(client, login, "guess") == 200
    assert sign_in(client, login, "guess") == 429
    answer = client.post(reverse("account_login"), {"login": login.lower(), "password": MEMBER.password})
    assert answer.status_code == 429
    assert b"for 15 minutes" in answer.content


def test_others_still_sign_in_while_one_account_is_closed() -> None:
    client = Client()
    for _ in range(settings.AXES_FAILURE_LIMIT):
        sign_in(client, ADMIN.email, "guess")
    assert sign_in(Client(), MEMBER.email, MEMBER.password) == 302


def test_after_signing_in_the_requested_page_opens() -> None:
    answer = Client().post(
        reverse("account_login"), {"login": MEMBER.email, "password": MEMBER.password, "next": "/setup/agents/"}
    )
    assert answer.headers["Location"] == "/setup/agents/"


def test_nobody_is_sent_to_another_site() -> None:
    answer = Client().post(
        reverse("account_login"),
        {"login": MEMBER.email, "password": MEMBER.password, "next": "https://elsewhere.example/"},
    )
    assert answer.headers["Location"] == "/"


def test_admins_sign_in_where_everybody_does() -> None:
    client = Client()
    answer = client.get(reverse("admin:login"), {"next": "/admin/auth/user/"})
    assert answer.headers["Location"] == "/accounts/login/?next=%2Fadmin%2Fauth%2Fuser%2F"


def test_members_are_refused_by_the_admin_without_going_in_circles(client: Client) -> None:
    client.force_login(create_user(MEMBER), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get("/admin/", follow=True)
    assert answer.status_code == 403
    assert b"You may not open this page" in answer.content


@pytest.mark.parametrize("name", ["account_signup", "account_reset_password", "account_email"])
def test_what_is_not_offered_has_no_address(name: str) -> None:
    with pytest.raises(NoReverseMatch):
        reverse(name)


@pytest.mark.parametrize("persona", [ADMIN, MEMBER], ids=lambda persona: persona.name)
def test_people_change_their_password(persona: Persona) -> None:
    client = Client()
    sign_in(client, persona.email, persona.password)
    fields = {"oldpassword": persona.password, "password1": "a-quite-new-phrase", "password2": "a-quite-new-phrase"}
    assert client.get(reverse("account_change_password")).status_code == 200
    assert client.post(reverse("account_change_password"), fields).status_code == 302
    assert sign_in(Client(), persona.email, "a-quite-new-phrase") == 302

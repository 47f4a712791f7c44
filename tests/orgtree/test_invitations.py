"""Invitations: a link creates an account once, and reveals nothing to guesses."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from orgtree.access.invitations import CannotInviteError, find_invitation, invite, renew, withdraw
from orgtree.models import Invitation, Person
from orgtree.models.visibility import person_of
from tests.personas import ADMIN, MEMBER, create_user

pytestmark = pytest.mark.django_db

PASSWORD = "a-long-enough-one-74"


def invite_by_page(admin: Client, *emails: str) -> list[str]:
    """The paths of the links that the page shows."""
    page = admin.post(reverse("invitations"), {"emails": "\n".join(emails)}).content.decode()
    return re.findall(r"/accounts/invitation/[\w-]+/", page)


def open_account(link: str, password: str = PASSWORD) -> tuple[Client, int]:
    client = Client()
    return client, client.post(link, {"password": password, "again": password}).status_code


def test_a_link_opens_an_account_for_the_person_with_that_address(admin: Client) -> None:
    person = Person.objects.create(full_name="Lise Meitner", email="Lise@example.com")
    [link] = invite_by_page(admin, "lise@EXAMPLE.com")
    page = Client().get(link).content.decode()
    assert "admin@example.com invites lise@example.com" in page
    client, status = open_account(link)
    assert status == 302
    assert client.get("/").status_code == 200
    user = Invitation.objects.get().accepted_by
    assert user is not None
    assert (user.get_full_name(), user.email, person_of(user)) == ("Lise Meitner", "lise@example.com", person)
    assert not user.is_staff


def test_a_link_works_once(admin: Client) -> None:
    [link] = invite_by_page(admin, "lise@example.com")
    open_account(link)
    assert open_account(link)[1] == 404
    assert Client().get(link).status_code == 404


def test_only_the_hash_is_kept(admin: Client) -> None:
    [link] = invite_by_page(admin, "lise@example.com")
    token = link.split("/")[-2]
    assert token.encode() not in bytes(Invitation.objects.get().digest)
    assert token not in admin.get(reverse("invitations")).content.decode()


def test_what_is_over_withdrawn_replaced_or_guessed_gets_one_answer(admin: Client) -> None:
    by = create_user(ADMIN)
    over, withdrawn, replaced = invite(["a@example.com", "b@example.com", "c@example.com"], by=by)
    Invitation.objects.filter(pk=over.invitation.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    withdraw(withdrawn.invitation)
    newer = renew(replaced.invitation, by=by)
    tokens = [over.token, withdrawn.token, replaced.token, "guessed"]
    pages = {Client().get(f"/accounts/invitation/{token}/").content for token in tokens}
    assert len(pages) == 1
    assert find_invitation(newer.token) == newer.invitation


def test_a_weak_password_opens_nothing(admin: Client) -> None:
    [link] = invite_by_page(admin, "lise@example.com")
    assert open_account(link, "lise@example.com")[1] == 400
    assert Client().post(link, {"password": PASSWORD, "again": "another-one-90"}).status_code == 400
    assert Client().get(link).status_code == 200


@pytest.mark.parametrize(
    ("emails", "words"),
    [
        (["not an address"], "is not an e-mail address"),
        ([MEMBER.email.upper()], "already has an account"),
        ([f"{'x' * 60}@{'y' * 60}.{'z' * 60}.example.com"], "is longer than 150 characters"),
    ],
)
def test_one_address_that_cannot_be_invited_stops_all(emails: list[str], words: str) -> None:
    create_user(MEMBER)
    with pytest.raises(CannotInviteError, match=words):
        invite(["good@example.com", *emails], by=create_user(ADMIN))
    assert not Invitation.objects.exists()


def test_people_without_an_account_can_be_chosen(admin: Client) -> None:
    Person.objects.create(full_name="Lise Meitner", email="lise@example.com")
    Person.objects.create(full_name="Admin", email=ADMIN.email.upper())
    page = admin.get(reverse("invitations")).content.decode()
    assert "Lise Meitner" in page
    assert f'value="{ADMIN.email.upper()}"' not in page
    admin.post(reverse("invitations"), {"person": ["lise@example.com"]})
    assert Invitation.objects.get().email == "lise@example.com"


def test_a_configured_mail_server_sends_the_link(admin: Client, settings: Settings) -> None:
    settings.EMAIL_HOST = "mail.example.com"
    [link, *_] = invite_by_page(admin, "lise@example.com")
    [message] = mail.outbox
    assert message.to == ["lise@example.com"]
    assert link in message.body

"""Identity decisions in Django admin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from orgtree.identities.match_identities import match_identities
from orgtree.models import IdentityChange, MatchProposal, Person, Standing
from tests.orgtree.identity_world import account, employed, of, seen, signed

pytestmark = pytest.mark.django_db

LOGIN = signed("Finch Imagined", "40100301+finch-imagined@users.noreply.github.com")
STRANGER = signed("Willow O’Hara", "wo@elsewhere.example.org")


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin", "admin@example.com"))
    return client


@pytest.fixture
def finch() -> Person:
    person = employed("Finch Imagined", "finch.imagined@example.com")
    seen(LOGIN)
    seen(STRANGER, account("a-1"))
    match_identities()
    return person


def act(admin: Client, model: str, action: str, *rows: int) -> str:
    answer = admin.post(
        reverse(f"admin:orgtree_{model}_changelist"), {"action": action, "_selected_action": rows}, follow=True
    )
    assert answer.status_code == 200
    return answer.content.decode()


def test_proposals_are_listed_with_their_evidence_and_confirmed(admin: Client, finch: Person) -> None:
    page = admin.get(reverse("admin:orgtree_matchproposal_changelist")).content.decode()
    assert "Signed “Finch Imagined”" in page
    assert "Done: 1 decision." in act(admin, "matchproposal", "confirm", MatchProposal.objects.get().pk)
    assert of(LOGIN).person == finch
    assert IdentityChange.objects.get().by == User.objects.get()
    assert "decided in the meantime" in act(admin, "matchproposal", "confirm", MatchProposal.objects.get().pk)


def test_proposals_are_rejected(admin: Client, finch: Person) -> None:
    act(admin, "matchproposal", "reject", MatchProposal.objects.get().pk)
    assert of(LOGIN).person not in (finch, None)


def test_bots_are_marked_and_let_go(admin: Client, finch: Person) -> None:
    act(admin, "identity", "mark_as_bots", of(STRANGER).pk, of(LOGIN).pk)
    assert {of(STRANGER).standing, of(LOGIN).standing} == {Standing.BOT}
    assert "Nothing changed: this was already the case." in act(admin, "identity", "mark_as_bots", of(STRANGER).pk)
    act(admin, "identity", "unmark_bots", of(STRANGER).pk)
    assert of(STRANGER).person is not None


def test_splitting_all_or_none(admin: Client, finch: Person) -> None:
    page = act(admin, "identity", "split_off", of(account("a-1")).pk, of(LOGIN).pk)
    assert "Finch-imagined belongs to nobody." in page  # admin begins messages with a capital
    assert of(account("a-1")).person == of(STRANGER).person
    act(admin, "identity", "split_off", of(account("a-1")).pk)
    assert of(account("a-1")).person != of(STRANGER).person


def test_an_identity_is_given_to_somebody_and_to_nobody(admin: Client, finch: Person) -> None:
    address = reverse("admin:orgtree_identity_change", args=[of(STRANGER).pk])
    assert admin.post(address, {"person": finch.pk}).status_code == 302
    assert of(STRANGER).person == finch
    assert admin.post(address, {"person": ""}).status_code == 302
    assert of(STRANGER).person is None
    assert IdentityChange.objects.count() == 2

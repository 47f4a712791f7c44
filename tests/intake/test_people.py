"""People named in records: one identity for one login, and nobody for an empty name."""

from __future__ import annotations

import pytest
from django.db import transaction

from integrations.connectors.drafts import Who
from integrations.intake.identities import identify_people
from orgtree.identities.resolving import IdentityName, identify
from orgtree.models import Identity, IdentityKind, Person

pytestmark = pytest.mark.django_db


def identities(*people: Who) -> list[Identity]:
    with transaction.atomic():
        by_who = identify_people("github", people)
    return [Identity.objects.get(pk=by_who[who]) for who in people]


def test_a_login_is_the_same_with_and_without_its_address() -> None:
    bare, known, again = identities(
        Who(login="ada-k"), Who(login="Ada-K", email="ada@example.com", name="Ada Kovacs"), Who(login="ADA-K")
    )
    assert bare == known == again
    assert (bare.kind, bare.provider, bare.value) == (IdentityKind.LOGIN, "github", "ada-k")
    assert bare.person is not None
    assert (bare.person.email, bare.person.full_name) == ("ada@example.com", "Ada Kovacs")


def test_whoever_commits_under_a_no_reply_address_is_the_login() -> None:
    (id_,) = identify([[IdentityName.of_address("1+Ada-K@users.noreply.github.com")]])
    assert identities(Who(login="Ada-K"))[0].pk == id_


def test_an_address_alone_names_a_person() -> None:
    assert identities(Who(email="Ben@example.com"))[0].value == "ben@example.com"


@pytest.mark.parametrize(
    "who",
    [
        Who(login="deployer", bot=True),
        Who(login="dependabot[bot]"),
        Who(login="renovate"),
        Who(account="5b10a2844c20165700ede21g"),
        Who(name="Somebody"),
        Who(login="\0"),
        Who(email="no address"),
        Who(),
    ],
)
def test_bots_and_names_of_nobody_have_no_person(who: Who) -> None:
    (identity,) = identities(who)
    assert (identity.kind, identity.person) == (IdentityKind.INSTALLATION, None)
    assert not Person.objects.exists()

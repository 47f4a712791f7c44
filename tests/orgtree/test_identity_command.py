"""manage.py identity LOGIN EMAIL"""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from orgtree.identities.match_identities import match_identities
from orgtree.models import Identity, IdentityChange, Person
from tests.orgtree.identity_world import employed, of, seen, signed

pytestmark = pytest.mark.django_db

LOGIN = signed("Finch Imagined", "40100301+finch-imagined@users.noreply.github.com")


@pytest.fixture
def finch() -> Person:
    return employed("Finch Imagined", "finch.imagined@example.com")


def identity(*words: str) -> Any:
    out = io.StringIO()
    call_command("identity", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_login_that_waited_is_confirmed(finch: Person) -> None:
    seen(LOGIN)
    match_identities()
    output = identity("finch-imagined", "Finch.Imagined@example.com")
    assert output == {
        "identity": "finch-imagined",
        "provider": "",
        "email": "finch.imagined@example.com",
        "changed": True,
    }
    assert of(LOGIN).person == finch
    assert identity("finch-imagined", "finch.imagined@example.com")["changed"] is False
    assert IdentityChange.objects.get().by_id is None


def test_a_login_that_was_never_seen_is_theirs_when_it_is(finch: Person) -> None:
    identity("swift", "finch.imagined@example.com", "--provider", "GitLab")
    assert seen(signed("", "3-swift@users.noreply.gitlab.com")).person == finch
    assert seen(signed("", "3+swift@users.noreply.github.com")).person != finch


def test_another_address(finch: Person) -> None:
    identity("Finch@home.example.org", "finch.imagined@example.com")
    assert seen(signed("", "finch@home.example.org")).person == finch


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("swift", "nobody@example.com"), "Nobody has the address nobody@example.com"),
        (("swift", "finch"), "Nobody has the address finch"),
        (("", "finch.imagined@example.com"), "empty"),
        (("a\nb", "finch.imagined@example.com"), "control characters"),
        (("x" * 400, "finch.imagined@example.com"), "320 are allowed"),
        (("a b@example.com", "finch.imagined@example.com"), "name@domain"),
        (("a@example.com", "finch.imagined@example.com", "--provider", "github"), "has no provider"),
        (("swift", "finch.imagined@example.com", "--provider", "x" * 50), "longer than 40"),
    ],
)
def test_what_cannot_be_is_said_in_words(finch: Person, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("identity", *words)
    assert not Identity.objects.exists()

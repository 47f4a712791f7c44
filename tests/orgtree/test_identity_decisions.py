"""Identity decisions are applied, logged, and can be undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, transaction

from orgtree.identities import decisions
from orgtree.identities.decision_log import DecisionError, undo_change
from orgtree.identities.match_identities import match_identities
from orgtree.identities.resolving import IdentityName
from orgtree.models import Identity, IdentityChange, IdentityKind, MatchProposal, Person, Standing
from tests.orgtree.identity_world import account, employed, of, partition, seen, signed, waiting

pytestmark = pytest.mark.django_db

LOGIN = signed("Finch Imagined", "40100301+finch-imagined@users.noreply.github.com")
SECOND = signed("Cedar Mockley", "cedar@mockley.example.com")
STRANGER = signed("Willow O’Hara", "wo@elsewhere.example.org")


@pytest.fixture
def admin() -> User:
    return User.objects.create_superuser("admin", "admin@example.com")


@pytest.fixture
def finch() -> Person:
    return employed("Finch Imagined", "finch.imagined@example.com")


@pytest.fixture
def cedar() -> Person:
    return employed("Cedar Mockley", "cedar.mockley@example.com")


@pytest.fixture
def _waiting(finch: Person, cedar: Person) -> None:
    seen(LOGIN, account("a-1"))
    seen(SECOND)
    seen(STRANGER)
    match_identities()


def proposals(*people: Person) -> list[int]:
    return [proposal.pk for proposal in MatchProposal.objects.filter(person__in=people, state="waiting")]


def everything() -> list[Any]:
    """All that a decision may change; new people have new ids."""
    return [
        sorted(Identity.objects.values_list("pk", "person", "standing", "waits_with")),
        sorted(MatchProposal.objects.values_list("identity", "person", "state")),
        sorted(Person.objects.values_list("pk", "public_id", "full_name", "email")),
    ]


@pytest.mark.usefixtures("_waiting")
def test_confirming_gives_the_person_all_that_waited_together(admin: User, finch: Person) -> None:
    (change,) = decisions.confirm(proposals(finch), by=admin)
    assert {of(LOGIN).person, of(account("a-1")).person} == {finch}
    assert of(LOGIN).standing == Standing.DECIDED
    assert (change.action, change.by) == ("confirmed", admin)
    assert waiting() == {SECOND.value: ["Cedar Mockley"]}


@pytest.mark.usefixtures("_waiting")
def test_whoever_is_rejected_becomes_a_person_and_is_not_proposed_again(admin: User, cedar: Person) -> None:
    decisions.reject(proposals(cedar), by=admin)
    own = of(SECOND).person
    assert own is not None
    assert own != cedar
    assert (own.full_name, own.email) == ("Cedar Mockley", "cedar@mockley.example.com")
    match_identities()
    assert SECOND.value not in waiting()
    assert of(SECOND).person == own


def test_rejecting_one_of_two_leaves_the_other_waiting(admin: User) -> None:
    one, other = employed("Ada King", "ada@example.com"), employed("Ada King", "ada2@example.com")
    name = signed("Ada King", "9+queen@users.noreply.github.com")
    seen(name)
    match_identities()
    decisions.reject(proposals(one), by=admin)
    assert of(name).standing == Standing.WAITING
    match_identities()
    assert [proposal.person for proposal in MatchProposal.objects.filter(state="waiting")] == [other]


@pytest.mark.usefixtures("_waiting")
def test_merging_and_splitting(admin: User, finch: Person) -> None:
    stranger = of(STRANGER).person
    assert stranger is not None
    decisions.merge(stranger, finch, by=admin)
    assert of(STRANGER).person == finch
    assert not Person.objects.filter(pk=stranger.pk).exists()
    decisions.split(of(STRANGER), by=admin)
    own = of(STRANGER).person
    assert own is not None
    assert (own.full_name, own.email) == ("Willow O’Hara", STRANGER.value)
    match_identities()
    assert STRANGER.value not in waiting()


def test_merging_two_entered_people_keeps_the_row_of_both(admin: User, finch: Person, cedar: Person) -> None:
    seen(IdentityName.of_address("cedar.mockley@example.com"))
    decisions.merge(cedar, finch, by=admin)
    assert partition() == {"cedar.mockley@example.com": "Finch Imagined"}
    assert Person.objects.filter(pk=cedar.pk).exists()
    assert seen(IdentityName.of_address("cedar.mockley@example.com")).person == finch


def test_an_address_stays_with_whom_it_was_given_to(admin: User, finch: Person) -> None:
    seen(STRANGER)
    decisions.assign([of(STRANGER)], finch, by=admin)
    seen(STRANGER, account("b-2"))
    match_identities()
    assert {of(STRANGER).person, of(account("b-2")).person} == {finch}
    assert decisions.assign([of(STRANGER)], finch, by=admin) == [], "nothing changes twice"


@pytest.mark.usefixtures("_waiting")
def test_a_bot_is_nobody_until_it_is_unmarked(admin: User) -> None:
    decisions.mark_bots([of(STRANGER), of(SECOND)], by=admin)
    assert seen(STRANGER).person is None
    match_identities()
    assert {of(STRANGER).standing, of(SECOND).standing} == {Standing.BOT}
    assert SECOND.value not in waiting()
    decisions.unmark_bots([of(STRANGER), of(SECOND)], by=admin)
    match_identities()
    assert of(STRANGER).person is not None
    assert waiting()[SECOND.value] == ["Cedar Mockley"]


Decide = Callable[[User], object]
DECISIONS: dict[str, Decide] = {
    "confirm": lambda by: decisions.confirm(proposals(*Person.objects.all()), by=by),
    "reject": lambda by: decisions.reject(proposals(*Person.objects.all()), by=by),
    "assign": lambda by: decisions.assign([of(STRANGER)], Person.objects.get(full_name="Cedar Mockley"), by=by),
    "assign what waits": lambda by: decisions.assign([of(LOGIN)], Person.objects.get(full_name="Cedar Mockley"), by=by),
    "declare": lambda by: decisions.declare(
        IdentityName(IdentityKind.LOGIN, "", "Finch-Imagined"), Person.objects.get(full_name="Finch Imagined"), by=by
    ),
    "merge": lambda by: decisions.merge(
        Person.objects.get(email=STRANGER.value), Person.objects.get(full_name="Finch Imagined"), by=by
    ),
    "mark bots": lambda by: decisions.mark_bots([of(LOGIN), of(STRANGER)], by=by),
}


@pytest.mark.usefixtures("_waiting")
@pytest.mark.parametrize("name", DECISIONS)
def test_taking_back_restores_everything(name: str, admin: User) -> None:
    Identity.objects.create(kind="login", provider="", value="Finch-Imagined")  # identities are never removed
    before = everything()
    DECISIONS[name](admin)
    assert everything() != before
    for change in IdentityChange.objects.order_by("-pk"):
        undo_change(change, by=admin)
    assert everything() == before


@pytest.mark.usefixtures("_waiting")
def test_merge_then_split_then_taking_both_back(admin: User, finch: Person) -> None:
    before = everything()
    stranger = of(STRANGER).person
    assert stranger is not None
    merged = decisions.merge(stranger, finch, by=admin)
    split = decisions.split(of(STRANGER), by=admin)
    with pytest.raises(DecisionError, match="changed since"):
        undo_change(merged, by=admin)
    undo_change(split, by=admin)
    assert of(STRANGER).person == finch
    undo_change(merged, by=admin)
    assert everything() == before


@pytest.mark.usefixtures("_waiting")
def test_nothing_is_taken_back_twice(admin: User, finch: Person) -> None:
    (change,) = decisions.confirm(proposals(finch), by=admin)
    undone = undo_change(change, by=admin)
    with pytest.raises(DecisionError, match="already"):
        undo_change(change, by=admin)
    with pytest.raises(DecisionError, match="itself"):
        undo_change(undone, by=admin)


@pytest.mark.usefixtures("_waiting")
def test_what_cannot_be_decided_is_said_in_words(admin: User, finch: Person, cedar: Person) -> None:
    chosen = proposals(finch)
    decisions.confirm(chosen, by=admin)
    with pytest.raises(DecisionError, match="decided in the meantime"):
        decisions.confirm(chosen, by=admin)
    with pytest.raises(DecisionError, match="withdrawn in the meantime"):
        decisions.confirm([987654], by=admin)
    with pytest.raises(DecisionError, match="themselves"):
        decisions.merge(finch, finch, by=admin)
    with pytest.raises(DecisionError, match="the only identity of"):
        decisions.split(seen(account("only")), by=admin)
    own = seen(IdentityName.of_address("finch.imagined@example.com"))
    with pytest.raises(DecisionError, match="address by which Finch Imagined is known"):
        decisions.split(own, by=admin)
    with pytest.raises(DecisionError, match="belongs to nobody"):
        decisions.split(of(SECOND), by=admin)


@pytest.mark.usefixtures("_waiting")
def test_the_log_is_only_appended_to(admin: User, finch: Person) -> None:
    (change,) = decisions.confirm(proposals(finch), by=admin)
    with pytest.raises(DatabaseError, match="only appended to"), transaction.atomic():
        IdentityChange.objects.filter(pk=change.pk).update(action="merged")
    with pytest.raises(DatabaseError, match="only appended to"), transaction.atomic():
        IdentityChange.objects.filter(pk=change.pk).delete()
    admin.delete()
    assert IdentityChange.objects.get().by_id is not None, "a log outlives accounts"


def test_a_login_declared_for_every_host_holds_where_it_is_seen_first_afterwards(finch: Person) -> None:
    decisions.declare(IdentityName(IdentityKind.LOGIN, "", "Finch42"), finch, by=None)
    assert seen(signed("", "finch42@users.noreply.github.com")).person == finch
    assert seen(signed("", "8-finch42@users.noreply.gitlab.com")).person == finch


@pytest.mark.usefixtures("_waiting")
def test_declaring_takes_along_who_was_merely_found(finch: Person) -> None:
    seen(signed("", "7+swift@users.noreply.github.com"), account("z-9"))
    assert decisions.declare(IdentityName(IdentityKind.LOGIN, "", "Swift"), finch, by=None)
    assert {of(account("z-9")).person, Identity.objects.get(provider="github", value="swift").person} == {finch}
    assert not decisions.declare(IdentityName(IdentityKind.LOGIN, "", "Swift"), finch, by=None)

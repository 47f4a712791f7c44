"""New identities are matched with everybody; likely matches wait."""

from __future__ import annotations

import itertools

import pytest

from orgtree.identities.match_identities import match_identities
from orgtree.models import Identity, MatchProposal, Person, Standing
from tests.orgtree.identity_world import account, assign_identities, employed, of, partition, seen, signed, waiting

pytestmark = pytest.mark.django_db

FINCH = signed("Finch Imagined", "40100301+finch-imagined@users.noreply.github.com")
CEDAR = signed("Cedar Mockley", "cedar@mockley.example.com")


@pytest.fixture
def colleagues() -> list[Person]:
    return [
        employed("Finch Imagined", "finch.imagined@example.com"),
        employed("Cedar Mockley", "cedar.mockley@example.com"),
        employed("Jay Mockley", "jay.mockley@example.com"),
    ]


def test_a_login_and_a_second_address_wait_as_nobodys_until_somebody_decides(colleagues: list[Person]) -> None:
    seen(FINCH)
    seen(CEDAR)
    assert match_identities() > 0
    assert waiting() == {"finch-imagined": ["Finch Imagined"], "cedar@mockley.example.com": ["Cedar Mockley"]}
    assert {of(name).person for name in (FINCH, CEDAR)} == {None}
    assert {of(name).standing for name in (FINCH, CEDAR)} == {Standing.WAITING}
    assert Person.objects.count() == len(colleagues), "the people made for them at first are gone"


def test_a_second_run_changes_nothing(colleagues: list[Person]) -> None:
    seen(FINCH)
    match_identities()
    match_identities()
    before = list(MatchProposal.objects.values_list())
    assert match_identities() == 0
    assert list(MatchProposal.objects.values_list()) == before


def test_what_waits_stays_nobodys_however_often_it_is_seen(colleagues: list[Person]) -> None:
    seen(CEDAR)
    match_identities()
    assert seen(CEDAR, account("a-1")).person is None
    assert of(account("a-1")).standing == Standing.WAITING
    assert of(account("a-1")).waits_with == of(CEDAR)


def test_what_waited_with_an_identity_follows_it_when_a_people_file_names_it(colleagues: list[Person]) -> None:
    seen(CEDAR, account("a-1"))
    match_identities()
    assign_identities([of(CEDAR)], colleagues[1])
    assert (of(account("a-1")).person, of(account("a-1")).waits_with) == (colleagues[1], None)
    assert MatchProposal.objects.get().state == MatchProposal.State.CONFIRMED
    match_identities()
    assert partition()["a-1"] == "Cedar Mockley"


def test_somebody_whom_nobody_is_like_stays_a_person_named_as_they_sign(colleagues: list[Person]) -> None:
    stranger = signed("Willow O’Hara", "wo@elsewhere.example.org")
    seen(stranger)
    match_identities()
    person = of(stranger).person
    assert person is not None
    assert (person.full_name, person.email) == ("Willow O’Hara", "wo@elsewhere.example.org")
    assert waiting() == {}


def test_when_the_people_file_comes_later_who_was_found_before_waits(colleagues: list[Person]) -> None:
    seen(signed("Ivy Placeholder", "ivy@laptop.example.org"), account("a-7"))
    match_identities()
    assert of(account("a-7")).person is not None
    employed("Ivy Placeholder", "ivy.placeholder@example.com")
    match_identities()
    assert waiting() == {"ivy@laptop.example.org": ["Ivy Placeholder"]}
    assert of(account("a-7")).standing == Standing.WAITING


def test_an_address_that_is_entered_later_is_sure(colleagues: list[Person]) -> None:
    seen(CEDAR)
    match_identities()
    Person.objects.filter(email="jay.mockley@example.com").update(email="cedar@mockley.example.com")
    match_identities()
    assert of(CEDAR).person == Person.objects.get(full_name="Jay Mockley")
    assert waiting() == {}


def test_a_proposal_is_withdrawn_when_nobody_is_alike_any_more(colleagues: list[Person]) -> None:
    name = signed("Cedar Mockley", "cm@elsewhere.example.org")
    seen(name)
    match_identities()
    assert waiting()
    Person.objects.filter(full_name="Cedar Mockley").update(full_name="Someone Else", email="x@example.com")
    match_identities()
    assert waiting() == {}
    person = of(name).person
    assert person is not None
    assert person.full_name == "Cedar Mockley"


def test_two_people_of_one_name_are_both_proposed_with_doubt(colleagues: list[Person]) -> None:
    employed("Ada King", "ada.king@example.com")
    employed("Ada King", "ada.king2@example.com")
    seen(signed("Ada King", "77+queen@users.noreply.github.com"))
    match_identities()
    assert waiting() == {"queen": ["Ada King", "Ada King"]}
    assert {proposal.confidence for proposal in MatchProposal.objects.all()} == {44}
    assert "One other person is about equally likely." in MatchProposal.objects.all()[0].evidence


SIGHTINGS = (
    (FINCH,),
    (CEDAR,),
    (signed("", "cedar.mockley@example.com"), account("c")),
    (signed("Finch I.", "finch@example.com"),),
    (signed("Finch Imagined", "finch@example.com"),),
)


@pytest.mark.parametrize("matched_between", [False, True], ids=["matched at the end", "matched after each"])
@pytest.mark.parametrize("order", list(itertools.permutations(range(len(SIGHTINGS))))[::7], ids=str)
def test_it_does_not_matter_in_which_order_they_are_seen(order: tuple[int, ...], matched_between: bool) -> None:
    for position in order:
        seen(*SIGHTINGS[position])
        if matched_between:
            match_identities()
    match_identities()
    match_identities()
    assert waiting() == {"finch-imagined": ["Finch Imagined"], "cedar@mockley.example.com": ["Cedar Mockley"]}
    assert partition() == {
        "cedar.mockley@example.com": "Cedar Mockley",
        "finch@example.com": "Finch Imagined",
        "finch-imagined": "",
        "cedar@mockley.example.com": "",
        "c": "Cedar Mockley",
    }
    assert Identity.objects.count() == 5
    assert Person.objects.count() == 2

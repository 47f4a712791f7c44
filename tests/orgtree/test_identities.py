"""Resolving names to people."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from integrations.models import AgentSession, FactFamily
from integrations.outbox.fact_changes import Change, take_changes
from orgtree.identities import moves
from orgtree.identities.identity_names import readable_name
from orgtree.identities.resolving import IdentityMove, IdentityName, UnusableNameError, identify
from orgtree.models import Identity, IdentityKind, Person
from tests.orgtree.identity_world import assign_identities
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db


def email(value: str = "ada.lovelace@example.com") -> IdentityName:
    return IdentityName(IdentityKind.EMAIL, "", value)


def account(value: str = "account-1") -> IdentityName:
    return IdentityName(IdentityKind.AGENT_ACCOUNT, "claude_code", value)


def installation(value: str = "machine-1") -> IdentityName:
    return IdentityName(IdentityKind.INSTALLATION, "claude_code", value)


def person_of(name: IdentityName) -> Person | None:
    return Identity.objects.get(kind=name.kind, provider=name.provider, value=name.value).person


def test_the_strongest_name_is_the_identity_and_becomes_a_person() -> None:
    (identity_id,) = identify([[installation(), email()]])
    assert Identity.objects.get(pk=identity_id).value == "ada.lovelace@example.com"
    person = Person.objects.get()
    assert (person.full_name, person.email) == ("Ada Lovelace", "ada.lovelace@example.com")
    assert person_of(installation()) == person


def test_the_answers_come_in_order_and_the_second_time_nothing_is_new() -> None:
    sightings = [[email("b@example.com")], [email("a@example.com"), account()], [email("b@example.com")]]
    first = identify(sightings)
    assert first[0] == first[2] != first[1]
    assert identify(sightings) == first
    assert (Identity.objects.count(), Person.objects.count()) == (3, 2)


def test_an_installation_alone_is_nobody_until_it_is_seen_beside_somebody() -> None:
    identify([[installation()]])
    assert person_of(installation()) is None
    identify([[email(), installation()]])
    assert person_of(installation()) == Person.objects.get()


def test_an_installation_with_which_two_people_sign_is_nobodys() -> None:
    identify([[email("ada@example.com"), installation()]])
    assert person_of(installation()) == Person.objects.get(email="ada@example.com")
    identify([[email("grace@example.com"), installation()]])
    assert person_of(installation()) is None


def test_addresses_compare_without_case_and_however_accents_are_written() -> None:
    composed, decomposed = "José@example.com", "JOSE\u0301@Example.COM"
    assert len({*identify([[email(composed)], [email(decomposed)]])}) == 1


def test_an_address_belongs_to_the_person_who_was_entered_with_it() -> None:
    entered = Person.objects.create(full_name="Augusta King", email="Ada.Lovelace@example.com")
    identify([[email()]])
    assert person_of(email()) == entered
    assert Person.objects.get().full_name == "Augusta King"


@pytest.mark.parametrize("together", [False, True], ids=["one by one", "in one request"])
@pytest.mark.parametrize(
    "order",
    list(itertools.permutations([[account()], [email()], [account(), email()], [account(), installation()]])),
    ids=lambda order: " ".join("+".join(name.kind for name in sighting) for sighting in order),
)
def test_an_account_and_its_address_are_one_person_in_whichever_order_they_are_seen(
    order: Sequence[Sequence[IdentityName]], together: bool
) -> None:
    for sightings in [order] if together else [[sighting] for sighting in order]:
        identify(sightings)
    person = Person.objects.get()
    assert (person.full_name, person.email) == ("Ada Lovelace", "ada.lovelace@example.com")
    assert {person_of(name) for name in (account(), email(), installation())} == {person}


def test_two_addresses_are_two_people_even_beside_one_account() -> None:
    identify([[email("ada@example.com"), account()], [email("grace@example.com"), account()]])
    assert Person.objects.count() == 2
    assert person_of(account()) == Person.objects.get(email="ada@example.com")


def test_of_two_addresses_in_one_record_the_one_named_first_is_the_identity() -> None:
    (identity_id,) = identify([[email("work@example.com"), email("home@example.com")]])
    assert Identity.objects.get(pk=identity_id).value == "work@example.com"
    assert person_of(email("home@example.com")) == Person.objects.get(email="work@example.com")


def test_moves_are_announced_to_the_hooks(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[IdentityMove] = []
    monkeypatch.setattr(moves, "move_listeners", [received.extend])
    identify([[email()]])
    identity, ada = Identity.objects.get(), Person.objects.get()
    grace = Person.objects.create(full_name="Grace Hopper")
    with transaction.atomic():
        assign_identities([identity], grace)
        assign_identities([identity], grace)
        assign_identities([identity], None)
    assert received == [
        IdentityMove(identity.pk, None, ada.pk),
        IdentityMove(identity.pk, ada.pk, grace.pk),
        IdentityMove(identity.pk, grace.pk, None),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (IdentityKind.EMAIL, "ada", "name@domain"),
        (IdentityKind.EMAIL, "a b@example.com", "name@domain"),
        (IdentityKind.EMAIL, "a@" + "x" * 400, "320 are allowed"),
        (IdentityKind.LOGIN, "   ", "empty"),
        (IdentityKind.INSTALLATION, "a\x00b", "control characters"),
    ],
)
def test_names_that_can_identify_nobody_are_refused_in_words(kind: IdentityKind, value: str, message: str) -> None:
    with pytest.raises(UnusableNameError, match=message):
        IdentityName(kind, "" if kind == IdentityKind.EMAIL else "claude_code", value)


def test_a_record_that_names_nobody_needs_a_name_for_that() -> None:
    with pytest.raises(ValueError, match="unnamed"):
        identify([[]])
    identify([[IdentityName.unnamed("claude_code")]])
    assert Identity.objects.get().person is None


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        (email("ada.lovelace+ai@example.com"), "Ada Lovelace"),
        (email("jsmith42@example.com"), "Jsmith42"),
        (email("anna-maria_o.neil@example.com"), "Anna Maria O Neil"),
        (email("...@example.com"), "...@example.com"),
        (IdentityName(IdentityKind.LOGIN, "enduser", "octavia"), "octavia"),
        (account("0f55df90-0882-4546-b159-26cafde226b1"), "claude_code account …fde226b1"),
    ],
)
def test_people_get_a_readable_name(name: IdentityName, readable: str) -> None:
    assert readable_name(name) == readable


@pytest.mark.django_db(transaction=True)
def test_many_requests_at_once_create_every_person_once() -> None:
    sightings = [[email(f"person{number}@example.com"), installation(f"m{number}")] for number in range(12)]
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def run(step: int) -> None:
        try:
            start.wait(timeout=PATIENCE_SECONDS)
            for _ in range(3):
                with transaction.atomic():
                    identify(sightings[step:] + sightings[:step])
        except BaseException as problem:
            failures.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(step * 3,)) for step in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    assert not failures
    assert (Identity.objects.count(), Person.objects.count()) == (24, 12)
    assert not Identity.objects.filter(person=None).exists()


def test_sessions_of_an_installation_follow_it_to_its_person() -> None:
    (unmatched,) = identify([[installation()]])
    day = date(2026, 3, 2)
    moment = datetime(2026, 3, 2, 10, tzinfo=UTC)
    AgentSession.objects.create(
        agent="claude_code",
        external_id="session-1",
        identity_id=unmatched,
        started_at=moment,
        ended_at=moment,
        started_on=day,
        has_work=True,
    )
    identify([[email(), installation()]])
    with transaction.atomic():
        changes = take_changes()
    assert set(changes) == {Change(FactFamily.AI, day, day + timedelta(days=1))}


def test_many_new_authors_take_as_many_queries_as_a_few(django_assert_max_num_queries: Any) -> None:
    def authors(count: int) -> list[list[IdentityName]]:
        return [
            [IdentityName.of_address(f"author{number}@example.com", signed=f"Author Number {number}")]
            for number in range(count)
        ]

    with django_assert_max_num_queries(15):
        identify(authors(300))
    with django_assert_max_num_queries(1):
        identify(authors(300))


@pytest.mark.parametrize("names", list(itertools.permutations(["ada", "Ada K.", "Ada Lovelace-King"])), ids=str)
def test_the_best_of_the_signed_names_is_what_a_found_person_is_called(names: tuple[str, ...]) -> None:
    for name in names:
        identify([[IdentityName.of_address("al@example.com", signed=name)]])
    assert Person.objects.get().full_name == "Ada Lovelace-King"
    assert Identity.objects.get().seen_name == "Ada Lovelace-King"


def test_nobody_who_was_entered_is_renamed() -> None:
    Person.objects.create(full_name="Al", email="al@example.com")
    identify([[IdentityName.of_address("al@example.com", signed="Ada Lovelace")]])
    assert Person.objects.get().full_name == "Al"


@pytest.mark.parametrize("signed", ["\u202egnik adA", "Ada\u200b", "Ada\n\tKing", "x" * 500, "\x00", ""])
def test_signed_names_are_kept_so_that_they_can_be_shown(signed: str) -> None:
    identify([[IdentityName.of_address("al@example.com", signed=signed)]])
    stored_name = Identity.objects.get().seen_name
    assert len(stored_name) <= 200
    assert stored_name.isprintable()

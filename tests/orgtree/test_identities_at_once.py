"""Telemetry, git, matching and decisions in concurrent transactions."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import connection, transaction

from orgtree.identities.decision_log import DecisionError
from orgtree.identities.decisions import confirm
from orgtree.identities.groups import read_groups
from orgtree.identities.match_identities import match_identities
from orgtree.identities.resolving import identify
from orgtree.models import Identity, IdentityChange, MatchProposal, Person, Standing
from tests.orgtree.identity_world import account, employed, of, seen, signed, waiting
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

LOGIN = signed("Finch Imagined", "40100301+finch-imagined@users.noreply.github.com")
SECOND = signed("Cedar Mockley", "cedar@mockley.example.com")


def at_once(*works: Callable[[], object]) -> list[BaseException]:
    """Do all of it at the same time; what failed."""
    failures: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], object]) -> None:
        try:
            start.wait(timeout=PATIENCE_SECONDS)
            work()
        except BaseException as problem:
            failures.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    return failures


def test_two_that_see_the_same_new_name_make_one_identity_that_waits() -> None:
    employed("Finch Imagined", "finch.imagined@example.com")

    def see() -> None:
        with transaction.atomic():
            identify([[LOGIN], [SECOND, account("a-1")]])

    assert at_once(see, see, match_identities, match_identities) == []
    match_identities()
    match_identities()
    assert waiting() == {"finch-imagined": ["Finch Imagined"]}
    assert Identity.objects.count() == 3
    assert Person.objects.filter(full_name="Cedar Mockley").count() == 1


def test_one_of_two_who_confirm_the_same_learns_that_it_was_decided() -> None:
    employed("Finch Imagined", "finch.imagined@example.com")
    seen(LOGIN)
    match_identities()
    chosen = [MatchProposal.objects.get().pk]
    failures = at_once(lambda: confirm(chosen, by=None), lambda: confirm(chosen, by=None))
    assert [type(failure) for failure in failures] == [DecisionError]
    assert IdentityChange.objects.count() == 1


def test_a_decision_while_everybody_is_compared_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    finch = employed("Finch Imagined", "finch.imagined@example.com")
    seen(LOGIN)
    match_identities()
    Person.objects.filter(pk=finch.pk).update(full_name="Finch X. Imagined")  # something to compare again

    def read_and_wait_for_the_decision() -> object:
        groups = read_groups()
        assert at_once(lambda: confirm([MatchProposal.objects.get().pk], by=None)) == []
        return groups

    with monkeypatch.context() as patched:
        patched.setattr("orgtree.identities.match_identities.read_groups", read_and_wait_for_the_decision)
        assert match_identities() == 0, "it was overtaken"
    assert waiting() == {}
    match_identities()
    assert of(LOGIN).person == finch
    assert of(LOGIN).standing == Standing.DECIDED
    assert waiting() == {}

"""Disclosure of individual data."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import time_machine
from django.contrib.auth.models import User

from orgtree.access import trust
from orgtree.access.access import access_of
from orgtree.access.trust import HIDDEN_LABEL, trial_state
from orgtree.models import IndividualPolicy, Organisation, Person
from orgtree.models.visibility import Viewer, person_of
from tests.delivery.linking.delivery import Delivery, commit, iso
from tests.org import Org

NAMES = ("ada", "edith", "grace", "linus", "margaret")  # as many as the minimum group size

pytestmark = pytest.mark.django_db


def label_of(viewer: Viewer, person: Person) -> str:
    return access_of(viewer).labels([person])[person.pk]


@pytest.fixture
def active(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of people with activity, as the only entry of the list."""
    people = [0]
    monkeypatch.setattr(trust, "active_people_counters", [lambda up_to: min(up_to, people[0])])
    return people


@pytest.fixture
def shop(db: None) -> Delivery:
    return Delivery()


@pytest.fixture
def ada() -> Person:
    return Person.objects.create(full_name="Ada Lovelace", email="Ada@example.com")


@pytest.fixture
def grace() -> Person:
    return Person.objects.create(full_name="Grace Hopper", email="grace@example.com")


@pytest.fixture
def viewer(ada: Person) -> User:
    return User.objects.create(username="ada", email="ada@EXAMPLE.com")


def set_policy(policy: IndividualPolicy) -> None:
    Organisation.current()
    Organisation.objects.update(individual_policy=policy, protected_since=datetime(2026, 1, 1, tzinfo=UTC))


class TestTrial:
    def test_lasts_while_fewer_than_k_people_are_active(self, active: list[int]) -> None:
        active[0] = 4
        assert trial_state().in_trial
        assert "Fewer than 5 people" in trial_state().notice

    def test_ends_with_the_kth_person_and_never_comes_back(self, active: list[int]) -> None:
        active[0] = 5
        assert not trial_state().in_trial
        since = trial_state().protected_since
        active[0] = 0
        assert trial_state().protected_since == since
        Organisation.objects.update(minimum_group_size=50)
        assert not trial_state().in_trial

    def test_shows_names_to_everyone_who_signed_in(self, active: list[int], viewer: User, grace: Person) -> None:
        assert label_of(viewer, grace) == "Grace Hopper"

    def test_shows_no_name_to_a_token_of_nobody(self, active: list[int], grace: Person) -> None:
        assert label_of(None, grace).startswith("Developer ")


class TestWhoIsActive:
    """Kinds of activity: the k-th person with any of them ends the trial."""

    @pytest.fixture(autouse=True)
    def people(self) -> None:
        Organisation.current()
        for name in NAMES:
            Person.objects.create(full_name=name.title(), email=f"{name}@example.com")

    @pytest.mark.parametrize("does", ["merges", "requests", "reviews", "commits", "works", "uses an agent"])
    def test_anything_that_people_do_is(self, org: Org, does: str) -> None:
        shop = Delivery()
        for number, name in enumerate(NAMES, start=1):
            assert trial_state().in_trial, f"after {number - 1} of {len(NAMES)} people"
            push_activity(org, shop, does, number, f"{name}@example.com")
        assert not trial_state().in_trial

    def test_however_much_one_person_does(self, shop: Delivery) -> None:
        for number in range(1, 8):
            shop.merges(number, at="Mon 10:00", author="ada@example.com")
        assert trial_state().in_trial


FIRST = "ada@example.com"  # who is one of them from the first telling on


def push_activity(org: Org, shop: Delivery, does: str, number: int, person: str) -> None:
    """Push an activity of the person through the intake for such facts."""
    review = {"author": person, "state": "approved", "submitted_at": iso("Mon 09:00")}
    match does:
        case "merges":
            shop.merges(number, at="Mon 10:00", author=person)
        case "requests":
            shop.merges(number, at="Mon 10:00", author=FIRST, requested_by=person)
        case "reviews":
            shop.merges(number, at="Mon 10:00", author=FIRST, reviews=[review])
        case "commits":
            shop.push("commits", **commit("acme/shop", f"c{number}") | {"author_email": person})
        case "works":
            item = {"id": f"SHOP-{number}", "project": "SHOP", "title": "A story", "type": "story"}
            shop.push("work-items", **item, status_category="todo", created_at=iso("Mon 09:00"), assignee=person)
        case "uses an agent":
            org.session(by=person.partition("@")[0], on="2026-03-02")
            org.fold()


class TestPolicy:
    def test_named_shows_names(self, viewer: User, grace: Person) -> None:
        set_policy(IndividualPolicy.NAMED)
        assert label_of(viewer, grace) == "Grace Hopper"

    def test_self_only_shows_nobody_else(self, viewer: User, ada: Person, grace: Person) -> None:
        set_policy(IndividualPolicy.SELF_ONLY)
        assert access_of(viewer).labels([ada, grace]) == {ada.pk: "Ada Lovelace", grace.pk: HIDDEN_LABEL}

    def test_pseudonyms_are_stable_for_a_viewer_and_a_quarter(self, viewer: User, ada: Person, grace: Person) -> None:
        set_policy(IndividualPolicy.PSEUDONYMS)
        with time_machine.travel(datetime(2026, 1, 1, 12, tzinfo=UTC)):
            first = label_of(viewer, grace)
            assert label_of(viewer, ada) == "Ada Lovelace"
        with time_machine.travel(datetime(2026, 3, 31, 12, tzinfo=UTC)):
            assert label_of(viewer, grace) == first
        with time_machine.travel(datetime(2026, 4, 1, 12, tzinfo=UTC)):
            assert label_of(viewer, grace) != first
        assert first.startswith("Developer ")
        assert "Grace" not in first

    def test_two_viewers_cannot_compare_pseudonyms(self, viewer: User, grace: Person) -> None:
        set_policy(IndividualPolicy.PSEUDONYMS)
        other = User.objects.create(username="margaret")
        assert label_of(viewer, grace) != label_of(other, grace)


class TestPersonOfAnAccount:
    def test_is_whoever_has_its_address(self, viewer: User, ada: Person) -> None:
        assert person_of(viewer) == ada

    def test_is_whom_an_admin_linked_before_that(self, viewer: User, ada: Person, grace: Person) -> None:
        Person.objects.filter(pk=grace.pk).update(user=viewer)
        assert person_of(viewer) == grace

    def test_is_nobody_who_is_linked_to_another_account(self, viewer: User, ada: Person) -> None:
        Person.objects.filter(pk=ada.pk).update(user=User.objects.create(username="other"))
        assert person_of(viewer) is None

    def test_is_nobody_without_an_address(self, ada: Person) -> None:
        Person.objects.create(full_name="No address")
        assert person_of(User.objects.create(username="nobody")) is None

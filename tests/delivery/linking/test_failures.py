"""Failed deployments, and their restoration: the rules to the letter, each as a story of a week."""

from __future__ import annotations

import pytest

from integrations.delivery.linking.corrections import decide_rollbacks
from integrations.delivery.rules import apply_rules
from integrations.models import Connection, Deployment, FactChange, FactFamily, ProposedRollback
from orgtree.models import Organisation
from tests.delivery.linking.delivery import Delivery, failures, iso, recovery_hours

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Delivery:
    return Delivery()


@pytest.mark.parametrize(
    ("begins", "blamed"),
    [
        ("Mon 09:29", None),  # before the first rollout
        ("Mon 09:30", "d1"),  # the moment it started
        ("Mon 10:00", "d1"),  # the moment it finished
        ("Mon 17:29", "d1"),
        ("Mon 17:30", "d2"),  # the next one's start is the next one's
        ("Tue 18:00", "d2"),  # 24 hours after its finish, to the minute
        ("Tue 18:01", None),
    ],
)
def test_an_incident_blames_the_deployment_before_it_within_the_window(
    shop: Delivery, begins: str, blamed: str | None
) -> None:
    shop.deploys("d1", started="Mon 09:30", at="Mon 10:00")
    shop.deploys("d2", started="Mon 17:30", at="Mon 18:00")
    shop.incident("i", at=begins)
    assert failures() == ({(blamed, "window", "i")} if blamed else set())


def test_never_one_before_the_last_even_within_the_window(shop: Delivery) -> None:
    """The last deployment before the incident is the only one that it can blame."""
    shop.deploys("d1", at="Mon 10:00")
    shop.incident("i", at="Mon 20:00")
    assert failures() == {("d1", "window", "i")}
    shop.deploys("d2", at="Mon 12:00")
    assert failures() == {("d2", "window", "i")}


@pytest.mark.parametrize(
    ("incident", "deployment", "is_blamed"),
    [
        ({"service": "cart"}, {"service": "cart"}, True),
        ({"service": "cart"}, {"service": "search"}, False),
        ({"service": "cart"}, {"service": ""}, True),  # the same repository, and the deployment names no service
        ({"service": ""}, {"service": "search"}, True),  # the same repository, and the incident names no service
        ({"service": "cart", "repository": "acme/other"}, {"service": "cart"}, True),  # a service is one everywhere
        ({"service": "cart", "repository": "acme/other"}, {"service": ""}, False),
        ({"service": "", "repository": "acme/other"}, {"service": ""}, False),
    ],
)
def test_of_the_same_service_or_of_the_same_repository(
    shop: Delivery, incident: dict[str, str], deployment: dict[str, str], is_blamed: bool
) -> None:
    Delivery("acme/other").deploys("elsewhere", at="Mon 00:00")
    shop.deploys("d1", at="Mon 10:00", **deployment)
    where, others = incident.get("repository", shop.repository), {"service": incident["service"]}
    Delivery(where).incident("i", at="Mon 11:00", **others)
    assert failures() >= {("d1", "window", "i")} if is_blamed else ("d1", "window", "i") not in failures()


def test_a_deployment_of_another_service_takes_no_blame_away(shop: Delivery) -> None:
    shop.deploys("cart", at="Mon 10:00", service="cart")
    shop.deploys("search", at="Mon 11:00", service="search")
    shop.incident("i", at="Mon 12:00", service="cart")
    assert failures() == {("cart", "window", "i")}


def test_a_named_cause_stands_alone(shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 10:00")
    shop.deploys("d2", at="Mon 12:00")
    shop.incident("i1", at="Mon 13:00", caused_by="d1")
    shop.incident("i2", at="Mon 13:00", caused_by="of another system")
    assert failures() == {("d1", "explicit", "i1")}


def test_a_cause_that_arrives_later_is_linked(shop: Delivery) -> None:
    shop.incident("i", at="Mon 13:00", caused_by="d1")
    assert failures() == set()
    shop.deploys("d1", at="Mon 10:00")
    assert failures() == {("d1", "explicit", "i")}


def test_a_cause_at_another_connection_is_found_where_it_is_the_only_one_of_that_name(shop: Delivery) -> None:
    shop.deploys("4711", at="Mon 10:00")
    Deployment.objects.update(connection=Connection.objects.create(provider="github", name="GitHub"))
    shop.incident("i", at="Mon 13:00", caused_by="4711")
    assert failures() == {("4711", "explicit", "i")}


class TestDuringARollout:
    def test_of_two_that_overlap_the_one_that_started_last(self, shop: Delivery) -> None:
        shop.deploys("r1", started="Mon 10:00", at="Mon 12:00", sha="a")
        shop.deploys("r2", started="Mon 11:00", at="Mon 11:30", sha="b")
        shop.incident("i", at="Mon 11:45")
        assert failures() == {("r2", "window", "i")}

    def test_one_that_takes_a_day_and_a_half_has_its_window_after_that(self, shop: Delivery) -> None:
        shop.deploys("r1", started="Mon 10:00", at="Tue 22:00")
        shop.incident("i", at="Tue 21:00", resolved="Tue 21:30")
        shop.incident("j", at="Wed 22:00", resolved="Wed 22:30")
        assert failures() == {("r1", "window", "i"), ("r1", "window", "j")}
        assert recovery_hours() == {"r1": 25.5}

    def test_one_that_failed_and_its_repetition_hours_later_are_two(self, shop: Delivery) -> None:
        shop.deploys("r1", started="Mon 10:00", at="Mon 10:30", sha="a", status="failure")
        shop.incident("i", at="Mon 10:20", resolved="Mon 10:50")
        shop.deploys("r2", started="Mon 11:30", at="Mon 11:40", sha="a")
        assert failures() == {("r1", "window", "i")}
        assert recovery_hours() == {"r1": 0.5}

    def test_one_under_way_is_blamed_once_it_has_ended(self, shop: Delivery) -> None:
        shop.deploys("old", at="Mon 08:00", sha="z")
        running = {"environment": "production", "status": "running", "started_at": iso("Mon 10:00")}
        shop.push("deployments", id="r1", repository=shop.repository, **running)
        shop.incident("i", at="Mon 10:20")
        assert failures() == {("old", "window", "i")}
        shop.deploys("r1", started="Mon 10:00", at="Mon 10:45", sha="a")
        assert failures() == {("r1", "window", "i")}

    def test_one_that_was_called_off_or_went_elsewhere_takes_no_blame(self, shop: Delivery) -> None:
        shop.deploys("old", at="Mon 08:00", sha="z")
        shop.deploys("off", started="Mon 10:00", at="Mon 10:45", sha="a", status="cancelled")
        shop.deploys("staging", started="Mon 10:00", at="Mon 10:30", sha="b", environment="staging")
        shop.incident("i", at="Mon 10:20")
        assert failures() == {("old", "window", "i")}

    def test_one_that_failed_and_was_taken_back_without_an_incident_reached_nobody(self, shop: Delivery) -> None:
        shop.deploys("r1", started="Mon 10:00", at="Mon 10:30", sha="a", status="failure")
        shop.deploys("r2", started="Mon 10:40", at="Mon 10:50", sha="z", rollback_of="r1")
        assert failures() == set()

    def test_instants_count_whatever_their_offset(self, shop: Delivery) -> None:
        shop.push(
            "deployments", id="r1", repository=shop.repository, environment="production", status="success",
            started_at="2026-03-02T10:00:00+05:30", finished_at="2026-03-02T05:00:00Z",
        )  # fmt: skip
        shop.push("incidents", id="i", repository=shop.repository, started_at="2026-03-01T23:45:00-05:00")
        assert failures() == {("r1", "window", "i")}

    def test_the_order_in_which_they_arrive_changes_nothing(self, shop: Delivery) -> None:
        shop.incident("i", at="Mon 10:07", service="cart")
        for name, began, ended in (("r2", "11:00", "11:10"), ("r1", "10:00", "10:10"), ("r0", "08:00", "09:10")):
            shop.deploys(name, started=f"Mon {began}", at=f"Mon {ended}", sha=name, service="Cart")
        assert failures() == {("r1", "window", "i")}

    def test_where_no_start_is_known_it_is_the_finish(self, shop: Delivery) -> None:
        shop.deploys("d1", at="Mon 10:00")
        shop.incident("i", at="Mon 09:59")
        assert failures() == set()

    def test_it_starts_with_its_first_part(self, shop: Delivery) -> None:
        shop.deploys("before", at="Sun 20:00")
        shop.deploys("eu", started="Mon 10:00", at="Mon 10:10", sha="a")
        shop.deploys("us", started="Mon 10:20", at="Mon 10:40", sha="a")
        shop.incident("i", at="Mon 10:05", resolved="Mon 10:35")
        assert failures() == {("us", "window", "i")}
        assert recovery_hours() == {"us": 0.5}
        shop.takes_back("deployments", "eu")
        assert failures() == set(), "it started later, and the one of the evening before is long ago"

    def test_it_is_recovered_from_the_incident_on_where_that_began_earlier(self, shop: Delivery) -> None:
        shop.deploys("d1", started="Mon 10:00", at="Mon 12:00")
        shop.incident("i1", at="Mon 11:00", resolved="Mon 11:30")
        assert recovery_hours() == {"d1": 0.5}
        shop.incident("i2", at="Mon 10:30", resolved="Mon 14:00")
        assert recovery_hours() == {"d1": 3.5}, "from the first to the last"

    @pytest.mark.parametrize("begins", ["Tue 10:10", "Tue 12:00"])
    def test_one_that_failed_reached_users_where_an_incident_is_linked_to_it(self, shop: Delivery, begins: str) -> None:
        shop.deploys("d1", at="Tue 08:00")
        shop.deploys("stopped", started="Tue 10:00", at="Tue 10:30", status="failure")
        shop.incident("i", at=begins)
        assert failures() == {("stopped", "window", "i")}
        shop.incident("i", at=begins, caused_by="d1")
        assert failures() == {("d1", "explicit", "i")}
        shop.incident("i", at="Thu 23:00", caused_by="stopped")
        assert failures() == {("stopped", "explicit", "i")}

    def test_what_began_after_an_incident_did_not_cause_it(self, shop: Delivery) -> None:
        shop.deploys("d1", at="Mon 08:00")
        shop.deploys("d2", started="Mon 10:00", at="Mon 10:30")
        shop.deploys("untimed", at="Tue 10:00")
        shop.incident("i", at="Mon 09:59", caused_by="d2")
        assert failures() == set()
        shop.incident("i", at="Mon 10:00", caused_by="d2")
        assert failures() == {("d2", "explicit", "i")}
        shop.incident("i", at="Tue 09:59", caused_by="untimed")
        assert failures() == {("untimed", "explicit", "i")}, "nobody says when that began"

    def test_an_incident_follows_a_corrected_start_of_its_cause(self, shop: Delivery) -> None:
        shop.deploys("eu", started="Mon 10:00", at="Mon 10:30", sha="a")
        shop.incident("i", at="Mon 09:50", caused_by="eu")
        assert failures() == set()
        shop.deploys("us", started="Mon 09:45", at="Mon 10:20", sha="a")
        assert failures() == {("eu", "explicit", "i")}, "one rollout, which began with its first part"
        shop.takes_back("deployments", "us")
        assert failures() == set()

    def test_a_failed_one_that_was_repaired_within_its_rollout_is_that_rollout(self, shop: Delivery) -> None:
        shop.deploys("first", started="Mon 10:00", at="Mon 10:10", sha="a", status="failure")
        shop.deploys("second", started="Mon 10:15", at="Mon 10:25", sha="a")
        shop.incident("i", at="Mon 10:05", caused_by="first")
        assert failures() == {("second", "explicit", "i")}

    def test_a_longer_one_is_blamed_until_the_next_starts_and_again_once_that_is_gone(self, shop: Delivery) -> None:
        shop.deploys("long", started="Mon 10:00", at="Fri 10:00")
        shop.incident("i", at="Thu 10:00")
        assert failures() == {("long", "window", "i")}
        shop.deploys("short", started="Tue 10:00", at="Tue 10:10")
        assert failures() == set(), "more than a day after the last rollout before it"
        shop.deploys("short", started="Thu 10:30", at="Thu 10:40")
        assert failures() == {("long", "window", "i")}
        shop.deploys("short", started="Tue 10:00", at="Tue 10:10")
        shop.takes_back("deployments", "short")
        assert failures() == {("long", "window", "i")}


@pytest.mark.parametrize("details", [{"environment": "staging"}, {"status": "cancelled"}, {"status": "running"}])
def test_what_users_never_got_did_not_fail(shop: Delivery, details: dict[str, str]) -> None:
    shop.deploys("d1", at="Mon 10:00", **details)
    shop.incident("i1", at="Mon 11:00", caused_by="d1")
    shop.incident("i2", at="Mon 11:00")
    shop.deploys("back", at="Mon 12:00", rollback_of="d1")
    assert failures() == set()


def test_production_is_not_restored_elsewhere(shop: Delivery) -> None:
    """A fix is tried in staging first; users have it when it comes to production."""
    shop.deploys("d1", at="Mon 10:00")
    shop.deploys("fix in staging", at="Mon 10:05", environment="staging", fixes=["d1"])
    shop.deploys("back in staging", at="Mon 10:06", environment="staging", rollback_of="d1")
    assert failures() == set()
    shop.deploys("fix", at="Mon 13:00", fixes=["d1"])
    assert failures() == {("d1", "hotfix", "fix")}
    assert recovery_hours() == {"d1": 3}
    shop.deploys("fix", at="Mon 13:00", environment="staging", fixes=["d1"])
    assert (failures(), recovery_hours()) == (set(), {}), "it is told now that it was staging after all"


def test_a_rollback_or_fix_counts_where_it_succeeded(shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 10:00")
    shop.deploys("d2", at="Tue 10:00")
    shop.deploys("back", at="Tue 11:00", rollback_of="d2", status="failure")
    assert failures() == set()
    shop.deploys("back again", at="Tue 12:00", rollback_of="d2")
    shop.deploys("fix", at="Wed 12:00", fixes=["d1", "d2"])
    assert failures() == {("d2", "rollback", "back again"), ("d1", "hotfix", "fix"), ("d2", "hotfix", "fix")}
    assert recovery_hours() == {"d1": 50, "d2": 2}  # the first repair restores


def test_unplanned_alone_is_no_failure(shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 10:00")
    shop.deploys("d2", at="Mon 11:00", unplanned=True)
    assert failures() == set()


def test_the_last_of_its_incidents_restores_a_deployment(shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 10:00")
    shop.incident("i1", at="Mon 11:00", resolved="Mon 12:00")
    shop.incident("i2", at="Mon 11:30", resolved="Mon 16:00")
    shop.deploys("back", at="Mon 11:45", rollback_of="d1")  # where there are incidents, they say it
    assert recovery_hours() == {"d1": 6}


def test_an_open_incident_keeps_it_from_being_restored(shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 10:00")
    shop.incident("i1", at="Mon 11:00", resolved="Mon 12:00")
    shop.incident("i2", at="Mon 11:30")
    assert recovery_hours() == {"d1": None}
    shop.incident("i2", at="Mon 11:30", resolved="Mon 14:00")
    assert recovery_hours() == {"d1": 4}
    shop.takes_back("incidents", "i2")
    assert recovery_hours() == {"d1": 2}


def test_what_is_taken_back_takes_its_blame_along(shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 10:00")
    shop.incident("i", at="Mon 11:00")
    shop.takes_back("deployments", "d1")
    assert failures() == set()
    assert recovery_hours() == {}


def test_the_window_is_the_organisations(shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 10:00")
    shop.incident("i", at="Mon 13:00")
    apply_rules()
    assert failures() == {("d1", "window", "i")}
    Organisation.current()
    Organisation.objects.update(link_window_hours=2)
    apply_rules()
    assert failures() == set()


class TestOlderStatesDeployedAgain:
    def test_they_are_proposed_and_count_once_confirmed(self, shop: Delivery) -> None:
        shop.deploys("d1", at="Mon 10:00", sha="a")
        shop.deploys("d2", at="Tue 10:00", sha="b")
        shop.deploys("d3", at="Tue 11:00", sha="a")
        proposed = ProposedRollback.objects.get()
        assert (proposed.deployment.external_id, proposed.rolled_back.external_id) == ("d3", "d2")
        assert failures() == set()

        decide_rollbacks([proposed.pk], ProposedRollback.State.CONFIRMED, by="ada")
        assert failures() == {("d2", "rollback", "d3")}
        assert recovery_hours() == {"d2": 1}
        decide_rollbacks([proposed.pk], ProposedRollback.State.REFUSED, by="ada")
        assert failures() == set()

    def test_a_confirmed_one_brings_nothing_new(self, shop: Delivery) -> None:
        shop.deploys("d1", at="Mon 10:00", sha="a")
        shop.deploys("d2", at="Tue 10:00", sha="b")
        shop.merges(1, at="Tue 10:30")
        shop.deploys("d3", at="Tue 11:00", sha="a")
        assert shop.deployed(1) is None, "what was deployed before the merge contains it in no case"
        decide_rollbacks([ProposedRollback.objects.get().pk], ProposedRollback.State.CONFIRMED, by="ada")
        assert shop.deployed(1) is None

    def test_the_graph_tells_an_older_state_that_was_never_deployed(self, shop: Delivery) -> None:
        shop.commits("a", "b", "c", after="start")
        shop.deploys("d1", at="Mon 10:00", sha="c")
        shop.deploys("d2", at="Mon 11:00", sha="b")
        assert ProposedRollback.objects.get().deployment.external_id == "d2"

    def test_going_on_is_none(self, shop: Delivery) -> None:
        shop.commits("a", "b", after="start")
        shop.deploys("d1", at="Mon 10:00", sha="a", service="cart")
        shop.deploys("d2", at="Mon 11:00", sha="b", service="search")
        shop.deploys("d3", at="Mon 12:00", sha="a", service="cart")  # the same again
        shop.deploys("d4", at="Mon 13:00", sha="b", service="cart")
        assert not ProposedRollback.objects.exists()


def test_an_incident_changes_the_days_of_the_deployment_and_of_its_restoration(shop: Delivery) -> None:
    shop.deploys("d1", at="Mon 10:00", service="cart")
    FactChange.objects.all().delete()
    shop.incident("i", at="Tue 01:00", resolved="Wed 10:00", service="cart")
    changes = FactChange.objects.filter(family=FactFamily.DEPLOYMENT)
    days = {day for change in changes for day in (str(change.day_from),)}
    assert days >= {"2026-03-02", "2026-03-04"}, "of the deployment, and of its restoration"

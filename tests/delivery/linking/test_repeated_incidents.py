"""An incident that two connections report counts once: a pager's and a service desk's."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from integrations.connectors.drafts import IncidentDraft
from integrations.delivery.linking.corrections import decide_repeated_reports
from integrations.delivery.linking.repeated_incidents import Pair, duplicates, recompute_all_repeated_incidents
from integrations.delivery.records.incident import story_of_incident
from integrations.enums import Kind
from integrations.intake.deleted_records import mark_deleted
from integrations.intake.store_drafts import store_drafts
from integrations.models import (
    Connection,
    DeploymentFailure,
    FailedDeployment,
    Incident,
    RepeatedReport,
    Repository,
    ServicePaths,
)
from integrations.push.store import forget_record
from integrations.sync.remove_connection import remove_with_facts
from orgtree.access.access import access_of
from tests.delivery.linking.delivery import MONDAY, Delivery
from tests.personas import ADMIN, EXECUTIVE, create_user

APART, ONCE = RepeatedReport.State.APART, RepeatedReport.State.ONCE


def pair(one: int, of: int, other: int, of_other: int, seconds: float) -> list[Pair]:
    """Both directions of a pair of incidents of these connections."""
    return [
        Pair(one, of, other, of_other, seconds, None, "cart"),
        Pair(other, of_other, one, of, seconds, None, "cart"),
    ]


def test_the_nearest_in_time_is_meant_and_none_twice() -> None:
    # 1, 2 and 3 are a pager's, 11 and 12 a service desk's: 11 began nearest to 2, 12 to 2 as well, and then to 3.
    pairs = [*pair(1, 1, 11, 2, 300), *pair(2, 1, 11, 2, 60), *pair(2, 1, 12, 2, 90), *pair(3, 1, 12, 2, 200)]
    assert duplicates(pairs) == {11: 2}, "12 is nearest to 2, which is 11 already: it counts"
    assert duplicates(pairs[:4]) == {11: 2}


def test_the_connection_that_was_added_first_counts() -> None:
    pairs = [*pair(1, 1, 11, 2, 60), *pair(1, 1, 21, 3, 90), *pair(11, 2, 21, 3, 30)]
    assert duplicates(pairs) == {11: 1, 21: 1}


def test_what_is_counted_apart_is_no_duplicate() -> None:
    assert duplicates(pair(1, 1, 11, 2, 60), {(None, "cart", 2, 1)}) == {}
    assert duplicates(pair(1, 1, 11, 2, 60), {(None, "search", 2, 1)}) == {11: 1}


@pytest.fixture
def pager(db: None) -> Connection:
    return Connection.objects.create(provider="pagerduty", name="PagerDuty")


@pytest.fixture
def desk(pager: Connection) -> Connection:
    return Connection.objects.create(provider="servicenow", name="ServiceNow")


def tell(connection: Connection, id_: str, minutes: int | None, service: str = "cart", **others: Any) -> None:
    """The connection tells of an incident that began so many minutes after Monday, and lasted an hour."""
    start = None if minutes is None else MONDAY + timedelta(minutes=minutes)
    end = start and start + timedelta(hours=1)
    values: dict[str, Any] = {"started_at": start, "resolved_at": end, "service": service, **others}
    with transaction.atomic():
        store_drafts(connection, [IncidentDraft(external_id=id_, **values)])


def counted() -> list[str]:
    live = Incident.objects.filter(deleted_at=None, duplicate_of=None)
    return sorted(live.values_list("external_id", flat=True))


def blamed() -> tuple[str, str, str]:
    """The only incident with a cause, the deployment that it blames, and how that is known."""
    return DeploymentFailure.objects.values_list("incident__external_id", "deployment__external_id", "method").get()


@pytest.mark.parametrize(
    ("minutes", "service", "is_same"),
    [(130, "cart", True), (90, "cart", True), (131, "cart", False), (100, "search", False), (100, "", False)],
)
def test_two_reports_of_one_service_within_half_an_hour_are_one(
    pager: Connection, desk: Connection, minutes: int, service: str, is_same: bool
) -> None:
    tell(pager, "P1", 100)
    tell(desk, "INC1", minutes, service)
    assert counted() == (["P1"] if is_same else ["INC1", "P1"])


def test_whichever_arrives_first_and_the_connections_are_noted(pager: Connection, desk: Connection) -> None:
    tell(desk, "INC1", 103)
    tell(pager, "P1", 100)
    tell(pager, "P2", 400)
    assert counted() == ["P1", "P2"]
    noted = RepeatedReport.objects.get()
    assert (noted.kind, noted.repository, noted.service) == ("incident", None, "cart")
    assert (noted.connection, noted.reported_by, noted.records) == (desk, pager, 1)
    assert noted.last_at == MONDAY + timedelta(minutes=103)
    assert str(noted) == "cart: ServiceNow and PagerDuty"


def test_two_of_one_connection_stay_two(pager: Connection, desk: Connection) -> None:
    tell(pager, "P1", 100)
    tell(pager, "P2", 105)
    tell(desk, "INC1", 106)
    assert counted() == ["P1", "P2"]


def test_what_moves_away_or_goes_counts_again(pager: Connection, desk: Connection) -> None:
    tell(pager, "P1", 100)
    tell(desk, "INC1", 103)
    tell(desk, "INC1", 300)
    assert (counted(), RepeatedReport.objects.count()) == (["INC1", "P1"], 0)
    tell(desk, "INC1", 103)
    tell(pager, "P1", 100, "search")
    assert (counted(), RepeatedReport.objects.count()) == (["INC1", "P1"], 0)
    tell(pager, "P1", 100)
    assert counted() == ["P1"]
    with transaction.atomic():
        mark_deleted(pager, Kind.INCIDENT, ["P1"])
    assert (counted(), RepeatedReport.objects.count()) == (["INC1"], 0)
    tell(pager, "P1", 100)
    remove_with_facts(pager)
    assert (counted(), RepeatedReport.objects.count()) == (["INC1"], 0)


def test_an_admin_counts_them_apart_and_once_again(pager: Connection, desk: Connection, client: Client) -> None:
    tell(pager, "P1", 100)
    tell(desk, "INC1", 103)
    noted = RepeatedReport.objects.get()
    client.force_login(create_user(ADMIN))
    address = "/admin/integrations/repeatedreport/"
    page = client.get(address).text
    assert "cart" in page
    assert "counts once by rule" in page
    assert "The same service, and begun within 30 minutes" in page
    client.post(address, {"action": "count_apart", "_selected_action": [noted.pk]})
    assert counted() == ["INC1", "P1"]
    tell(pager, "P2", 500)
    tell(desk, "INC2", 501)
    assert counted() == ["INC1", "INC2", "P1", "P2"], "the decision holds for what comes"
    assert decide_repeated_reports([noted.pk], APART, by="max") == 0
    assert decide_repeated_reports([noted.pk], ONCE, by="ada") == 1
    assert counted() == ["P1", "P2"]
    noted.refresh_from_db()
    assert noted.records == 2
    assert client.get(f"{address}{noted.pk}/change/").status_code == 200


def test_one_deployment_is_blamed_once_and_restored_with_the_one_that_counts(
    pager: Connection, desk: Connection
) -> None:
    shop = Delivery()
    shop.deploys("d1", at="Mon 01:00", service="cart")
    shop.deploys("d2", at="Mon 01:20", service="cart")
    tell(pager, "P1", 100)
    tell(desk, "INC1", 103, resolved_at=MONDAY + timedelta(hours=9))
    assert blamed() == ("P1", "d2", "window")
    assert FailedDeployment.objects.get().restored_at == MONDAY + timedelta(minutes=160)
    tell(desk, "INC1", 103, caused_by="d1")
    assert blamed() == ("P1", "d1", "explicit"), "the desk names the cause for both"


@pytest.fixture
def host(desk: Connection) -> Connection:
    """A code host, whose incidents name a repository and no service."""
    shop = Delivery()
    shop.commits("m1")
    return Connection.objects.create(provider="gitlab", name="GitLab")


def at_host(host: Connection, id_: str, minutes: int, repository: str = "acme/shop") -> None:
    tell(host, id_, minutes, "", repository=repository)


@pytest.mark.parametrize("is_known_first", [True, False])
def test_a_deployment_states_of_which_repository_a_service_is(
    pager: Connection, host: Connection, is_known_first: bool
) -> None:
    shop = Delivery()
    if is_known_first:
        shop.deploys("d1", at="Mon 01:00", service="cart")
    tell(pager, "P1", 100)
    at_host(host, "G1", 103)
    if not is_known_first:
        assert counted() == ["G1", "P1"], "nothing says that the cart is of the shop"
        shop.deploys("d1", at="Mon 01:00", service="search")
        shop.deploys("d2", at="Mon 01:00", service="cart", environment="staging")
        assert counted() == ["G1", "P1"]
        shop.deploys("d1", at="Mon 01:00", service="cart")
    assert counted() == ["P1"]
    noted = RepeatedReport.objects.get()
    assert (noted.repository and noted.repository.name, noted.service) == ("acme/shop", "")
    decide_repeated_reports([noted.pk], APART, by="ada")
    assert counted() == ["G1", "P1"]
    decide_repeated_reports([noted.pk], ONCE, by="ada")
    assert counted() == ["P1"]
    forget_record(Kind.DEPLOYMENT, "d1")
    assert (counted(), RepeatedReport.objects.count()) == (["G1", "P1"], 0)


def test_path_rules_state_it_and_other_repositories_stay_apart(
    pager: Connection, host: Connection, client: Client
) -> None:
    Delivery("acme/other").commits("o1")
    Delivery("acme/other").deploys("d1", at="Mon 01:00", service="search")
    tell(pager, "P1", 100)
    at_host(host, "G1", 103, "acme/other")
    at_host(host, "G2", 125)
    assert counted() == ["G1", "G2", "P1"]
    client.force_login(create_user(ADMIN))
    shop = Repository.objects.get(name="acme/shop")
    rule = {"repository": shop.pk, "service": "cart", "patterns": "cart/"}
    client.post("/admin/integrations/servicepaths/add/", rule)
    assert counted() == ["G1", "P1"], "the one in the other repository began nearer, and is another one"
    client.post(
        "/admin/integrations/servicepaths/",
        {"action": "delete_selected", "_selected_action": [ServicePaths.objects.get().pk], "post": "yes"},
    )
    assert counted() == ["G1", "G2", "P1"]


def test_path_rules_say_whose_deployments_a_pager_means(pager: Connection, client: Client) -> None:
    """A pager names a service alone, and the code host deploys a repository alone."""
    shop = Delivery("acme/shop")
    shop.deploys("d1", at="Mon 01:00")
    tell(pager, "P1", 100)
    assert not DeploymentFailure.objects.exists()
    client.force_login(create_user(ADMIN))
    address = "/admin/integrations/servicepaths/"
    rule = {"repository": Repository.objects.get().pk, "service": "cart", "patterns": "cart/"}
    client.post(f"{address}add/", rule)
    assert blamed() == ("P1", "d1", "window")
    shop.deploys("d2", at="Mon 01:20")
    assert blamed() == ("P1", "d2", "window")
    tell(pager, "P1", 70)
    assert blamed() == ("P1", "d1", "window")
    client.post(f"{address}{ServicePaths.objects.get().pk}/change/", {**rule, "service": "search"})
    assert not DeploymentFailure.objects.exists()
    tell(pager, "P1", 70, "search")
    assert blamed() == ("P1", "d1", "window")
    chosen = {"action": "delete_selected", "_selected_action": [ServicePaths.objects.get().pk], "post": "yes"}
    client.post(address, chosen)
    assert not DeploymentFailure.objects.exists()


def test_path_rules_of_two_repositories_say_nothing_of_a_pager(pager: Connection, client: Client) -> None:
    for name in ("acme/shop", "acme/search"):
        Delivery(name).deploys(f"{name} d", at="Mon 01:00")
    tell(pager, "P1", 100)
    client.force_login(create_user(ADMIN))
    address = "/admin/integrations/servicepaths/"
    shop, search = Repository.objects.order_by("-name")
    client.post(f"{address}add/", {"repository": shop.pk, "service": "cart", "patterns": "cart/"})
    assert blamed() == ("P1", "acme/shop d", "window")
    client.post(f"{address}add/", {"repository": search.pk, "service": "cart", "patterns": "cart/"})
    assert not DeploymentFailure.objects.exists()
    client.post(f"{address}{ServicePaths.objects.get(repository=shop).pk}/delete/", {"post": "yes"})
    assert blamed() == ("P1", "acme/search d", "window")


@pytest.mark.parametrize("correction", ["taken back", "repository"])
def test_a_deployment_that_hid_a_longer_one_from_a_pager(pager: Connection, correction: str) -> None:
    """The long rollout is blamed once the short one after it, which ended too early to be, is not there any more."""
    shop = Delivery("acme/shop")
    shop.deploys("long", started="Mon 00:00", at="Mon 12:00")
    shop.deploys("short", started="Mon 01:00", at="Mon 02:00")
    ServicePaths.objects.create(repository=Repository.objects.get(), service="cart", patterns=["cart/"])
    tell(pager, "P1", 30 * 60)
    assert not DeploymentFailure.objects.exists()
    if correction == "taken back":
        shop.takes_back("deployments", "short")
    else:
        Delivery("acme/other").deploys("short", started="Mon 01:00", at="Mon 02:00")
    assert blamed() == ("P1", "long", "window")


def test_what_only_one_report_names_holds_for_both(pager: Connection, host: Connection) -> None:
    shop = Delivery()
    shop.deploys("d1", at="Mon 01:00", service="cart")
    shop.deploys("d2", at="Mon 01:20", service="search")
    at_host(host, "G1", 100)
    assert blamed() == ("G1", "d2", "window"), "the last one of the repository"
    desk = Connection.objects.create(provider="servicenow", name="A later desk")
    tell(desk, "INC1", 103)
    assert (counted(), blamed()) == (["G1"], ("G1", "d1", "window")), "the desk names the service"
    tell(desk, "INC1", 300)
    assert counted() == ["G1", "INC1"]
    assert set(DeploymentFailure.objects.values_list("incident__external_id", "deployment__external_id")) == {
        ("G1", "d2"),
        ("INC1", "d1"),
    }


def test_both_pages_name_the_other(pager: Connection, desk: Connection) -> None:
    tell(pager, "P1", 100, key="#1")
    tell(desk, "INC1", 103, key="INC0001")
    access = access_of(create_user(EXECUTIVE))
    links = {
        one.key: [(link.relation, link.record.reference) for link in story_of_incident(one, access).links]
        for one in Incident.objects.all()
    }
    assert links == {"#1": [("reported_too", "INC0001")], "INC0001": [("duplicate_of", "#1")]}


@pytest.mark.parametrize("seed", range(3))
def test_whatever_changes_in_whichever_order_a_full_recomputation_changes_nothing(
    pager: Connection, desk: Connection, seed: int
) -> None:
    chance = random.Random(seed)
    third = Connection.objects.create(provider="gitlab", name="GitLab")
    Delivery().commits("m1")
    for _ in range(60):
        connection = chance.choice([pager, desk, third])
        id_ = f"{connection.provider}-{chance.randrange(6)}"
        if chance.random() < 0.1:
            where = chance.choice(["production", "staging"])
            Delivery().deploys("d1", at="Mon 01:00", service=chance.choice(["cart", "search"]), environment=where)
        elif chance.random() < 0.2:
            with transaction.atomic():
                mark_deleted(connection, Kind.INCIDENT, [id_])
        elif connection == third:
            at_host(third, id_, chance.randrange(0, 120))
        else:
            tell(connection, id_, chance.randrange(0, 120), chance.choice(["cart", "cart", "search"]))
        assert recompute_all_repeated_incidents() == set()

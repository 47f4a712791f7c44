"""A service is its id at its provider: whatever it is called, its records stay together."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from insights.query.query import Dimension
from insights.ui.labels import label_of
from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import IncidentDraft
from integrations.delivery.ownership.listing import Filters, listed_things
from integrations.enums import ResourceKind
from integrations.intake.places import store_resource
from integrations.intake.resolve import renamed_services, shown_service
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, Deployment, Incident
from orgtree.models import OrgTree
from tests.delivery.linking.delivery import Delivery, failures

pytestmark = pytest.mark.django_db


@pytest.fixture
def pagerduty() -> Connection:
    return Connection.objects.create(provider="pagerduty", name="PagerDuty")


def lists(connection: Connection, id_: str, name: str) -> None:
    store_resource(connection, ResourceDraft(ResourceKind.SERVICE, id_, name))


def calls(connection: Connection, id_: str, service: str, day: int) -> None:
    at = datetime(2026, 3, day, 11, tzinfo=UTC)
    store_drafts(connection, [IncidentDraft(external_id=id_, service=service, started_at=at)])


def services() -> dict[str, str]:
    return dict(Incident.objects.values_list("external_id", "service"))


def test_its_incidents_and_deployments_stay_together(pagerduty: Connection) -> None:
    shop = Delivery()
    lists(pagerduty, "P1", "Checkout")
    shop.deploys("old name", at="Mon 10:00", service="checkout")
    calls(pagerduty, "1", "P1", 2)
    lists(pagerduty, "P1", "checkout-api")
    calls(pagerduty, "2", "P1", 3)
    shop.deploys("new name", at="Tue 10:00", service="Checkout API")
    shop.deploys("old name again", at="Wed 10:00", service="Checkout")
    calls(pagerduty, "3", "P1", 4)
    assert len({*services().values(), *Deployment.objects.values_list("service", flat=True)}) == 1
    assert {(deployment, incident) for deployment, _, incident in failures()} == {
        ("old name", "1"),
        ("new name", "2"),
        ("old name again", "3"),
    }


def test_all_of_its_names_mean_it_and_pages_show_the_present_one(pagerduty: Connection) -> None:
    shop = Delivery()
    for day, name in enumerate(("Checkout", "checkout-api", "Checkout API v2")):
        lists(pagerduty, "P1", name)
        calls(pagerduty, str(day), "P1", day + 2)
        shop.deploys(f"d{day}", at=f"{('Mon', 'Tue', 'Wed')[day]} 10:00", service=name)
    shop.deploys("late", at="Thu 10:00", service="checkout-api")
    assert {*services().values(), *Deployment.objects.values_list("service", flat=True)} == {"Checkout"}
    renamed_services.clear()
    assert [shown_service(name) for name in ("Checkout", "Search")] == ["Checkout API v2", "Search"]
    assert label_of("Checkout", Dimension.SERVICE) == "Checkout API v2"
    (thing,) = listed_things(OrgTree.objects.create(name="T"), Filters(search="api v2"), on=date(2026, 3, 9)).things
    assert (thing.name, thing.title) == ("Checkout", "Checkout API v2")


def test_a_former_name_that_another_service_has_by_now_is_that_one(pagerduty: Connection) -> None:
    lists(pagerduty, "P1", "Checkout")
    lists(pagerduty, "P1", "Pay")
    lists(pagerduty, "P1", "Payments")
    lists(pagerduty, "P2", "Pay")
    calls(pagerduty, "1", "P1", 2)
    calls(pagerduty, "2", "P2", 3)
    Delivery().deploys("d", at="Wed 10:00", service="pay")
    stored = services()
    assert stored["1"] != stored["2"] == Deployment.objects.get().service


def test_another_service_that_takes_the_name_is_another(pagerduty: Connection) -> None:
    lists(pagerduty, "P1", "Checkout")
    calls(pagerduty, "1", "P1", 2)
    lists(pagerduty, "P1", "Checkout, old")
    lists(pagerduty, "P2", "Checkout")
    calls(pagerduty, "2", "P2", 3)
    calls(pagerduty, "3", "P1", 4)
    stored = services()
    assert stored["1"] == stored["3"] != stored["2"]


def test_one_that_nobody_lists_is_what_it_is_called(pagerduty: Connection) -> None:
    calls(pagerduty, "1", "Search", 2)
    assert services() == {"1": "Search"}

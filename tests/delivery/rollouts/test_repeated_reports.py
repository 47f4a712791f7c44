"""A deployment that two connections report: one without its service, or under another name of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from integrations.delivery.linking.corrections import decide_repeated_reports
from integrations.delivery.records.deployment import story_of_deployment
from integrations.delivery.rollouts.grouping import Part, Report, repeated_reports
from integrations.delivery.rollouts.recompute import recompute_all_rollouts
from integrations.enums import Kind
from integrations.intake.deleted_records import mark_deleted
from integrations.models import Deployment, RepeatedReport
from orgtree.access.access import access_of
from tests.delivery.linking.delivery import Delivery
from tests.delivery.rollouts.test_rollouts import at, counted, deployment, status
from tests.intake.conftest import Tell
from tests.personas import ADMIN, EXECUTIVE, create_user

GAP = timedelta(minutes=30)
APART, ONCE = RepeatedReport.State.APART, RepeatedReport.State.ONCE


def report(id_: int, connection: int, service: str = "", *, start: int = 0, **others: Any) -> Report:
    values: dict[str, Any] = {"sha": "a", "run": "", "succeeded": True, **others}
    part = Part(
        id=id_,
        external_id=f"d{id_}",
        environment="production",
        started_at=at(start),
        finished_at=at(start + 10),
        **values,
    )
    return Report(part, connection, service)


@pytest.mark.parametrize(
    ("other", "is_repeated"),
    [
        (report(2, 2, "cart", start=2), True),
        (report(2, 2, "cart", start=40), True),  # as long as parts of one rollout may be apart
        (report(2, 2, "cart", start=41), False),
        (report(2, 2, "cart", sha="b"), False),
        (report(2, 2, "cart", sha=""), False),
        (report(2, 1, "cart"), False),  # of the same connection: it reported two
        (report(2, 2), False),  # two without a service are of one anyhow
        (report(2, 2, "cart", succeeded=False), False),
    ],
)
def test_a_report_is_repeated_by_another_connection_with_a_service(other: Report, is_repeated: bool) -> None:
    assert repeated_reports([report(1, 1), other], GAP) == ({1: other} if is_repeated else {})


@pytest.mark.parametrize(
    ("service", "shorter", "is_repeated"),
    [
        ("cart-service", "cart", True),
        ("Cart App", "cart", True),
        ("acme-payments", "payments", True),
        ("shop/payments", "payments", True),
        ("shop-service", "shop", True),
        ("cart-worker", "cart", False),
        ("search", "cart", False),
        ("shop-cart", "shop", False),
        ("cart", "cart", False),  # parts of one rollout anyhow
    ],
)
def test_two_names_of_one_service_are_one(service: str, shorter: str, is_repeated: bool) -> None:
    long, short = report(1, 1, service), report(2, 2, shorter, start=2)
    assert repeated_reports([long, short], GAP, "acme/shop") == ({1: short} if is_repeated else {})


def test_a_report_of_one_run_needs_no_commit() -> None:
    other = report(2, 2, "cart", sha="", run="r 0")
    assert repeated_reports([report(1, 1, run="r 0"), other], GAP) == {1: other}


def test_of_several_services_the_nearest_in_time_is_meant() -> None:
    near, far = report(2, 2, "cart", start=3), report(3, 2, "search", start=9)
    assert repeated_reports([report(1, 1), far, near], GAP) == {1: near}


def pushed(tell: Tell, id_: str = "harness-1", **others: Any) -> Delivery:
    """A deployment with a service, beside one that GitHub reports without."""
    tell(deployment("D1", status("in_progress", 60), status("success", 70)))
    pushed = Delivery(Deployment.objects.get(external_id="D1").repository.name)
    record = {"service": "cart", "sha": "a" * 40, "environment": "prod", "status": "success", **others}
    pushed.push(
        "deployments",
        id=id_,
        repository=pushed.repository,
        started_at=at(59).isoformat(),
        finished_at=at(72).isoformat(),
        **record,
    )
    return pushed


pytestmark = pytest.mark.django_db


def test_it_counts_once_and_the_connections_are_noted(tell: Tell) -> None:
    pushed(tell)
    assert counted() == {"harness-1": 72}
    noted = RepeatedReport.objects.get()
    assert (noted.records, noted.last_at, noted.state) == (1, at(70), ONCE)
    assert (noted.connection.name, noted.reported_by.provider) == (
        Deployment.objects.get(external_id="D1").connection.name,
        "push",
    )


def test_whichever_comes_first(tell: Tell) -> None:
    pushed(tell).takes_back("deployments", "harness-1")
    assert (counted(), RepeatedReport.objects.count()) == ({"D1": 70}, 0)
    pushed(tell, "harness-2")
    assert counted() == {"harness-2": 72}
    tell(deployment("D2", status("in_progress", 61), status("success", 71)))
    assert counted() == {"harness-2": 72}
    assert RepeatedReport.objects.get().records == 2


def test_an_admin_counts_them_apart_and_once_again(tell: Tell) -> None:
    pushed(tell)
    noted = RepeatedReport.objects.get()
    assert decide_repeated_reports([noted.pk], APART, by="ada") == 1
    assert counted() == {"D1": 70, "harness-1": 72}
    noted.refresh_from_db()
    assert (noted.state, noted.decided_by) == (APART, "ada")
    tell(deployment("D2", status("in_progress", 200), status("success", 210), sha="b" * 40))
    assert sorted(counted()) == ["D1", "D2", "harness-1"], "the decision holds for what comes"
    assert decide_repeated_reports([noted.pk], APART, by="max") == 0
    assert decide_repeated_reports([noted.pk], ONCE, by="ada") == 1
    assert counted() == {"harness-1": 72, "D2": 210}


def test_two_names_of_one_service_count_once(tell: Tell) -> None:
    shop = pushed(tell, service="cart-service")
    tell(deployment("D2", status("in_progress", 60), status("success", 71), service="cart"))
    assert counted() == {"D2": 71}, "D1 is a report of harness-1, which is one of D2"
    assert set(RepeatedReport.objects.values_list("connection__provider", "reported_by__provider")) == {
        ("github", "push"),
        ("push", "github"),
    }
    shop.takes_back("deployments", "harness-1")
    assert counted() == {"D1": 70, "D2": 71}
    assert not RepeatedReport.objects.exists()


def test_what_is_noted_goes_when_there_is_one_connection_left(tell: Tell) -> None:
    shop = pushed(tell)
    assert RepeatedReport.objects.count() == 1
    shop.takes_back("deployments", "harness-1")
    assert not RepeatedReport.objects.exists()
    assert counted() == {"D1": 70}


def test_what_is_noted_goes_with_the_last_deployment_and_a_decision_stays(tell: Tell) -> None:
    for state, left in ((ONCE, 0), (APART, 1)):
        shop = pushed(tell)
        noted = RepeatedReport.objects.get()
        decide_repeated_reports([noted.pk], state, by="ada")
        shop.takes_back("deployments", "harness-1")
        with transaction.atomic():
            mark_deleted(Deployment.objects.get(external_id="D1").connection, Kind.DEPLOYMENT, ["D1"])
        assert (counted(), RepeatedReport.objects.count()) == ({}, left)


def test_a_recomputation_of_everything_changes_nothing(tell: Tell) -> None:
    pushed(tell)
    assert recompute_all_rollouts() == set()


def test_two_services_stay_two_and_another_commit_is_another_deployment(tell: Tell) -> None:
    shop = pushed(tell)
    record = {"service": "search", "sha": "a" * 40, "environment": "prod", "status": "success"}
    shop.push("deployments", id="harness-2", repository=shop.repository, finished_at=at(75).isoformat(), **record)
    tell(deployment("D2", status("in_progress", 61), status("success", 71), sha="c" * 40))
    assert counted() == {"D2": 71, "harness-1": 72, "harness-2": 75}


def test_both_pages_name_the_other(tell: Tell) -> None:
    pushed(tell)
    access = access_of(create_user(EXECUTIVE))
    whole, part = (Deployment.objects.get(external_id=id_) for id_ in ("harness-1", "D1"))
    relations = {one.pk: {link.relation for link in story_of_deployment(one, access).links} for one in (whole, part)}
    assert "reported_too" in relations[whole.pk]
    assert "part_of" in relations[part.pk]


def test_admin_lists_them_and_undoes_it(tell: Tell, client: Client) -> None:
    pushed(tell)
    client.force_login(create_user(ADMIN))
    address = "/admin/integrations/repeatedreport/"
    assert "acme/shop" in client.get(address).text
    noted = RepeatedReport.objects.get()
    client.post(address, {"action": "count_apart", "_selected_action": [noted.pk]})
    assert counted() == {"D1": 70, "harness-1": 72}
    assert client.get(f"{address}{noted.pk}/change/").status_code == 200

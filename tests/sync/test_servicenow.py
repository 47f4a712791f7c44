"""ServiceNow through the engine: change requests beside what deploys, and the incidents that they caused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import transaction

from demo.providers.servicenow_server import ServiceNowServer, change_id
from integrations.connectors.drafts import DeploymentDraft
from integrations.delivery.mappings.effective import Subject
from integrations.delivery.mappings.values_seen import values_seen
from integrations.enums import RunStatus
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, Deployment, FailedDeployment, Incident
from integrations.push.store import push_connection
from tests.connectors.pagerduty.test_reading import incident
from tests.connectors.servicenow.test_reading import deployment, with_records
from tests.demo.small_history import BEGIN, HOUR
from tests.sync.readings import let_time_pass, read_everything, read_through
from tests.sync.simulated import SERVICENOW

pytestmark = pytest.mark.django_db


@pytest.fixture
def servicenow() -> Iterator[ServiceNowServer]:
    """Two change requests of the service "shop", and two incidents, the first of which names the first as its cause."""
    blames = replace(incident(1, 40), caused_by=1)
    history = with_records(blames, incident(2, 100), deployments=(deployment(1, 1), deployment(2, 99)))
    with ServiceNowServer(history, token="token_of_the_tests") as server:
        yield server


@pytest.fixture
def connection(servicenow: ServiceNowServer) -> Connection:
    """With everything picked and read."""
    connection = SERVICENOW.connect(servicenow)
    read_through(connection)
    return connection


def deploy() -> None:
    """Another tool reports the deployment of the first change request, in the service that it calls by its name."""
    draft = DeploymentDraft(
        external_id="1",
        repository="acme/shop",
        service="Shop",
        status=RunStatus.SUCCESS,
        native_environment="production",
        finished_at=BEGIN + 1.4 * HOUR,
    )
    with transaction.atomic():
        store_drafts(push_connection(), [draft])


def counted() -> set[tuple[str, str]]:
    rows = Deployment.objects.filter(exclusion_reason="").values_list("connection__provider", "external_id")
    return set(rows)


def failures() -> set[tuple[str, str]]:
    return set(FailedDeployment.objects.values_list("deployment__external_id", "method"))


def test_change_requests_are_deployments_of_their_service(connection: Connection) -> None:
    assert counted() == {("servicenow", change_id(1)), ("servicenow", change_id(2))}
    assert set(Deployment.objects.values_list("service", "repository__name")) == {("shop", "acme/shop")}
    assert failures() == {(change_id(1), "explicit"), (change_id(2), "window")}


def test_they_are_set_apart_once_another_tool_reports_the_deployments(connection: Connection) -> None:
    deploy()
    assert counted() == {("push", "1")}
    assert failures() == {("1", "explicit")}, "the second incident began long after it"
    let_time_pass(connection)
    runs = read_everything(connection, full=True)
    assert all((run.added, run.changed, run.removed) == (0, 0, 0) for run in runs)
    assert counted() == {("push", "1")}


def test_a_rule_that_no_longer_matches_takes_its_deployments_away(
    servicenow: ServiceNowServer, connection: Connection
) -> None:
    connection.settings["deployments"] = "*/standard: environment=production"
    connection.save()
    let_time_pass(connection)
    read_everything(connection, full=True)
    assert not Deployment.objects.filter(deleted_at=None).exists()


def test_an_incident_that_stops_to_count_is_removed(servicenow: ServiceNowServer, connection: Connection) -> None:
    servicenow.edits[f"{2:032x}"] = {"priority": ("4", "4 - Low")}
    connection.settings["incidents"] = "priorityIN1,2"
    connection.save()
    let_time_pass(connection)
    read_everything(connection, full=True)
    assert set(Incident.objects.filter(deleted_at=None).values_list("key", flat=True)) == {"INC0000001"}


def test_labels_of_priorities_are_severities(connection: Connection) -> None:
    seen = values_seen(connection, Subject.SEVERITY)
    assert [(value.word, value.by_default) for value in seen] == [("2 - High", "high")]
    assert set(Incident.objects.values_list("severity", flat=True)) == {"high"}

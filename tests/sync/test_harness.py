"""Harness through the engine: from its API to deployments, their rollouts and their runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from demo.providers.harness_server import HarnessServer
from integrations.models import Connection, Deployment, PipelineRun, PipelineRunFigures
from integrations.sync.slices import run_next_slice
from integrations.webhooks.process import process_waiting
from tests.connectors.reading import TOKEN
from tests.demo.small_history import BEGIN, DAY, HOUR, small_history
from tests.sync.readings import let_time_pass, read_everything, read_through
from tests.sync.simulated import HARNESS, tables_of

pytestmark = pytest.mark.django_db
SECRET = "only-for-tests"
EVENT = {"orgIdentifier": "default", "projectIdentifier": "acme", "planExecutionId": "x"}


@pytest.fixture
def harness() -> Iterator[HarnessServer]:
    with HarnessServer(small_history(), token=TOKEN) as server:
        yield server


@pytest.fixture
def connection(harness: HarnessServer) -> Connection:
    """With everything picked; nothing is read yet."""
    return HARNESS.connect(harness)


def send(connection: Connection, event: str, *, secret: str = SECRET, **more: Any) -> int:
    body = json.dumps({"eventData": {**EVENT, "eventType": event, **more}})
    headers = {"authorization": f"Bearer {secret}"}
    address = f"/hooks/harness/{connection.pk}/"
    return Client().post(address, body, content_type="application/json", headers=headers).status_code


def test_executions_are_runs_and_deployments_of_the_repository_that_the_rule_names(connection: Connection) -> None:
    read_through(connection)
    deployments = Deployment.objects.order_by("finished_at")
    assert [(one.environment, one.status, one.service) for one in deployments] == [
        ("staging", "success", "shop"),
        ("production", "failure", "shop"),
        ("production", "success", "shop"),
    ]
    assert {one.repository.name for one in deployments if one.repository} == {"acme/shop"}
    assert PipelineRun.objects.filter(repository__name="acme/shop").count() == 6
    first, second = PipelineRun.objects.filter(name="CI").order_by("attempt")
    assert (first.run, first.attempt, second.attempt) == (second.run, 1, 2)
    assert PipelineRunFigures.objects.get(run=second).is_flaky is True


def test_an_environments_type_makes_a_deployment_one_to_production(
    harness: HarnessServer, connection: Connection
) -> None:
    harness.types = {"staging": "Production"}
    read_through(connection)
    assert Deployment.objects.filter(environment="production").count() == 2  # the name says that staging is none


def test_webhooks_in_any_order_and_twice_leave_the_tables_of_a_sync(
    harness: HarnessServer, connection: Connection
) -> None:
    connection.secrets = {**connection.secrets, "webhook_secret": SECRET}
    connection.save()
    events = ("PipelineStart", "StageSuccess", "PipelineEnd", "StepFailed")
    for event in events:
        assert send(connection, event) in (200, 202)
    process_waiting()
    harness.advance(BEGIN + 9 * HOUR)  # one is in staging, and none in production
    read_through(connection)
    harness.advance(BEGIN + 30 * DAY)
    for number, event in enumerate(reversed(events + events)):
        assert send(connection, event, again=number) in (200, 202)
    process_waiting()
    let_time_pass(connection)
    while run_next_slice() is not None:
        pass
    usual = tables_of(connection)
    let_time_pass(connection)
    runs = read_everything(connection, full=True)
    assert [(run.added, run.changed, run.removed) for run in runs] == [(0, 0, 0)] * len(runs)
    assert tables_of(connection) == usual
    assert Deployment.objects.filter(deleted_at=None).count() == 3


def test_a_notification_with_another_secret_is_refused(connection: Connection) -> None:
    connection.secrets = {**connection.secrets, "webhook_secret": "another"}
    connection.save()
    assert send(connection, "PipelineEnd") == 401

"""Azure DevOps through the engine: from its API to the figures."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from demo.plan.delivery import Incident as Late
from demo.plan.delivery import Urgency
from demo.providers.azure_server import AzureServer
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import (
    Connection,
    Deployment,
    Incident,
    PipelineRun,
    PullRequest,
    PullRequestFigures,
    WorkItem,
    WorkItemLink,
)
from integrations.sync.resources import discover_resources
from integrations.sync.slices import run_next_slice
from integrations.webhooks.process import process_waiting
from tests.demo.small_history import BEGIN, DAY, HOUR, SHOP, small_history
from tests.sync.readings import let_time_pass, read_everything, read_through
from tests.sync.simulated import AZURE, GITHUB, TOKEN, tables_of

pytestmark = pytest.mark.django_db
SECRET = "only-for-tests"
SECONDS = 3600.0  # of an hour


@pytest.fixture
def azure() -> Iterator[AzureServer]:
    late = Late(1, SHOP, "Crates are late", Urgency.HIGH, BEGIN + DAY, BEGIN + 1.1 * DAY, BEGIN + 1.5 * DAY)
    with AzureServer(replace(small_history(), incidents=(late,)), token=TOKEN) as server:
        yield server


@pytest.fixture
def connection(azure: AzureServer) -> Connection:
    """With everything picked; nothing is read yet."""
    return AZURE.connect(azure)


def test_a_pull_request_has_the_stages_that_its_history_tells(connection: Connection) -> None:
    """Committed at 9, opened at 10, changes requested at 13, approved at 15, merged at 16 o'clock."""
    read_through(connection)
    recompute_waiting_pull_requests()
    figures = PullRequestFigures.objects.get(pull_request__number=1002)
    assert (figures.coding_seconds, figures.pickup_seconds) == (1 * SECONDS, 3 * SECONDS)
    assert (figures.review_seconds, figures.merge_seconds) == (2 * SECONDS, 1 * SECONDS)
    assert figures.cycle_seconds == 6 * SECONDS
    assert figures.credited is not None
    assert figures.credited.value == "max@example.com"


FIGURES = (
    *("opened_at", "merged_at", "first_commit_at", "first_review_at", "approved_at"),
    *("coding_seconds", "pickup_seconds", "review_seconds", "merge_seconds", "cycle_seconds"),
)


def figures_of(connection: Connection) -> dict[str, dict[str, Any]]:
    """Title → figures and state of each pull request of the connection, which have other numbers at each provider."""
    read_through(connection)
    recompute_waiting_pull_requests()
    fields = ("state", "is_draft", *(f"figures__{name}" for name in FIGURES))
    rows = PullRequest.objects.filter(connection=connection).values("title", *fields)
    return {row.pop("title"): row for row in rows}


def test_one_history_has_the_same_figures_from_github_and_azure_devops(connection: Connection) -> None:
    with GitHubServer(small_history(), tokens=[Token(TOKEN, "ada")]) as github:
        expected = figures_of(GITHUB.connect(github))
    assert figures_of(connection) == expected
    assert len(expected) == 5


# Boards and pipelines -------------------------------------------------------------------------------------------------


def test_a_deployment_is_of_the_repository_and_run_of_its_build(connection: Connection) -> None:
    read_through(connection)
    deployed = Deployment.objects.filter(connection=connection, external_id__endswith="/7005003/Deploy/1").get()
    assert (deployed.repository.name, deployed.environment) == ("acme/shop", "production")
    run = PipelineRun.objects.get(connection=connection, external_id="7005003")
    assert (run.name, run.repository_id) == ("Deploy", deployed.repository_id)


def test_pull_requests_are_linked_with_the_work_items_that_azure_devops_names(connection: Connection) -> None:
    read_through(connection)
    links = WorkItemLink.objects.filter(pull_request__connection=connection, method="provider")
    assert set(links.values_list("pull_request__number", "key")) == {(1002, "AB#2001")}
    assert WorkItem.objects.filter(connection=connection, key="AB#2001").exists()


def test_incidents_are_those_of_the_rules(connection: Connection, azure: AzureServer) -> None:
    connection.settings = {**connection.settings, "incidents": "Bug, severity=2 - High, tag=incident"}
    connection.save()
    discover_resources(connection)
    read_through(connection)
    incident = Incident.objects.get()
    assert (incident.severity, incident.service) == ("high", "shop")
    assert (incident.acknowledged_at, incident.resolved_at) == (BEGIN + 1.1 * DAY, BEGIN + 1.5 * DAY)


def test_a_second_sync_changes_nothing(connection: Connection) -> None:
    read_through(connection)
    let_time_pass(connection)
    runs = read_everything(connection, full=True)
    assert len(runs) == 5
    assert [(run.added, run.changed, run.removed) for run in runs] == [(0, 0, 0)] * len(runs)


def send(connection: Connection, payload: dict[str, Any], password: str = SECRET) -> int:
    headers = {"Authorization": f"Basic {b64encode(f'headway:{password}'.encode()).decode()}"}
    body = json.dumps(payload)
    address = f"/hooks/azure/{connection.pk}/"
    return Client().post(address, body, content_type="application/json", headers=headers).status_code


def test_webhooks_in_any_order_and_twice_leave_the_tables_of_a_sync(azure: AzureServer, connection: Connection) -> None:
    connection.secrets = {**connection.secrets, "webhook_secret": SECRET}
    connection.save()
    containers = {"project": {"id": azure.project["id"]}}
    repository = {"repository": {"id": connection.resources.get(kind="repository").external_id}}
    payloads: list[dict[str, Any]] = [
        {"eventType": "git.pullrequest.created", "resource": repository},
        {"eventType": "git.pullrequest.updated", "resource": repository},
        {"eventType": "workitem.updated", "resourceContainers": containers},
        {"eventType": "build.complete", "resourceContainers": containers},
        {"eventType": "ms.vss-pipelines.stage-state-changed-event", "resourceContainers": containers},
        {"eventType": "tfvc.checkin", "resourceContainers": containers},
    ]
    azure.advance(BEGIN + 7 * HOUR + HOUR / 60)  # it is merged, and not yet deployed
    read_through(connection)
    azure.advance(BEGIN + 30 * DAY)
    for number, payload in enumerate([*reversed(payloads), *payloads]):
        assert send(connection, {**payload, "id": f"event-{number % 9}"}) in (200, 202)
    process_waiting()
    let_time_pass(connection)
    while run_next_slice() is not None:
        pass
    usual = tables_of(connection)
    assert Deployment.objects.filter(connection=connection).count() == 3
    let_time_pass(connection)
    runs = read_everything(connection, full=True)
    assert [(run.added, run.changed, run.removed) for run in runs] == [(0, 0, 0)] * len(runs)
    assert tables_of(connection) == usual


def test_a_delivery_with_another_password_is_refused(connection: Connection) -> None:
    connection.secrets = {**connection.secrets, "webhook_secret": SECRET}
    connection.save()
    assert send(connection, {"id": "1", "eventType": "build.complete"}, password="another") == 401

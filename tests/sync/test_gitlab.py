"""GitLab through the engine: from its API to the figures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from demo.plan.delivery import Incident as Late
from demo.plan.delivery import Urgency
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from demo.providers.gitlab_server import GitLabServer
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import (
    Connection,
    DeployedPullRequest,
    Deployment,
    Incident,
    PullRequest,
    PullRequestFigures,
    WorkItem,
)
from integrations.sync.slices import run_next_slice
from integrations.webhooks.process import process_waiting
from tests.connectors.github.histories import with_deployments
from tests.demo.small_history import BEGIN, DAY, HOUR, SHOP, sha, small_history
from tests.sync.readings import let_time_pass, read_everything, read_through
from tests.sync.simulated import GITHUB, GITLAB, tables_of

pytestmark = pytest.mark.django_db
SECRET = "only-for-tests"
SECONDS = 3600.0  # of an hour


@pytest.fixture
def gitlab() -> Iterator[GitLabServer]:
    """With an incident, and a deployment to an environment whose name says nothing, and its tier everything."""
    late = Late(1, SHOP, "Crates are late", Urgency.HIGH, BEGIN + DAY, BEGIN + 1.1 * DAY, BEGIN + 1.5 * DAY)
    deployments = with_deployments([BEGIN + 8 * HOUR]).deployments
    west = tuple(replace(deployment, environment="eu-west") for deployment in deployments)
    history = replace(small_history(), incidents=(late,), deployments=west)
    with GitLabServer(history, token="token_of_the_tests", tiers={"eu-west": "production"}) as server:
        yield server


@pytest.fixture
def connection(gitlab: GitLabServer) -> Connection:
    """With everything picked; nothing is read yet."""
    return GITLAB.connect(gitlab)


def test_a_merge_request_has_the_stages_that_its_history_tells(connection: Connection) -> None:
    """Committed at 9, opened at 10, changes requested at 13, approved at 15, merged at 16 o'clock."""
    read_through(connection)
    recompute_waiting_pull_requests()
    figures = PullRequestFigures.objects.get(pull_request__number=2)
    assert (figures.coding_seconds, figures.pickup_seconds) == (1 * SECONDS, 3 * SECONDS)
    assert (figures.review_seconds, figures.merge_seconds) == (2 * SECONDS, 1 * SECONDS)
    assert figures.cycle_seconds == 6 * SECONDS
    assert figures.credited is not None
    assert figures.credited.value == "max-member"


def test_an_environments_tier_makes_a_deployment_one_to_production(connection: Connection) -> None:
    read_through(connection)
    deployment = Deployment.objects.get(pipeline_run=None)
    assert (deployment.environment, deployment.finished_at) == ("production", BEGIN + 9 * HOUR)


@pytest.mark.parametrize(("at", "predates"), [(BEGIN + 8 * HOUR, False), (BEGIN + 60 * DAY, True)])
def test_the_first_known_deployment_does_not_take_old_merges(at: datetime, predates: bool) -> None:
    """apache/devlake 8790: lead times of years, of all that was merged before deployments were known."""
    (deployment,) = with_deployments([at]).deployments
    merged = replace(deployment, sha=sha("Merge pull request #2"))
    history = replace(small_history(), deployments=(merged,), ends_at=at + DAY)
    with GitLabServer(history, token="token_of_the_tests") as gitlab:
        read_through(GITLAB.connect(gitlab))
    recompute_waiting_pull_requests()
    deployed = DeployedPullRequest.objects.get(pull_request__number=2)
    assert (deployed.deployed_at, deployed.predates) == (at + HOUR, predates)


def test_an_incident_has_its_times_and_is_no_work_item(connection: Connection) -> None:
    read_through(connection)
    incident = Incident.objects.get()
    assert (incident.severity, incident.repository and incident.repository.name) == ("high", "acme/shop")
    assert (incident.acknowledged_at, incident.resolved_at) == (BEGIN + 1.1 * DAY, BEGIN + 1.5 * DAY)
    assert set(WorkItem.objects.values_list("key", flat=True)) == {"acme/shop#1", "acme/shop#7"}


def send(connection: Connection, payload: Any, delivery: str) -> int:
    headers = {"X-Gitlab-Event": "Hook", "X-Gitlab-Token": SECRET, "Idempotency-Key": delivery}
    address = f"/hooks/gitlab/{connection.pk}/"
    body = json.dumps(payload)
    return Client().post(address, body, content_type="application/json", headers=headers).status_code


def test_webhooks_in_any_order_and_twice_leave_the_tables_of_a_sync(
    gitlab: GitLabServer, connection: Connection
) -> None:
    connection.secrets = {**connection.secrets, "webhook_secret": SECRET}
    connection.save()
    kinds = ("merge_request", "deployment", "pipeline", "build", "issue", "incident", "wiki_page")
    payloads = [{"object_kind": kind, "project": {"id": 101}, "number": n} for kind in kinds for n in (1, 2)]
    for number, payload in enumerate(payloads):
        assert send(connection, payload, f"before-{number}") in (200, 202)
    process_waiting()
    gitlab.advance(BEGIN + 7 * HOUR + timedelta(minutes=3))  # it is merged, and not yet deployed
    read_through(connection)
    gitlab.advance(BEGIN + 30 * DAY)
    for number, payload in enumerate(reversed(payloads + payloads)):
        assert send(connection, {**payload, "again": number}, f"after-{number}") in (200, 202)
    process_waiting()
    let_time_pass(connection)
    while run_next_slice() is not None:
        pass
    usual = tables_of(connection)
    assert Deployment.objects.filter(pipeline_run=None).count() == 1
    let_time_pass(connection)
    runs = read_everything(connection, full=True)
    assert [(run.added, run.changed, run.removed) for run in runs] == [(0, 0, 0)] * len(runs)
    assert tables_of(connection) == usual


def test_a_delivery_with_another_token_is_refused(connection: Connection) -> None:
    connection.secrets = {**connection.secrets, "webhook_secret": "another"}
    connection.save()
    assert send(connection, {"object_kind": "issue", "project": {"id": 101}}, "wrong") == 401


FIGURES = (
    *("opened_at", "merged_at", "first_commit_at", "first_review_at", "approved_at"),
    *("coding_seconds", "pickup_seconds", "review_seconds", "merge_seconds", "cycle_seconds"),
)


def figures_of(connection: Connection) -> dict[int, dict[str, Any]]:
    """Number → figures and state of each pull request of the connection."""
    read_through(connection)
    recompute_waiting_pull_requests()
    fields = ("state", "is_draft", "additions", "deletions", *(f"figures__{name}" for name in FIGURES))
    rows = PullRequest.objects.filter(connection=connection).values("number", *fields)
    return {row.pop("number"): row for row in rows}


def test_one_history_has_the_same_figures_from_github_and_gitlab(connection: Connection) -> None:
    with GitHubServer(small_history(), tokens=[Token("token_of_the_tests", "ada")]) as github:
        expected = figures_of(GITHUB.connect(github))
    assert figures_of(connection) == expected
    assert len(expected) == 5

"""GitLab through the engine: from its API to the figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from demo.plan.delivery import Incident as Late
from demo.plan.delivery import Urgency
from demo.providers.gitlab_server import GitLabServer
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import Connection, Deployment, Incident, PullRequestFigures, WorkItem
from tests.connectors.github.histories import with_deployments
from tests.demo.small_history import BEGIN, DAY, HOUR, SHOP, small_history
from tests.sync.readings import read_through
from tests.sync.simulated import GITLAB

pytestmark = pytest.mark.django_db
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


def test_an_incident_has_its_times_and_is_no_work_item(connection: Connection) -> None:
    read_through(connection)
    incident = Incident.objects.get()
    assert (incident.severity, incident.repository and incident.repository.name) == ("high", "acme/shop")
    assert (incident.acknowledged_at, incident.resolved_at) == (BEGIN + 1.1 * DAY, BEGIN + 1.5 * DAY)
    assert set(WorkItem.objects.values_list("key", flat=True)) == {"acme/shop#1", "acme/shop#7"}

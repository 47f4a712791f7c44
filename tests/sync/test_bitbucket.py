"""Bitbucket through the engine: from its API to the figures."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from demo.providers.bitbucket_server import BitbucketServer
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.models import Connection, Deployment
from integrations.sync.slices import run_next_slice
from integrations.webhooks.process import process_waiting
from tests.connectors.github.histories import with_deployments
from tests.demo.small_history import BEGIN, DAY, HOUR, small_history
from tests.sync.readings import let_time_pass, read_everything, read_through
from tests.sync.simulated import BITBUCKET, GITHUB, tables_of
from tests.sync.test_gitlab import figures_of

pytestmark = pytest.mark.django_db
SECRET = "only-for-tests"


@pytest.fixture
def bitbucket() -> Iterator[BitbucketServer]:
    """With a deployment to an environment whose name says nothing, and its type everything."""
    deployments = with_deployments([BEGIN + 8 * HOUR]).deployments
    west = tuple(replace(deployment, environment="eu-west") for deployment in deployments)
    history = replace(small_history(), deployments=west)
    with BitbucketServer(history, token="token_of_the_tests", types={"eu-west": "Production"}) as server:
        yield server


@pytest.fixture
def connection(bitbucket: BitbucketServer) -> Connection:
    """With everything picked; nothing is read yet."""
    return BITBUCKET.connect(bitbucket)


def test_an_environments_type_makes_a_deployment_one_to_production(connection: Connection) -> None:
    read_through(connection)
    deployment = Deployment.objects.get(pipeline_run=None)
    assert (deployment.environment, deployment.finished_at) == ("production", BEGIN + 9 * HOUR)


def test_one_history_has_the_same_figures_from_github_and_bitbucket(connection: Connection) -> None:
    with GitHubServer(small_history(), tokens=[Token("token_of_the_tests", "ada")]) as github:
        expected = figures_of(GITHUB.connect(github))
    assert figures_of(connection) == expected
    assert len(expected) == 5


def send(connection: Connection, event: str, payload: Any, delivery: str) -> int:
    body = json.dumps(payload)
    signed = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {"X-Event-Key": event, "X-Request-UUID": delivery, "X-Hub-Signature": f"sha256={signed}"}
    address = f"/hooks/bitbucket/{connection.pk}/"
    return Client().post(address, body, content_type="application/json", headers=headers).status_code


def test_webhooks_in_any_order_and_twice_leave_the_tables_of_a_sync(
    bitbucket: BitbucketServer, connection: Connection
) -> None:
    connection.secrets = {**connection.secrets, "webhook_secret": SECRET}
    connection.save()
    events = ("pullrequest:created", "pullrequest:fulfilled", "repo:push", "repo:commit_status_updated", "repo:fork")
    payload = {"repository": {"uuid": "{00000002-0000-4000-8000-000000000065}"}}
    for event in events:
        assert send(connection, event, payload, f"before-{event}") in (200, 202)
    process_waiting()
    bitbucket.advance(BEGIN + 7 * HOUR + timedelta(minutes=3))  # it is merged, and not yet deployed
    read_through(connection)
    bitbucket.advance(BEGIN + 30 * DAY)
    for number, event in enumerate(reversed(events + events)):
        assert send(connection, event, {**payload, "again": number}, f"after-{number}") in (200, 202)
    process_waiting()
    let_time_pass(connection)
    while run_next_slice() is not None:
        pass
    usual = tables_of(connection)
    let_time_pass(connection)
    runs = read_everything(connection, full=True)
    assert [(run.added, run.changed, run.removed) for run in runs] == [(0, 0, 0)] * len(runs)
    assert tables_of(connection) == usual


def test_a_delivery_with_another_signature_is_refused(connection: Connection) -> None:
    connection.secrets = {**connection.secrets, "webhook_secret": "another"}
    connection.save()
    assert send(connection, "repo:push", {"repository": {"uuid": "{1}"}}, "wrong") == 401

"""Linear through the engine: from its API to the records."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from demo.plan.delivery import Issue
from demo.providers.linear_server import LinearServer
from integrations.models import Connection, Sprint, WorkItem
from integrations.sync.slices import run_next_slice
from integrations.webhooks.process import process_waiting
from tests.connectors.linear.test_reading import initiative, project
from tests.demo.small_history import ADA, BEGIN, DAY, SHOP, small_history
from tests.sync.readings import let_time_pass, read_everything, read_through
from tests.sync.simulated import LINEAR, tables_of

pytestmark = pytest.mark.django_db
SECRET = "only-for-tests"


@pytest.fixture
def linear() -> Iterator[LinearServer]:
    """With a part of an issue, a project and its initiative."""
    part = Issue(3, 3, SHOP, ADA, "A part", "", BEGIN + DAY, epic=1)
    history = replace(small_history(), issues=(*small_history().issues, part))
    with LinearServer(history, token="token_of_the_tests") as server:
        server.projects, server.initiatives = [project(1)], [initiative(1)]
        yield server


@pytest.fixture
def connection(linear: LinearServer) -> Connection:
    """With everything picked; nothing is read yet."""
    return LINEAR.connect(linear)


def test_projects_and_initiatives_are_above_their_issues(connection: Connection) -> None:
    read_through(connection)
    rows = WorkItem.objects.values_list("key", "native_type", "parent_key", "status_category")
    assert set(rows) == {
        ("SHOP-1", "", "", "done"),
        ("SHOP-3", "", "SHOP-1", "todo"),
        ("SHOP-7", "", "", "todo"),
        ("project/000000000001", "Epic", "initiative/000000000001", "in_progress"),
        ("initiative/000000000001", "Initiative", "", "in_progress"),
    }
    closed = Sprint.objects.filter(completed_at__isnull=False)
    assert closed.exists()
    assert {sprint.board for sprint in closed} == {"team-101"}


def send(connection: Connection, event: str, data: Any, delivery: str) -> int:
    stamp = int(time.time() * 1000)
    body = json.dumps({"type": event, "data": data, "organizationId": "workspace-1", "webhookTimestamp": stamp})
    signed = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {"Linear-Event": event, "Linear-Delivery": delivery, "Linear-Signature": signed}
    address = f"/hooks/linear/{connection.pk}/"
    return Client().post(address, body, content_type="application/json", headers=headers).status_code


def test_webhooks_in_any_order_and_twice_leave_the_tables_of_a_sync(
    linear: LinearServer, connection: Connection
) -> None:
    connection.secrets = {**connection.secrets, "webhook_secret": SECRET}
    connection.save()
    events = {"Issue": {"teamId": "team-101"}, "Cycle": {"team": {"id": "team-101"}}, "Project": {}, "Reaction": {}}
    for event, data in events.items():
        assert send(connection, event, data, f"before-{event}") in (200, 202)
    process_waiting()
    linear.advance(BEGIN + 3.5 * DAY)
    read_through(connection)
    linear.advance(BEGIN + 30 * DAY)
    for number, (event, data) in enumerate(reversed([*events.items(), *events.items()])):
        assert send(connection, event, data, f"after-{number}") in (200, 202)
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
    assert send(connection, "Issue", {"teamId": "team-101"}, "wrong") == 401

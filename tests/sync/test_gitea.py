"""Gitea's webhooks beside a sync: received by the real receiver, in any order and twice, the tables stay the same."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from demo.providers.gitea_server import GiteaServer
from demo.providers.record_states import HistoryAt, IssueState, PullRequestState
from integrations.models import Connection, PullRequest, QuarantinedPayload, WorkItem
from integrations.sync.quarantine import replay
from integrations.webhooks.process import process_waiting
from tests.demo.small_history import BEGIN, DAY, HOUR, small_history
from tests.sync.readings import let_time_pass, read_everything, read_through
from tests.sync.simulated import GITEA, tables_of

pytestmark = pytest.mark.django_db
SECRET = "only-for-tests"


@pytest.fixture
def gitea() -> Iterator[GiteaServer]:
    with GiteaServer(small_history(), token="token_of_the_tests") as server:
        yield server


@pytest.fixture
def connection(gitea: GiteaServer) -> Connection:
    """With everything picked and a secret for webhooks; nothing is read yet."""
    connection = GITEA.connect(gitea)
    connection.secrets = {**connection.secrets, "webhook_secret": SECRET}
    connection.save()
    return connection


def send(connection: Connection, event: str, payload: Any, delivery: str) -> int:
    body = json.dumps(payload).encode()
    headers = {
        "X-Gitea-Delivery": delivery,
        "X-Gitea-Event": event,
        "X-Gitea-Signature": hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
    }
    address = f"/hooks/gitea/{connection.pk}/"
    return Client().post(address, body, content_type="application/json", headers=headers).status_code


def delivery_of(gitea: GiteaServer, state: IssueState | PullRequestState) -> tuple[str, dict[str, Any]]:
    issue = gitea.issue(state)
    if isinstance(state, PullRequestState):
        pull = gitea.pull_request(state)
        return "pull_request", {"action": "edited", "pull_request": pull, "repository": pull["base"]["repo"]}
    return "issues", {"action": "edited", "issue": issue, "repository": issue["repository"]}


def deliveries(gitea: GiteaServer) -> list[tuple[str, dict[str, Any]]]:
    """Deliveries of every record, in an early state and in the final one."""
    history = small_history()
    shown = [HistoryAt(history, at) for at in (BEGIN + 2 * DAY + HOUR, history.ends_at)]
    states = [state for at in shown for of in (at.pull_requests, at.issues) for state in of["shop"].values()]
    return [delivery_of(gitea, state) for state in states]


def test_webhooks_in_any_order_and_twice_leave_the_tables_of_a_sync(gitea: GiteaServer, connection: Connection) -> None:
    sent = deliveries(gitea)
    for number, (event, payload) in enumerate(reversed(sent)):
        assert send(connection, event, payload, f"before-{number}") in (200, 202)
    process_waiting()
    assert (PullRequest.objects.count(), WorkItem.objects.count()) == (5, 2)
    read_through(connection)
    usual = tables_of(connection)
    for number, (event, payload) in enumerate(sent + sent):
        send(connection, event, payload, f"after-{number}")
    process_waiting()
    let_time_pass(connection)
    runs = read_everything(connection, full=True)
    assert [(run.added, run.changed, run.removed) for run in runs] == [(0, 0, 0)] * len(runs)
    assert tables_of(connection) == usual


def test_a_delivery_in_quarantine_is_understood_once_it_can_be(gitea: GiteaServer, connection: Connection) -> None:
    event, payload = deliveries(gitea)[0]
    created_at = payload["pull_request"].pop("created_at")
    send(connection, event, payload, "renamed")
    process_waiting()
    waiting = QuarantinedPayload.objects.get()
    assert (waiting.source, waiting.path) == ("pull_request", "pull_request.created_at")
    waiting.payload["pull_request"]["created_at"] = created_at
    waiting.save()
    assert replay(connection, [waiting]).understood == 1
    assert PullRequest.objects.count() == 1


def test_a_whole_delivery_in_quarantine_is_read_again(gitea: GiteaServer, connection: Connection) -> None:
    event, payload = deliveries(gitea)[0]
    send(connection, event, [payload], "not an object")
    process_waiting()
    waiting = QuarantinedPayload.objects.get()
    assert (waiting.source, waiting.path) == ("webhook pull_request", "(delivery)")
    waiting.payload["body"] = json.dumps(payload)
    waiting.save()
    assert replay(connection, [waiting]).understood == 1
    assert PullRequest.objects.count() == 1

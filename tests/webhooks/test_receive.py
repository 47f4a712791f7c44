"""Webhooks: only what is signed is taken, once, whatever the order; what GitHub really sends becomes facts."""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import IncidentDraft
from integrations.enums import ResourceKind
from integrations.intake.places import store_resource
from integrations.models import (
    Connection,
    Deployment,
    PipelineRun,
    PullRequest,
    PullRequestReview,
    QuarantinedPayload,
    Release,
    Resource,
    WebhookDelivery,
    WorkItem,
)
from integrations.sync.quarantine import replay
from integrations.sync.resources import of_picked
from integrations.webhooks.process import MOST_TRIES, process_waiting
from tests.seeds import seeds

pytestmark = pytest.mark.django_db

SECRET = "only-for-tests"
REPOSITORIES = {
    "186853002": "Codertocat/Hello-World",
    "17273051": "octo-org/octo-repo",
    "300029405": "octo-org/octo-repo-2",
}


class GitHubSends:
    """GitHub, as far as a receiver of webhooks knows it."""

    def __init__(self) -> None:
        self.connection = Connection.objects.create(
            provider="github", name="GitHub", secrets={"webhook_secret": SECRET}, settings={}
        )
        for external_id, name in REPOSITORIES.items():
            store_resource(
                self.connection,
                ResourceDraft(ResourceKind.REPOSITORY, external_id, name, remote=f"github.com/{name.lower()}"),
            )
        Resource.objects.update(picked=True)
        self.sent = 0

    def send(
        self, event: str, payload: Any, *, delivery: str = "", secret: str = SECRET, encoding: str = "identity"
    ) -> int:
        self.sent += 1
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return (
            Client()
            .post(
                f"/hooks/github/{self.connection.pk}/",
                body,
                content_type="application/json",
                headers={
                    "X-GitHub-Event": event,
                    "X-GitHub-Delivery": delivery or f"delivery-{self.sent}",
                    "X-Hub-Signature-256": f"sha256={signature}",
                    "Content-Encoding": encoding,
                },
            )
            .status_code
        )


@pytest.fixture
def github() -> GitHubSends:
    return GitHubSends()


def payloads(test_data: Path) -> dict[str, Any]:
    files = sorted((test_data / "github-webhooks").glob("*.json"))
    return {file.name: json.loads(file.read_bytes()) for file in files}


def with_updated_at(minute: int, payload: Any) -> Any:
    """The payload with a time of its own at which its records changed: the samples come from several histories, in
    which one record has several contents at one time."""
    at = (datetime(2024, 5, 1, tzinfo=UTC) + timedelta(minutes=minute)).isoformat()
    return {
        name: value | {"updated_at": at} if isinstance(value, dict) and "updated_at" in value else value
        for name, value in payload.items()
    }


def event_of(name: str) -> str:
    return name.partition(".")[0]


def facts() -> dict[str, list[Any]]:
    """Every stored fact, without what only says when Headway saw it."""
    unseen = {"id", "first_seen_at", "connection_id", "pull_request_id", "project_id", "deleted_at"}
    stored = {}
    for model in (PullRequest, PullRequestReview, WorkItem, PipelineRun, Deployment, Release):
        rows = [{k: v for k, v in row.items() if k not in unseen} for row in model._default_manager.values()]
        stored[model.__name__] = sorted(rows, key=lambda row: json.dumps(row, default=str, sort_keys=True))
    return stored


def test_what_github_really_sends_becomes_facts(github: GitHubSends, test_data: Path) -> None:
    for name, payload in payloads(test_data).items():
        assert github.send(event_of(name), payload) == 202
    process_waiting()
    states = dict(WebhookDelivery.objects.values_list("event", "state"))
    assert not QuarantinedPayload.objects.exists(), list(QuarantinedPayload.objects.values("source", "path", "problem"))
    assert states["ping"] == "ignored"
    assert {states[event] for event in ("pull_request", "issues", "workflow_run", "deployment", "release")} == {"done"}
    assert PullRequest.objects.filter(number=2).exists()
    assert WorkItem.objects.filter(key="Codertocat/Hello-World#1").exists()
    assert PullRequestReview.objects.exists()
    assert PipelineRun.objects.exists()
    assert Deployment.objects.exists()
    assert Release.objects.exists()
    assert not WebhookDelivery.objects.exclude(body=None).exists()


@pytest.mark.parametrize("seed", seeds(0))
def test_deliveries_may_come_in_any_order_and_twice(test_data: Path, seed: int) -> None:
    everything = [
        (name, with_updated_at(minute, payload)) for minute, (name, payload) in enumerate(payloads(test_data).items())
    ]
    in_order = _after(everything)
    shuffled = everything + random.Random(seed).sample(everything, 10)
    random.Random(seed).shuffle(shuffled)
    for kind, rows in _after(shuffled).items():
        assert rows == in_order[kind]


def _after(deliveries: Sequence[tuple[str, Any]]) -> dict[str, list[Any]]:
    Connection.objects.all().delete()
    github = GitHubSends()
    for name, payload in deliveries:
        github.send(event_of(name), payload, delivery=f"{name} {github.sent}")
    process_waiting()
    assert not WebhookDelivery.objects.filter(state__in=("waiting", "quarantined")).exists()
    return facts()


def test_a_delivery_that_comes_again_is_known(github: GitHubSends, test_data: Path) -> None:
    payload = payloads(test_data)["pull_request.opened.payload.json"]
    assert github.send("pull_request", payload, delivery="same") == 202
    assert github.send("pull_request", payload, delivery="same") == 200
    assert process_waiting() == 1


def test_a_recorded_body_under_another_id_is_known(github: GitHubSends, test_data: Path) -> None:
    """The signature covers the body alone: who recorded a delivery may send it again under any id, as any event."""
    payload = payloads(test_data)["pull_request.opened.payload.json"]
    assert github.send("pull_request", payload, delivery="first") == 202
    assert github.send("pull_request", payload, delivery="second") == 200
    assert github.send("issues", payload, delivery="third") == 200
    assert process_waiting() == 1
    assert github.send("pull_request", payload, delivery="fourth") == 200, "after it was processed, too"
    assert github.send("pull_request", {**payload, "number": 3}, delivery="fifth") == 202


@pytest.mark.parametrize("secret", ["", "another"])
def test_what_is_not_signed_by_the_provider_is_refused(github: GitHubSends, secret: str) -> None:
    assert github.send("ping", {}, secret=secret) == 401
    assert not WebhookDelivery.objects.exists()


def test_a_connection_without_a_secret_takes_nothing(github: GitHubSends) -> None:
    Connection.objects.update(secrets={})
    assert github.send("ping", {}, secret="") == 401


def test_one_byte_more_breaks_the_signature(github: GitHubSends) -> None:
    body = b'{"zen": "x"}'
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "ping", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": f"sha256={signature}"}
    address = f"/hooks/github/{github.connection.pk}/"
    assert Client().post(address, body, content_type="application/json", headers=headers).status_code == 202
    assert Client().post(address, body + b" ", content_type="application/json", headers=headers).status_code == 401


def test_events_of_no_use_are_answered_like_the_others(github: GitHubSends) -> None:
    assert github.send("star", {"action": "created"}) == 202
    process_waiting()
    assert WebhookDelivery.objects.get().state == "ignored"


def test_repositories_that_are_not_synced_stay_out(github: GitHubSends, test_data: Path) -> None:
    Resource.objects.update(picked=False)
    github.send("pull_request", payloads(test_data)["pull_request.opened.payload.json"])
    process_waiting()
    assert WebhookDelivery.objects.get().state == "ignored"
    assert not PullRequest.objects.exists()


def test_what_is_not_as_documented_is_put_aside_and_the_rest_goes_on(github: GitHubSends, test_data: Path) -> None:
    everything = payloads(test_data)
    broken = json.loads(json.dumps(everything["pull_request.opened.payload.json"]))
    broken["pull_request"]["created_at"] = "yesterday"
    github.send("pull_request", broken)
    github.send("pull_request", b"no JSON at all")
    github.send("issues", everything["issues.opened.payload.json"])
    process_waiting()
    states = list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))
    assert states == ["quarantined", "quarantined", "done"]
    assert "created_at" in QuarantinedPayload.objects.order_by("pk")[0].path


def test_a_delivery_says_which_parts_of_its_record_are_left_out(
    github: GitHubSends, test_data: Path, admin: Client
) -> None:
    odd = json.loads(json.dumps(payloads(test_data)["pull_request.opened.payload.json"]))
    odd["pull_request"] |= {"labels": [{"id": 1, "name": "bug"}, {"id": 2, "name": 7}], "title": ["odd"]}
    github.send("pull_request", odd)
    process_waiting()
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, PullRequest.objects.get().labels) == ("done", ["bug"])
    assert set(delivery.fields_left_out) == {"pull_request.labels.name", "pull_request.title"}
    page = admin.get(f"/admin/integrations/connection/{github.connection.pk}/webhook/").content.decode()
    assert "not understood and left out: pull_request" in page


def test_a_replay_stores_records_of_synced_repositories_alone(github: GitHubSends, test_data: Path) -> None:
    broken = json.loads(json.dumps(payloads(test_data)["pull_request.opened.payload.json"]))
    broken["pull_request"]["created_at"] = "yesterday"
    github.send("pull_request", broken)
    process_waiting()
    record = QuarantinedPayload.objects.get()
    record.payload["pull_request"]["created_at"] = "2026-03-02T12:00:00Z"
    record.save()
    Resource.objects.update(picked=False)
    assert replay(github.connection, [record]).understood == 1
    assert not PullRequest.objects.exists()
    QuarantinedPayload.objects.update(replayed_at=None)
    Resource.objects.update(picked=True)
    assert replay(github.connection, [record]).understood == 1
    assert PullRequest.objects.count() == 1


def test_incidents_of_synced_services_are_stored_as_they_arrive() -> None:
    pager = Connection.objects.create(provider="pagerduty", name="PagerDuty")
    for name in ("Shop", "Till"):
        store_resource(pager, ResourceDraft(ResourceKind.SERVICE, f"P{name}", name))
    Resource.objects.filter(name="Shop").update(picked=True)
    incidents = [IncidentDraft(external_id=name, service=name) for name in ("Shop", "Till", "")]
    assert of_picked(pager, incidents) == incidents[:1]


def test_a_record_that_is_broken_twice_is_put_aside_once(github: GitHubSends, test_data: Path) -> None:
    broken = json.loads(json.dumps(payloads(test_data)["pull_request.opened.payload.json"]))
    for wrong in ("yesterday", "today"):
        broken["pull_request"]["created_at"] = wrong
        github.send("pull_request", broken)
    process_waiting()
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"quarantined"}
    assert QuarantinedPayload.objects.get().payload["pull_request"]["created_at"] == "today"


def test_what_fails_is_tried_again_later_and_not_for_ever(
    github: GitHubSends, test_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadlock(*_: Any) -> None:
        raise OperationalError("deadlock detected")

    everything = payloads(test_data)
    github.send("pull_request", everything["pull_request.opened.payload.json"])
    github.send("star", {"action": "created"})
    monkeypatch.setattr("integrations.webhooks.process.store_drafts", deadlock)
    for _ in range(MOST_TRIES - 1):
        process_waiting()
    states = WebhookDelivery.objects.order_by("pk")
    assert list(states.values_list("state", "tries")) == [("waiting", MOST_TRIES - 1), ("ignored", 0)]
    monkeypatch.undo()
    process_waiting()
    assert states[0].state == "done"
    monkeypatch.setattr("integrations.webhooks.process.store_drafts", deadlock)
    github.send("issues", everything["issues.opened.payload.json"])
    for _ in range(MOST_TRIES):
        process_waiting()
    assert QuarantinedPayload.objects.get().source == "webhook issues"


def test_no_such_connection_is_404(github: GitHubSends) -> None:
    assert Client().post("/hooks/github/999999/", b"{}", content_type="application/json").status_code == 404
    assert (
        Client().post(f"/hooks/jira/{github.connection.pk}/", b"{}", content_type="application/json").status_code == 404
    )
    Connection.objects.update(removed_at=timezone.now())
    assert github.send("ping", {}) == 404


def test_a_delivery_costs_few_queries(github: GitHubSends, test_data: Path, django_assert_max_num_queries: Any) -> None:
    payload = payloads(test_data)["pull_request.opened.payload.json"]
    with django_assert_max_num_queries(6, connection=database):
        github.send("pull_request", payload)


def test_nothing_is_inflated_before_its_signature_is_right(github: GitHubSends) -> None:
    """Each of these would be refused for its compression, and 80,000 members cost seconds."""
    for body, encoding in ((gzip.compress(b"") * 80_000, "gzip"), (b"no gzip", "gzip"), (b"{}", "br")):
        assert github.send("ping", body, secret="guessed", encoding=encoding) == 401
    assert not WebhookDelivery.objects.exists()


def test_the_signature_is_over_the_bytes_that_were_sent(github: GitHubSends) -> None:
    packed = gzip.compress(json.dumps({"zen": "Keep it small."}).encode())
    assert github.send("ping", packed, encoding="gzip") == 202
    assert json.loads(bytes(WebhookDelivery.objects.get().body or b"")) == {"zen": "Keep it small."}
    assert github.send("ping", packed[:-5], encoding="gzip") == 400

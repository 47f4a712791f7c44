"""Payloads of the simulated GitHub have the fields of GitHub's own examples, and values of the same types."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from tests.demo.small_history import BEGIN, DAY, small_history

Json = dict[str, Any]
# Fields of the examples that belong to what the simulation has not: Apps' installations, milestones, artefacts of CI.
LEFT_OUT = {
    "installation",
    "milestone",
    "steps",
    "assets",
    "payload",
    "license",
    "template_repository",
    "custom_properties",
}
EXAMPLES = {
    "pull_request.opened.payload.json": ("pull_request", "opened"),
    "pull_request.closed.payload.json": ("pull_request", "closed"),
    "pull_request.reopened.payload.json": ("pull_request", "reopened"),
    "pull_request.ready_for_review.payload.json": ("pull_request", "ready_for_review"),
    "pull_request.converted_to_draft.payload.json": ("pull_request", "converted_to_draft"),
    "pull_request.review_requested.payload.json": ("pull_request", "review_requested"),
    "pull_request.synchronize.payload.json": ("pull_request", "synchronize"),
    "pull_request_review.submitted.payload.json": ("pull_request_review", "submitted"),
    "pull_request_review.dismissed.payload.json": ("pull_request_review", "dismissed"),
    "pull_request_review_comment.created.payload.json": ("pull_request_review_comment", "created"),
    "issues.opened.payload.json": ("issues", "opened"),
    "issues.labeled.payload.json": ("issues", "labeled"),
    "issues.reopened.payload.json": ("issues", "reopened"),
    "push.1.payload.json": ("push", None),
    "workflow_run.requested.payload.json": ("workflow_run", "requested"),
    "workflow_run.completed.payload.json": ("workflow_run", "completed"),
    "workflow_job.queued.payload.json": ("workflow_job", "queued"),
    "workflow_job.completed.failure.with-organization.payload.json": ("workflow_job", "completed"),
    "deployment.payload.json": ("deployment", "created"),
    "deployment_status.payload.json": ("deployment_status", "created"),
    "release.published.payload.json": ("release", "published"),
}


@pytest.fixture(scope="module")
def deliveries() -> dict[tuple[str, str | None], Json]:
    """(event, action) → the first payload of it."""
    with GitHubServer(small_history(), tokens=[]) as github:
        deliveries: dict[tuple[str, str | None], Json] = {}
        for delivery in github.deliveries(BEGIN - 10 * DAY, BEGIN + 60 * DAY):
            payload = json.loads(delivery.body)
            deliveries.setdefault((delivery.event, payload.get("action")), payload)
    return deliveries


@pytest.mark.parametrize("name", EXAMPLES)
def test_webhooks_have_the_fields_of_the_example(
    name: str, deliveries: dict[tuple[str, str | None], Json], test_data: Path
) -> None:
    example = json.loads((test_data / "github-webhooks" / name).read_text())
    assert not list(_differences(example, deliveries[EXAMPLES[name]], EXAMPLES[name][0]))


def test_rest_has_the_fields_of_webhooks(test_data: Path) -> None:
    """A record reads the same, whichever way it comes."""
    folder = test_data / "github-webhooks"
    expected = {
        "/repos/acme/shop/pulls/2": ("pull_request.opened", "pull_request"),
        "/repos/acme/shop/issues/1": ("issues.opened", "issue"),
        "/repos/acme/shop/pulls/2/reviews": ("pull_request_review.submitted", "review"),
        "/repos/acme/shop/pulls/comments": ("pull_request_review_comment.created", "comment"),
        "/repos/acme/shop/deployments": ("deployment", "deployment"),
        "/repos/acme/shop/deployments/5001/statuses": ("deployment_status", "deployment_status"),
        "/repos/acme/shop/releases": ("release.published", "release"),
        "/repos/acme/shop": ("deployment", "repository"),
        "/repos/acme/shop/actions/runs/3001": ("workflow_run.completed", "workflow_run"),
        "/users/max-member": ("deployment", "sender"),
    }
    with (
        GitHubServer(small_history(), tokens=[Token("secret", "ada")]) as github,
        httpx.Client(base_url=github.url, headers={"Authorization": "Bearer secret"}, trust_env=False) as client,
    ):
        for path, (name, field) in expected.items():
            document = client.get(path).raise_for_status().json()
            record = document[0] if isinstance(document, list) else document
            example = json.loads((folder / f"{name}.payload.json").read_text())[field]
            assert not list(_differences(example, record, path))


def test_addresses_lead_to_the_server_itself() -> None:
    with GitHubServer(small_history(), tokens=[Token("secret", "ada")]) as github:
        answer = httpx.get(
            f"{github.url}/api/v3/repos/acme/shop/pulls/2", headers={"Authorization": "token secret"}, trust_env=False
        ).json()
    assert answer["url"] == f"{github.url}/api/v3/repos/acme/shop/pulls/2"
    assert answer["html_url"] == f"{github.url}/acme/shop/pull/2"


def test_the_same_event_has_the_same_id_and_a_signature() -> None:
    with GitHubServer(small_history(), tokens=[]) as github:
        first, again = (github.deliveries(BEGIN, BEGIN + timedelta(hours=3)) for _ in range(2))
    assert [delivery.id for delivery in first] == [delivery.id for delivery in again]
    assert len({delivery.id for delivery in first}) == len(first)
    headers = first[0].headers("secret")
    assert headers["X-Hub-Signature-256"].startswith("sha256=")
    assert "X-Hub-Signature-256" not in first[0].headers("")


def _differences(example: Any, document: Any, where: str) -> Iterator[str]:
    """Differences between the example and the simulation; null stands for anything on either side."""
    if example is None or document is None:
        return
    if isinstance(example, dict) and isinstance(document, dict):
        for name, value in example.items():
            if name in LEFT_OUT:
                continue
            if name not in document:
                yield f"{where}.{name} is missing"
            else:
                yield from _differences(value, document[name], f"{where}.{name}")
    elif isinstance(example, list) and isinstance(document, list):
        if example and document:
            yield from _differences(example[0], document[0], f"{where}[0]")
    elif type(example) is not type(document):
        yield f"{where} is {type(document).__name__} and not {type(example).__name__}"

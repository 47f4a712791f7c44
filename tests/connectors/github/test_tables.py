"""The final stored data are the same, whichever way they were read."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import models

from demo.providers.github_server import GitHubServer
from integrations.connectors.base import Settings
from integrations.connectors.github import actions
from integrations.models import (
    Connection,
    Deployment,
    DeploymentStatus,
    PipelineJob,
    PipelineRun,
    PullRequest,
    PullRequestCommit,
    PullRequestEvent,
    PullRequestReview,
    Release,
    SyncRun,
    WorkItem,
    WorkItemAssignment,
    WorkItemLink,
    WorkItemTransition,
)
from integrations.sync import clients
from integrations.sync.connect import connect
from integrations.sync.run_now import run_all
from tests.connectors.github.reading import TOKEN
from tests.connectors.reading import QUICK

pytestmark = pytest.mark.django_db(transaction=True)

TABLES: tuple[tuple[type[models.Model], str], ...] = (
    (PullRequest, "external_id"),
    (PullRequestCommit, "pull_request__external_id"),
    (PullRequestReview, "pull_request__external_id"),
    (PullRequestEvent, "pull_request__external_id"),
    (WorkItemLink, "pull_request__external_id"),
    (WorkItem, "external_id"),
    (WorkItemTransition, "work_item__external_id"),
    (WorkItemAssignment, "work_item__external_id"),
    (PipelineRun, "external_id"),
    (PipelineJob, "run__external_id"),
    (Deployment, "external_id"),
    (DeploymentStatus, "deployment__external_id"),
    (Release, "external_id"),
)
OWN = {
    "id",
    "connection_id",
    "first_seen_at",
    "exclusion_reason",
    "part_of_id",
    "rollout_started_at",
    "activation_of_id",
} | {f"{other}_id" for other in ("project", "pull_request", "work_item", "run", "deployment", "pipeline_run")}
"""What is another in each connection, whose rows are its own.

Of a deployment that both tell, one counts, and the other is a part of the same rollout.
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PATIENCE", QUICK)
    monkeypatch.setattr(actions, "JOBS_WITHIN", timedelta(days=36_500))  # the history is of a certain March


def connected(github: GitHubServer, name: str, **settings: str) -> Connection:
    values = {"base_url": github.url, "owners": "acme", **settings}
    return connect("github", name, Settings(values, {"token": TOKEN}))


def sync(connection: Connection) -> None:
    results = run_all([connection], full=False)
    assert {result.state for result in results} == {SyncRun.State.DONE}, results


def stored(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    tables = {}
    for model, owner in TABLES:
        of = f"{owner.removesuffix('external_id')}connection"
        rows = model._default_manager.filter(**{of: connection}).values(
            owner, *(field.attname for field in model._meta.concrete_fields if field.attname not in OWN)
        )
        tables[model.__name__] = sorted(rows, key=repr)
    return tables


def test_both_forms_store_the_same_tables(github: GitHubServer) -> None:
    with_graphql, without = connected(github, "GraphQL"), connected(github, "REST", use_graphql="false")
    for connection in (with_graphql, without):
        sync(connection)
    tables = stored(with_graphql)
    assert all(tables.values()), [name for name, rows in tables.items() if not rows]
    assert tables == stored(without)

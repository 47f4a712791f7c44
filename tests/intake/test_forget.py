"""Removing a provider's connection: its facts are kept with it, or leave without a trace."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from insights.columns.refresh import refresh
from integrations.connectors.drafts import ProvidedParts
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.enums import Kind, PullRequestState, RunStatus
from integrations.facts.counts import count_facts
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import store_drafts
from integrations.models import (
    Commit,
    Connection,
    Deployment,
    FactChange,
    FailedDeployment,
    Project,
    PullRequest,
    PullRequestFigures,
    Repository,
    Resource,
    WorkItem,
)
from integrations.sync.remove_connection import removal_impact, remove_keeping_facts, remove_with_facts
from tests.columns.forgotten import forgotten_by_refresh
from tests.intake.conftest import SHOP, SHOP_RESOURCE, Tell
from tests.intake.test_commits import commit
from tests.intake.test_other_facts import at, deployment, item, pull_request, run
from tests.intake.test_pull_requests import pull_request as whole_pull_request

SUCCESS: dict[str, Any] = {"native_environment": "production", "status": RunStatus.SUCCESS}


@pytest.fixture
def tracker(db: None) -> Connection:
    tracker = Connection.objects.create(provider="jira", name="Tracker")
    Project.objects.create(connection=tracker, external_id=SHOP, key="SHOP", name="Shop")
    return tracker


def test_facts_that_are_kept_stay_with_their_connection(tell: Tell, github: Connection) -> None:
    tell(whole_pull_request(), item(), commit("a" * 40))
    before = count_facts()
    Connection.objects.filter(pk=github.pk).update(secrets={"token": "secret"})
    remove_keeping_facts(github)
    stored = Connection.objects.get()
    assert stored.removed_at is not None
    assert stored.secrets == {}
    assert count_facts() == before


def test_facts_that_are_deleted_leave_nothing(tell: Tell, github: Connection) -> None:
    tell(
        whole_pull_request(),
        item(),
        run(),
        deployment(finished_at=at(1), native_environment="production"),
        commit("a" * 40),
    )
    brought = removal_impact(github)
    assert brought.records == {
        Kind.DEPLOYMENT: 1,
        Kind.PIPELINE_RUN: 1,
        Kind.PULL_REQUEST: 1,
        Kind.WORK_ITEM: 1,
    }
    assert (brought.repositories, brought.commits) == (1, 1)
    FactChange.objects.all().delete()
    remove_with_facts(github)
    for model in (Connection, Repository, PullRequest, WorkItem, Deployment, Commit, Resource):
        assert not model._default_manager.exists(), model
    families = set(FactChange.objects.values_list("family", flat=True))
    assert families >= {"pull_request", "work_item", "pipeline", "deployment"}


def test_records_of_other_connections_of_the_same_repository_stay(
    tell: Tell, github: Connection, tracker: Connection
) -> None:
    tell(pull_request("SHOP-1", title="fix: tea"), run())
    with transaction.atomic():
        store_drafts(tracker, [item("SHOP-1", native_type="Story")])
    other = Connection.objects.create(provider="github", name="Other")
    store_resource(other, SHOP_RESOURCE)
    with transaction.atomic():
        store_drafts(other, [deployment(**SUCCESS)])
    assert PullRequest.objects.get().work_type == "feature"
    assert Deployment.objects.get().connection == other

    remove_with_facts(tracker)
    assert PullRequest.objects.get().work_type == "bug"
    assert PullRequest.objects.get().links.get().work_item is None
    remove_with_facts(other)
    assert Repository.objects.get().name == "acme/shop"
    assert Deployment.objects.get().external_id == "run:1"


@pytest.fixture
def other(db: None) -> Connection:
    """Another connection that tells of the same repository."""
    other = Connection.objects.create(provider="github", name="Other")
    store_resource(other, SHOP_RESOURCE)
    return other


def test_nobody_waits_for_runs_that_are_gone(tell: Tell, other: Connection) -> None:
    """Another connection told of the pull request; its half an hour of waiting goes with the run."""
    tell(whole_pull_request(state=PullRequestState.MERGED, merged_at=at(5)))
    with transaction.atomic():
        store_drafts(other, [run(sha="a" * 40, started_at=at(0.5))])
    recompute_waiting_pull_requests()
    assert PullRequestFigures.objects.get().ci_wait_seconds == 1800
    refresh()
    remove_with_facts(other)
    recompute_waiting_pull_requests()
    assert PullRequestFigures.objects.get().ci_wait_seconds is None
    assert not forgotten_by_refresh()


@pytest.mark.parametrize("removed", ["who told of what failed", "who told of what repaired it"])
def test_cells_forget_failures_whose_deployments_are_gone(
    tell: Tell, github: Connection, other: Connection, removed: str
) -> None:
    """A failure of Monday was restored a week later: both days change."""
    tell(deployment("D1", finished_at=at(1), **SUCCESS))
    with transaction.atomic():
        store_drafts(other, [deployment("D2", finished_at=at(170), rollback_of="D1", **SUCCESS)])
    assert FailedDeployment.objects.get().recovery_seconds == 169 * 3600
    refresh()
    remove_with_facts(github if removed == "who told of what failed" else other)
    assert not FailedDeployment.objects.exists()
    assert not forgotten_by_refresh()


def test_parts_of_many_pull_requests_go_with_them(tell: Tell, github: Connection) -> None:
    tell(*(whole_pull_request(external_id=str(number), events=ProvidedParts()) for number in range(7)))
    remove_with_facts(github)
    assert count_facts()["review"]["total"] == 0


def test_the_page_counts_what_the_provider_brought(tell: Tell, github: Connection, admin: Client) -> None:
    tell(whole_pull_request(), item())
    page = " ".join(
        admin.get(reverse("admin:integrations_connection_delete", args=[github.pk])).content.decode().split()
    )
    assert "Its provider sent pull requests (<strong>1</strong>), work items (<strong>1</strong>)." in page

"""Removing a provider's connection: its facts are kept with it, or leave without a trace."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from integrations.connectors.drafts import Told
from integrations.connectors.words import Kind, RunStatus
from integrations.facts.counts import count_facts
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import store_drafts
from integrations.models import (
    Commit,
    Connection,
    Deployment,
    FactChange,
    Project,
    PullRequest,
    Repository,
    Resource,
    WorkItem,
)
from integrations.services.remove_connection import brought_by, remove_keeping_facts, remove_with_facts
from tests.intake.conftest import SHOP, SHOP_RESOURCE, Tell
from tests.intake.test_commits import commit
from tests.intake.test_other_facts import at, deployment, item, pull_request, run
from tests.intake.test_pull_requests import pull_request as whole_pull_request


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
    tell(whole_pull_request(), item(), run(), deployment(finished_at=at(1)), commit("a" * 40))
    brought = brought_by(github)
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


def test_what_others_told_of_the_same_repository_stays(tell: Tell, github: Connection, tracker: Connection) -> None:
    tell(pull_request("SHOP-1", title="fix: tea"), run())
    with transaction.atomic():
        store_drafts(tracker, [item("SHOP-1", native_type="Story")])
    other = Connection.objects.create(provider="github", name="Other")
    store_resource(other, SHOP_RESOURCE)
    with transaction.atomic():
        store_drafts(other, [deployment(status=RunStatus.SUCCESS)])
    assert PullRequest.objects.get().work_type == "feature"
    assert Deployment.objects.get().connection == other

    remove_with_facts(tracker)
    assert PullRequest.objects.get().work_type == "bug"
    assert PullRequest.objects.get().links.get().work_item is None
    remove_with_facts(other)
    assert Repository.objects.get().name == "acme/shop"
    assert Deployment.objects.get().external_id == "run:1"


def test_parts_of_many_pull_requests_go_with_them(tell: Tell, github: Connection) -> None:
    tell(*(whole_pull_request(external_id=str(number), events=Told()) for number in range(7)))
    remove_with_facts(github)
    assert count_facts()["review"]["total"] == 0


def test_the_page_counts_what_the_provider_told_of(tell: Tell, github: Connection, admin: Client) -> None:
    tell(whole_pull_request(), item())
    page = " ".join(
        admin.get(reverse("admin:integrations_connection_delete", args=[github.pk])).content.decode().split()
    )
    assert "told of pull requests (<strong>1</strong>), work items (<strong>1</strong>)." in page

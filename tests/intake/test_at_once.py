"""Several transactions that store at the same time, as workers, webhooks and pushes do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection, transaction

from integrations.connectors.drafts import AnyDraft, ProvidedParts
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import store_drafts
from integrations.models import Connection, Project, PullRequest, Repository, WorkItemLink
from tests.intake.conftest import SHOP, SHOP_RESOURCE
from tests.intake.test_other_facts import item, pull_request
from tests.intake.test_pull_requests import bare, review
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = 15


@pytest.fixture
def github(transactional_db: None) -> Connection:
    with transaction.atomic():
        github = Connection.objects.create(provider="github", name="GitHub")
        store_resource(github, SHOP_RESOURCE)
    return github


def at_once(*works: Callable[[], None]) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        try:
            start.wait(timeout=PATIENCE_SECONDS)
            work()
        except BaseException as problem:
            failures.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=PATIENCE_SECONDS)
    assert failures == []


def teller(source: Connection, drafts: Callable[[int], list[AnyDraft]]) -> Callable[[], None]:
    """Tells page after page, each in a transaction of its own."""

    def tell() -> None:
        for page in range(PAGES):
            with transaction.atomic():
                store_drafts(source, drafts(page))

    return tell


def test_items_and_pull_requests_that_come_at_once_are_linked(github: Connection) -> None:
    tracker = Connection.objects.create(provider="jira", name="Tracker")
    Project.objects.create(connection=tracker, external_id=SHOP, key="SHOP", name="Shop")
    at_once(
        teller(github, lambda page: [replace(pull_request(f"SHOP-{page}"), external_id=f"PR{page}")]),
        teller(tracker, lambda page: [item(f"SHOP-{page}", native_type="Bug")]),
    )
    assert WorkItemLink.objects.exclude(work_item=None).count() == PAGES
    assert PullRequest.objects.filter(work_type="bug").count() == PAGES


def test_two_sources_store_one_pull_request_at_once(github: Connection) -> None:
    def reviews(page: int, of: str) -> list[AnyDraft]:
        return [bare(page, title=f"After {page}", reviews=ProvidedParts([review(f"{of}{page}")], whole=False))]

    at_once(
        teller(github, lambda page: reviews(2 * page, "a")),
        teller(github, lambda page: reviews(2 * page + 1, "b")),
    )
    stored = PullRequest.objects.get()
    assert stored.title == f"After {2 * PAGES - 1}"
    assert stored.reviews.count() == 2 * PAGES


def test_two_connections_that_find_a_repository_at_once_find_one(github: Connection) -> None:
    others = [Connection.objects.create(provider="github", name=f"Other {number}") for number in range(3)]
    Repository.objects.all().delete()

    def find(source: Connection) -> Callable[[], None]:
        def store() -> None:
            with transaction.atomic():
                store_resource(source, SHOP_RESOURCE)

        return store

    at_once(*(find(other) for other in others))
    assert Repository.objects.count() == 1

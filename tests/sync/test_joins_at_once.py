"""Joins of repositories beside whatever else happens: pages that are stored, clones that are read, other admins."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.db import transaction

from core.locks import BusyError
from integrations.connectors.base import ResourceDraft
from integrations.enums import ResourceKind
from integrations.intake.places import store_resource
from integrations.models import Connection, OwnRecord, PullRequest, Repository, RepositoryJoin, RepositorySource
from integrations.sync.git.sources import READING
from integrations.sync.join_repositories import JoinError, join, undo
from tests.intake.conftest import SHOP_RESOURCE
from tests.intake.test_at_once import PAGES, at_once, teller
from tests.intake.test_other_facts import pull_request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def github(transactional_db: None) -> Connection:
    """With acme/shop and acme/till."""
    with transaction.atomic():
        github = Connection.objects.create(provider="github", name="GitHub")
        store_resource(github, SHOP_RESOURCE)
        store_resource(github, ResourceDraft(ResourceKind.REPOSITORY, "R2", "acme/till", remote="github.com/acme/till"))
    return github


def both() -> tuple[Repository, Repository]:
    return Repository.objects.get(name="acme/till"), Repository.objects.get(name="acme/shop")


def test_pages_that_are_stored_meanwhile_lose_nothing_to_the_join(github: Connection) -> None:
    till, shop = both()

    def join_and_undo() -> None:
        for _ in range(3):
            undo(join(till, shop, by="admin"), by="admin")

    at_once(
        teller(github, lambda page: [replace(pull_request(f"SHOP-{page}"), external_id=f"PR{page}")]), join_and_undo
    )
    assert PullRequest.objects.filter(repository=shop).count() == PAGES
    assert not OwnRecord.objects.exists()


def test_of_two_admins_at_once_one_is_refused(github: Connection) -> None:
    till, shop = both()
    refused: list[str] = []

    def one(kept: Repository, other: Repository) -> None:
        try:
            join(kept, other, by="admin")
        except JoinError as refusal:
            refused.append(str(refusal))

    at_once(lambda: one(till, shop), lambda: one(shop, till))
    assert len(refused) == 1
    assert "already" in refused[0]
    assert RepositoryJoin.objects.filter(undone_at=None).count() == 1


def test_nothing_is_joined_or_parted_while_a_clone_is_read(github: Connection) -> None:
    till, shop = both()
    clone = RepositorySource.objects.create(connection=github, repository=shop, external_id="/srv/shop.git")
    made = join(till, shop, by="admin")

    def refused_while_read() -> None:
        with READING.alone(clone.pk):

            def refused() -> None:
                with pytest.raises(BusyError):
                    undo(made, by="admin")

            at_once(refused)

    at_once(refused_while_read)
    assert Repository.objects.get(pk=shop.pk).joined_into == till
    undo(made, by="admin")

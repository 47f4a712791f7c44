"""A connection with a repository, and what is stored of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import transaction

from integrations.connectors.base import ResourceDraft
from integrations.connectors.drafts import AnyDraft
from integrations.enums import ResourceKind
from integrations.intake.places import store_resource
from integrations.intake.store_drafts import Stored, store_drafts
from integrations.models import Connection
from tests.intake.ci import Builds

SHOP = "R1"
SHOP_RESOURCE = ResourceDraft(ResourceKind.REPOSITORY, SHOP, "acme/shop", remote="github.com/acme/shop")
Tell = Callable[..., Stored]


@pytest.fixture
def github(db: None) -> Connection:
    """A connection that knows the repository acme/shop as R1."""
    connection = Connection.objects.create(provider="github", name="GitHub")
    store_resource(connection, SHOP_RESOURCE)
    return connection


@pytest.fixture
def tell(github: Connection) -> Tell:
    """tell(draft, …): the connection tells of them."""

    def store(*drafts: AnyDraft) -> Stored:
        with transaction.atomic():
            return store_drafts(github, drafts)

    return store


@pytest.fixture
def ci(db: None) -> Connection:
    return Connection.objects.create(provider=Builds.slug, name="Jenkins", settings={"resources": {"match": ["*"]}})


@pytest.fixture
def no_builds() -> Iterator[None]:
    Builds.builds.clear()
    yield
    Builds.builds.clear()

"""A connection to the tests' own provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from integrations.connectors.http import Patience
from integrations.enums import ResourceKind
from integrations.models import Connection, Resource, Stream
from integrations.sync import clients, slices
from tests.sync.connector import Example
from tests.sync.provider import TOKEN, Provider, running

QUICK = Patience(connect=5, read=1, whole=2, tries=3, first_wait=0.01, longest_wait=0.05)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running(Provider()) as provider:
        yield provider


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PATIENCE", QUICK)
    monkeypatch.setattr(slices, "SECONDS_BETWEEN_RENEWALS", 0.2)


@pytest.fixture
def connection(db: None, provider: Provider) -> Connection:
    """Connected, with nothing listed yet."""
    return Connection.objects.create(
        provider=Example.slug,
        name="Example",
        settings={"base_url": provider.url, "resources": {"match": ["*"]}},
        secrets={"token": TOKEN},
        discover_at=timezone.now(),
    )


def stream_of(connection: Connection, name: str) -> Stream:
    return Stream.objects.get(resource__connection=connection, resource__name=name)


def resource_of(connection: Connection, name: str) -> Resource:
    return Resource.objects.get(connection=connection, kind=ResourceKind.REPOSITORY, name=name)

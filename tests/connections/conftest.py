"""A connection to the simulated GitHub, and an admin who looks after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.connectors.base import Settings
from integrations.enums import ResourceKind
from integrations.models import Connection, Resource
from integrations.sync.connect import connect
from tests.demo.small_history import small_history

TOKEN = "github_pat_of_the_tests"
LACKING = "github_pat_without_deployments"


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    tokens = [Token(TOKEN, "ada"), Token(LACKING, "ada", lacks=frozenset({"deployments"}))]
    with GitHubServer(small_history(), tokens=tokens) as server:
        yield server


@pytest.fixture
def connection(db: None) -> Connection:
    """Connected to where nobody answers: what is asked there is no matter of these tests."""
    answers = Settings(values={"base_url": "http://127.0.0.1:9"}, secrets={"token": TOKEN})
    return connect("github", "GitHub of Acme", answers, resources=())


def add_resources(connection: Connection, *names: str, archived: bool = False) -> list[Resource]:
    """As if the provider had listed them."""
    return [
        Resource.objects.create(
            connection=connection,
            kind=ResourceKind.REPOSITORY,
            external_id=f"id of {name}",
            name=name,
            archived=archived,
        )
        for name in names
    ]

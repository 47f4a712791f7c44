"""GraphQL saves requests and tells the same as REST alone."""

from __future__ import annotations

import pytest

from demo.providers.github_server import GitHubServer
from integrations.connectors.github.connector import GitHub
from integrations.enums import Kind, ResourceKind
from tests.connectors.github.reading import read

STREAMS = GitHub.kinds[ResourceKind.REPOSITORY]


@pytest.mark.parametrize("kind", STREAMS)
def test_rest_alone_gives_the_same_drafts(github: GitHubServer, kind: Kind) -> None:
    with_graphql, without = (
        read(github, kind, read_code_scanning="true"),
        read(github, kind, use_graphql="false", read_code_scanning="true"),
    )
    assert with_graphql.drafts == without.drafts
    assert with_graphql.drafts
    assert not with_graphql.refused
    assert with_graphql.requests <= without.requests


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("use_graphql", ["true", "false"])
def test_nothing_new_costs_one_request(github: GitHubServer, kind: Kind, use_graphql: str) -> None:
    first = read(github, kind, use_graphql=use_graphql, read_code_scanning="true")
    second = read(github, kind, first.cursor, use_graphql=use_graphql, read_code_scanning="true")
    assert second.drafts == []
    assert second.requests == 1


def test_a_batch_of_pull_requests_is_one_graphql_request(github: GitHubServer) -> None:
    assert read(github, Kind.PULL_REQUEST).requests == 2
    assert read(github, Kind.PULL_REQUEST, use_graphql="false").requests == 1 + 5 * 4


def test_an_enterprise_server_has_its_graphql_beside_its_rest(github: GitHubServer) -> None:
    enterprise = read(github, Kind.PULL_REQUEST, base_url=f"{github.url}/api/v3/")
    assert [request.path for request in github.requests if request.method == "POST"] == ["/graphql"]
    assert enterprise.drafts == read(github, Kind.PULL_REQUEST).drafts

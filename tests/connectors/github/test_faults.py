"""Whatever fails on the way, the drafts in the end are the same as without faults."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace

import pytest

from demo.providers import faults
from demo.providers.faults import Fault
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.connectors.drafts import AnyDraft
from integrations.connectors.errors import CredentialRefusedError, PermanentError, SchemaError
from integrations.connectors.github.connector import GitHub
from integrations.enums import Kind, ResourceKind
from tests.connectors.github.histories import with_pull_requests
from tests.connectors.github.reading import LONG_AFTER, TOKEN, client, connector, read, resource_at
from tests.connectors.reading import by_id, read_despite_faults
from tests.demo.small_history import BEGIN, HOUR, commit, small_history

STREAMS = GitHub.kinds[ResourceKind.REPOSITORY]

AnyFault = Callable[[], Fault]
FAULTS: Mapping[str, AnyFault] = {
    "429": lambda: Fault(faults.too_many_requests(retry_after=0), path="/repos/", times=2),
    "429 that names no time": lambda: Fault(faults.too_many_requests(), path="/repos/", nth=2),
    "secondary limit": lambda: Fault(faults.secondary_limit(retry_after=0), path="/repos/"),
    "secondary limit that names no time": lambda: Fault(faults.secondary_limit(), path="/repos/", nth=2),
    "quota used up": lambda: Fault(faults.limit_used_up(seconds=1), path="/repos/", nth=2),
    "401 in the middle": lambda: Fault(faults.unauthorised(), path="/repos/", nth=2, times=2),
    "403 in the middle": lambda: Fault(faults.forbidden("contents=read"), path="/repos/", nth=2),
    "500": lambda: Fault(faults.server_error(), path="/repos/", times=3),
    "502": lambda: Fault(faults.bad_gateway(), path="/repos/", times=5),
    "cut connection": lambda: Fault(faults.cut_short(), path="/repos/", times=2),
    "half an answer": lambda: Fault(faults.truncated(), path="/repos/", times=2),
    "a page for people": lambda: Fault(faults.html_page(), path="/repos/", times=2),
    "502 of GraphQL": lambda: Fault(faults.bad_gateway(), path="/graphql", times=4),
    "half an answer of GraphQL": lambda: Fault(faults.truncated(), path="/graphql", times=4),
    "limits of GraphQL": lambda: Fault(faults.secondary_limit(), path="/graphql"),
}


def drafts_despite_faults(github: GitHubServer, kind: Kind, **settings: str) -> dict[str, AnyDraft]:
    of = connector(github, **settings)
    with client(of) as http:
        resource = resource_at(http, of)
    return by_id(read_despite_faults(of, resource, kind, now=LONG_AFTER))


@pytest.mark.parametrize("kind", STREAMS)
@pytest.mark.parametrize("use_graphql", ["true", "false"])
def test_under_every_fault_the_drafts_are_the_same(github: GitHubServer, kind: Kind, use_graphql: str) -> None:
    usual = by_id(read(github, kind, use_graphql=use_graphql).drafts)
    for name, fault in FAULTS.items():
        github.faults = [fault()]
        assert drafts_despite_faults(github, kind, use_graphql=use_graphql) == usual, name


@pytest.fixture
def many() -> Iterator[GitHubServer]:
    """A server with three pages of pull requests."""
    with ExitStack() as servers:
        yield servers.enter_context(GitHubServer(with_pull_requests(230), tokens=[Token(TOKEN, "ada")]))


def page_repeated() -> Fault:
    return Fault(faults.repeated_page(), path="/pulls", times=2)


def test_a_list_of_several_pages_is_whole_under_every_fault(many: GitHubServer) -> None:
    usual = by_id(read(many, Kind.PULL_REQUEST).drafts)
    differing = []
    for name, fault in {**FAULTS, "a page repeated": page_repeated}.items():
        many.faults = [fault()]
        if drafts_despite_faults(many, Kind.PULL_REQUEST) != usual:
            differing.append(name)
    assert differing == []


def test_commits_are_whole_where_a_page_is_repeated() -> None:
    history = replace(
        small_history(), commits={"shop": tuple(commit(f"Step {n}", BEGIN + n * HOUR) for n in range(250))}
    )
    with GitHubServer(history, tokens=[Token(TOKEN, "ada")]) as github:
        usual = by_id(read(github, Kind.COMMIT).drafts)
        github.faults = [Fault(faults.repeated_page(), path="/commits.*sha=", times=2)]
        assert drafts_despite_faults(github, Kind.COMMIT) == usual
        assert len(usual) == 250


def test_a_refused_token_is_not_a_missing_permission(github: GitHubServer) -> None:
    github.faults = [Fault(faults.unauthorised(), path="/repos/", times=None)]
    with pytest.raises(CredentialRefusedError):
        read(github, Kind.PULL_REQUEST)
    github.faults = [Fault(faults.forbidden("pull_requests=read"), path="/repos/", times=None)]
    with pytest.raises(PermanentError, match="Pull requests: read"):
        read(github, Kind.PULL_REQUEST)


@pytest.mark.parametrize("location", ["https://example.com/elsewhere", "http://169.254.169.254/latest/meta-data"])
def test_the_token_does_not_follow_to_another_host(github: GitHubServer, location: str) -> None:
    github.faults = [Fault(faults.redirect(location), path="/repos/", times=None)]
    with pytest.raises(PermanentError, match="another host"):
        read(github, Kind.PULL_REQUEST)


def test_null_where_an_object_was_is_quarantined_and_the_rest_is_read(github: GitHubServer) -> None:
    usual = by_id(read(github, Kind.PULL_REQUEST).drafts)
    github.faults = [Fault(faults.changed("2.base", None), path="/pulls")]
    reading = read(github, Kind.PULL_REQUEST)
    assert [type(problem) for problem in reading.refused] == [SchemaError]
    assert reading.refused[0].path == "pull_request.base.repo.id"
    assert len(by_id(reading.drafts)) == len(usual) - 1


def test_unknown_words_are_kept_and_stop_nothing(github: GitHubServer) -> None:
    github.faults = [
        Fault(faults.changed("workflow_runs.0.conclusion", "exploded"), path="/runs"),
        Fault(faults.changed("data.nodes.0.reviews.nodes.0.state", "PONDERED"), path="/graphql"),
    ]
    assert not read(github, Kind.PIPELINE_RUN).refused
    assert not read(github, Kind.PULL_REQUEST).refused

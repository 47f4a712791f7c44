"""GraphQL saves requests and yields the same drafts as REST alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from demo.plan.delivery import DeliveryEvent, EventKind
from demo.providers.faults import Answer, Fault, bad_gateway, instead, not_found
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.connectors.base import Http
from integrations.connectors.drafts import ProvidedParts, PullRequestDraft
from integrations.connectors.errors import PermanentError, TransientError
from integrations.connectors.github.graphql import details_of
from integrations.connectors.github.queries import DEPLOYMENTS
from integrations.enums import Kind
from tests.connectors.github.histories import MINUTE, pull_request, with_pull_requests
from tests.connectors.github.reading import TOKEN, client, connector, read
from tests.demo.small_history import BEGIN, MAX, MAYA, commit


def failing(**error: Any) -> Any:
    return instead(Answer.of({"data": None, "errors": [error]}))


def test_a_batch_that_is_too_much_is_requested_in_halves(github: GitHubServer) -> None:
    too_much = failing(message="Something went wrong while executing your query. This may be the result of a timeout.")
    usual = read(github, Kind.PULL_REQUEST).drafts
    github.faults = [Fault(too_much, path="/graphql")]
    assert read(github, Kind.PULL_REQUEST).drafts == usual
    assert [request.path for request in github.requests][-3:] == ["/graphql"] * 3


def test_a_gateway_that_gives_up_on_the_batch_is_spared(github: GitHubServer) -> None:
    usual = read(github, Kind.PULL_REQUEST).drafts
    github.faults = [Fault(bad_gateway(), path="/graphql", times=3)]  # as often as one request is tried
    assert read(github, Kind.PULL_REQUEST).drafts == usual


@pytest.mark.parametrize(
    "error",
    [
        {"type": "RATE_LIMITED", "message": "API rate limit exceeded"},
        {"message": "You have exceeded a secondary rate limit."},
    ],
)
def test_a_limit_that_comes_with_status_200_is_one(github: GitHubServer, error: dict[str, str]) -> None:
    github.faults = [Fault(failing(**error), path="/graphql", times=None)]
    with pytest.raises(TransientError) as limited:
        read(github, Kind.PULL_REQUEST)
    assert limited.value.retry_at is not None
    assert limited.value.retry_at > datetime.now(UTC)
    assert sum(request.path == "/graphql" for request in github.requests) == 1


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ({"type": "FORBIDDEN", "message": "Resource not accessible by integration"}, "not accessible"),
        ({"message": "Fragment on Bot can't be spread inside RequestedReviewer"}, "differs from the expected one"),
        (
            {"message": "Field 'fullDatabaseId' doesn't exist on type 'PullRequestReview'"},
            "differs from the expected one",
        ),
    ],
)
def test_what_will_not_work_later_either_is_said_with_a_remedy(
    github: GitHubServer, error: dict[str, str], problem: str
) -> None:
    github.faults = [Fault(failing(**error), path="/graphql", times=None)]
    with pytest.raises(PermanentError, match=problem) as refused:
        read(github, Kind.PULL_REQUEST)
    assert refused.value.what_to_do


def test_a_server_without_graphql_is_no_repository_that_is_gone(github: GitHubServer) -> None:
    github.faults = [Fault(not_found(), path="/graphql", times=None)]
    with pytest.raises(PermanentError, match="no GraphQL") as refused:
        read(github, Kind.PULL_REQUEST)
    assert "Switch GraphQL off" in refused.value.what_to_do


def test_records_that_are_gone_are_left_out(github: GitHubServer) -> None:
    of = connector(github)
    with client(of) as http:
        assert details_of(http, of.graphql, DEPLOYMENTS, ["DE_5001", "DE_1", ""]).keys() == {"DE_5001"}


@pytest.mark.parametrize("use_graphql", ["true", "false"])
def test_more_than_a_hundred_commits_reviews_and_requests_are_read_on(use_graphql: str) -> None:
    commits = tuple(commit(f"Step {number}", BEGIN + number * MINUTE) for number in range(270))
    happenings = [
        DeliveryEvent(
            number,
            EventKind.COMMENTED if number % 3 else EventKind.REVIEW_REQUESTED,
            BEGIN + 300 * MINUTE,
            MAX,
            of=MAYA,
        )
        for number in range(360)
    ]
    happenings = [replace(happening, at=happening.at + happening.id * MINUTE) for happening in happenings]
    one = replace(pull_request(901), commits=commits, happenings=tuple(happenings))
    history = replace(with_pull_requests(0), pull_requests=(one,))
    with GitHubServer(history, tokens=[Token(TOKEN, "ada")]) as github:
        (draft,) = read(github, Kind.PULL_REQUEST, use_graphql=use_graphql).drafts
    assert isinstance(draft, PullRequestDraft)
    assert isinstance(draft.commits, ProvidedParts)
    assert isinstance(draft.events, ProvidedParts)
    # REST's list ends there, and the simulated GitHub compares no branches that are gone.
    listed = 270 if use_graphql == "true" else 250
    assert [part.position for part in draft.commits.parts] == list(range(listed))
    assert draft.commit_count == 270
    assert len(draft.events.parts) == 120
    assert draft.comment_count == 240


class Answering:
    """A client to whom GraphQL answers what it is told to."""

    def __init__(self, document: Any) -> None:
        self.document = document

    def post(self, path: str, *, json: Any, headers: Any = None) -> Any:
        return self

    status = 200
    headers: dict[str, str] = {}

    def json(self) -> Any:
        return self.document


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"data": None},
        {"data": {}},
        {"data": {"nodes": None}},
        {"data": {"nodes": []}},
        {"errors": ["odd"]},
    ],
)
def test_an_answer_of_another_shape_may_be_better_later(document: Any) -> None:
    http: Callable[[Any], Http] = Answering  # type: ignore[assignment]
    with pytest.raises(TransientError):
        details_of(http(document), "/graphql", DEPLOYMENTS, ["DE_1"])

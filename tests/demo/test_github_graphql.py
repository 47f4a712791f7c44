"""The simulated GitHub's GraphQL: the same records as REST tells, in pieces, with GitHub's own errors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from tests.demo.small_history import small_history

Json = dict[str, Any]


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(small_history(), tokens=[Token("secret", "ada")]) as server:
        yield server


def _ask(
    github: GitHubServer,
    query: str,
    variables: Mapping[str, Any] | None = None,
    *,
    token: str = "secret",  # noqa: S107
) -> Json:
    answer = httpx.post(
        f"{github.url}/graphql",
        json={"query": query, "variables": variables or {}},
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
    )
    document: Json = answer.raise_for_status().json()
    return document


def _rest(github: GitHubServer, path: str) -> Any:
    headers = {"Authorization": "Bearer secret"}
    return httpx.get(f"{github.url}/repos/acme/shop/{path}", headers=headers, trust_env=False).raise_for_status().json()


def test_both_forms_tell_the_same_of_a_pull_request(github: GitHubServer) -> None:
    rest = _rest(github, "pulls/2")
    fields = "number additions deletions changedFiles headRefOid mergedAt updatedAt mergedBy { login }"
    answer = _ask(
        github, f"query($id: ID!) {{ node(id: $id) {{ ... on PullRequest {{ {fields} }} }} }}", {"id": rest["node_id"]}
    )
    assert answer["data"]["node"] == {
        "number": rest["number"],
        "additions": rest["additions"],
        "deletions": rest["deletions"],
        "changedFiles": rest["changed_files"],
        "headRefOid": rest["head"]["sha"],
        "mergedAt": rest["merged_at"],
        "updatedAt": rest["updated_at"],
        "mergedBy": {"login": rest["merged_by"]["login"]},
    }


def test_timelines_have_the_same_events_in_both_forms(github: GitHubServer) -> None:
    names = {
        "ReviewRequestedEvent": "review_requested",
        "ReviewRequestRemovedEvent": "review_request_removed",
        "ClosedEvent": "closed",
        "ReopenedEvent": "reopened",
        "MergedEvent": "merged",
        "HeadRefForcePushedEvent": "head_ref_force_pushed",
        "ReadyForReviewEvent": "ready_for_review",
        "ConvertToDraftEvent": "convert_to_draft",
        "PullRequestReview": "reviewed",
        "IssueComment": "commented",
        "ReviewDismissedEvent": "review_dismissed",
        "LabeledEvent": "labeled",
        "RenamedTitleEvent": "renamed",
    }
    for number in (2, 3, 4, 5):
        fields = "timelineItems(first: 50) { totalCount nodes { __typename } }"
        query = f'{{ repository(owner: "acme", name: "shop") {{ pullRequest(number: {number}) {{ {fields} }} }} }}'
        items = _ask(github, query)["data"]["repository"]["pullRequest"]["timelineItems"]
        rest = [event["event"] for event in _rest(github, f"issues/{number}/timeline") if event["event"] != "committed"]
        assert [names[item["__typename"]] for item in items["nodes"]] == rest
        assert items["totalCount"] == len(rest)


def test_a_connection_comes_in_pieces(github: GitHubServer) -> None:
    query = """query($after: String) { repository(owner: "acme", name: "shop") {
        pullRequests(first: 2, after: $after, orderBy: {field: UPDATED_AT, direction: DESC}) {
            totalCount nodes { number } pageInfo { hasNextPage endCursor } } } }"""
    seen: list[int] = []
    after, more = None, True
    while more:
        piece = _ask(github, query, {"after": after})["data"]["repository"]["pullRequests"]
        assert piece["totalCount"] == 5
        seen += [node["number"] for node in piece["nodes"]]
        after, more = piece["pageInfo"]["endCursor"], piece["pageInfo"]["hasNextPage"]
    assert seen == [6, 5, 4, 3, 2]


def test_what_is_gone_stands_beside_what_is_there(github: GitHubServer) -> None:
    answer = _ask(github, "query($ids: [ID!]!) { nodes(ids: $ids) { id } }", {"ids": ["PR_1002", "PR_9"]})
    assert answer["data"]["nodes"] == [{"id": "PR_1002"}, None]
    assert [(error["type"], error["path"]) for error in answer["errors"]] == [("NOT_FOUND", ["nodes", 1])]


def test_a_field_that_is_not_in_the_schema_is_named(github: GitHubServer) -> None:
    [error] = _ask(github, "{ viewer { shoeSize } }")["errors"]
    assert error["extensions"] == {"code": "undefinedField", "typeName": "User", "fieldName": "shoeSize"}


def test_a_connection_without_a_limit_is_refused(github: GitHubServer) -> None:
    of_shop = '{ repository(owner: "acme", name: "shop") { issues%s { nodes { id } } } }'
    for limit in ("", "(first: 101)"):
        [error] = _ask(github, of_shop % limit)["errors"]
        assert error["type"] == "EXCESSIVE_PAGINATION"


def test_a_permission_that_is_missing_hides_the_record(github: GitHubServer) -> None:
    github.access.give(Token("no-issues", "ada", lacks=frozenset({"issues"})))
    answer = _ask(github, '{ node(id: "I_2001") { id } }', token="no-issues")
    assert answer["data"]["node"] is None
    assert answer["errors"][0]["type"] == "FORBIDDEN"


def test_points_that_are_spent_are_an_error_with_status_200() -> None:
    with GitHubServer(small_history(), tokens=[Token("secret", "ada")], limit=1) as github:
        assert "data" in _ask(github, "{ viewer { login } }")
        assert _ask(github, "{ viewer { login } }")["errors"][0]["type"] == "RATE_LIMITED"

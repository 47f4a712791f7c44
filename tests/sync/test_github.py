"""The engine with a real connector: GitHub, simulated over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.models import (
    Commit,
    Connection,
    Deployment,
    PipelineRun,
    PullRequest,
    PullRequestEvent,
    PullRequestReview,
    WorkItem,
)
from tests.demo.small_history import small_history

GITHUB_TOKEN = "github_pat_of_the_tests"
MOST_REQUESTS = 3  # of a stream in which nothing happened


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer(small_history(), tokens=[Token(GITHUB_TOKEN, "ada")]) as server:
        yield server


def printed(*words: str) -> Any:
    out = StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def counts() -> dict[str, int]:
    """The number of rows, by the name of the table."""
    kinds = (PullRequest, PullRequestReview, PullRequestEvent, WorkItem, PipelineRun, Deployment, Commit)
    return {kind.__name__: kind.objects.count() for kind in kinds}


@pytest.mark.django_db
@pytest.mark.parametrize("use_graphql", ["true", "false"])
def test_a_repository_is_synced_with_all_its_facts_and_a_second_time_nothing_changes(
    github: GitHubServer, use_graphql: str
) -> None:
    words = ("--set", f"base_url={github.url}", "--set", f"token={GITHUB_TOKEN}", "--set", f"use_graphql={use_graphql}")
    connected = printed("connect", "github", "--name", "GitHub", *words)
    assert connected["webhook"].endswith(f"/hooks/github/{connected['id']}/")
    first = printed("sync", "--wait")["resources"]
    assert {result["state"] for result in first} == {"done"}, first
    assert sum(result["quarantined"] for result in first) == 0
    stored = counts()
    assert all(stored.values()), stored

    for result in printed("sync", "--wait")["resources"]:
        assert (result["added"], result["changed"], result["removed"]) == (0, 0, 0), result
        assert result["requests"] <= MOST_REQUESTS, result
    for result in printed("sync", "--wait", "--full")["resources"]:
        assert (result["added"], result["changed"], result["removed"]) == (0, 0, 0), result
    assert counts() == stored
    assert not Connection.objects.exclude(problem="").exists()

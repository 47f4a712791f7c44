"""Azure DevOps through the engine: from its API to the figures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo.providers.azure_server import AzureServer
from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import Connection, PullRequest, PullRequestFigures
from tests.demo.small_history import small_history
from tests.sync.readings import read_through
from tests.sync.simulated import AZURE, GITHUB, TOKEN

pytestmark = pytest.mark.django_db
SECONDS = 3600.0  # of an hour


@pytest.fixture
def azure() -> Iterator[AzureServer]:
    with AzureServer(small_history(), token=TOKEN) as server:
        yield server


@pytest.fixture
def connection(azure: AzureServer) -> Connection:
    """With everything picked; nothing is read yet."""
    return AZURE.connect(azure)


def test_a_pull_request_has_the_stages_that_its_history_tells(connection: Connection) -> None:
    """Committed at 9, opened at 10, changes requested at 13, approved at 15, merged at 16 o'clock."""
    read_through(connection)
    recompute_waiting_pull_requests()
    figures = PullRequestFigures.objects.get(pull_request__number=1002)
    assert (figures.coding_seconds, figures.pickup_seconds) == (1 * SECONDS, 3 * SECONDS)
    assert (figures.review_seconds, figures.merge_seconds) == (2 * SECONDS, 1 * SECONDS)
    assert figures.cycle_seconds == 6 * SECONDS
    assert figures.credited is not None
    assert figures.credited.value == "max@example.com"


FIGURES = (
    *("opened_at", "merged_at", "first_commit_at", "first_review_at", "approved_at"),
    *("coding_seconds", "pickup_seconds", "review_seconds", "merge_seconds", "cycle_seconds"),
)


def figures_of(connection: Connection) -> dict[str, dict[str, Any]]:
    """Title → figures and state of each pull request of the connection, which have other numbers at each provider."""
    read_through(connection)
    recompute_waiting_pull_requests()
    fields = ("state", "is_draft", *(f"figures__{name}" for name in FIGURES))
    rows = PullRequest.objects.filter(connection=connection).values("title", *fields)
    return {row.pop("title"): row for row in rows}


def test_one_history_has_the_same_figures_from_github_and_azure_devops(connection: Connection) -> None:
    with GitHubServer(small_history(), tokens=[Token(TOKEN, "ada")]) as github:
        expected = figures_of(GITHUB.connect(github))
    assert figures_of(connection) == expected
    assert len(expected) == 5

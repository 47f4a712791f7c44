"""GitLab through the engine: from its API to the figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from demo.providers.gitlab_server import GitLabServer
from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import Connection, PullRequestFigures
from tests.demo.small_history import small_history
from tests.sync.readings import read_through
from tests.sync.simulated import GITLAB

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1).total_seconds()


@pytest.fixture
def gitlab() -> Iterator[GitLabServer]:
    with GitLabServer(small_history(), token="token_of_the_tests") as server:
        yield server


@pytest.fixture
def connection(gitlab: GitLabServer) -> Connection:
    """With everything picked; nothing is read yet."""
    return GITLAB.connect(gitlab)


def test_a_merge_request_has_the_stages_that_its_history_tells(connection: Connection) -> None:
    """Committed at 9, opened at 10, changes requested at 13, approved at 15, merged at 16 o'clock."""
    read_through(connection)
    recompute_waiting_pull_requests()
    figures = PullRequestFigures.objects.get(pull_request__number=2)
    assert (figures.coding_seconds, figures.pickup_seconds) == (1 * HOUR, 3 * HOUR)
    assert (figures.review_seconds, figures.merge_seconds) == (2 * HOUR, 1 * HOUR)
    assert figures.cycle_seconds == 6 * HOUR
    assert figures.credited is not None
    assert figures.credited.value == "max-member"

"""The connection with pull requests of acme/shop."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from integrations.delivery.recompute import recompute_waiting_pull_requests
from integrations.models import PullRequestFigures
from tests.delivery.pull_requests.histories import History, draft_of
from tests.intake.conftest import Tell, github, tell

__all__ = ["github", "tell"]

TellOf = Callable[..., dict[int, PullRequestFigures]]


@pytest.fixture
def tell_of(tell: Tell) -> TellOf:
    """tell_of(history, …): they are told of in one page; what follows from them, by number."""

    def send(*histories: History) -> dict[int, PullRequestFigures]:
        tell(*(draft_of(history) for history in histories))
        recompute_waiting_pull_requests()
        return figures()

    return send


def figures() -> dict[int, PullRequestFigures]:
    """The stored figures of each pull request, by its number."""
    return {row.pull_request.number: row for row in PullRequestFigures.objects.select_related("pull_request")}

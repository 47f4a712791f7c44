"""A simulated Jira with a hundred issues of one project."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from demo.plan.delivery import DeliveryEvent, DeliveryHistory, EventKind, Issue
from demo.providers.jira_server import JiraServer
from tests.connectors.jira.reading import EMAIL
from tests.connectors.reading import TOKEN
from tests.demo.small_history import ADA, BEGIN, DAY, HOUR, MAX, SHOP, small_history

BUSY = 3001  # the issue that changed a hundred times


def with_issues(count: int) -> DeliveryHistory:
    """Those of the small history, so many others, and one that went to and fro a hundred times."""
    others = tuple(
        Issue(
            id=4000 + number,
            number=100 + number,
            repository=SHOP,
            author=ADA,
            title=f"Issue {number}",
            body="",
            created_at=BEGIN + number * HOUR,
            labels=("feature",),
            happenings=(
                DeliveryEvent(
                    10_000 + number, EventKind.LABELLED, BEGIN + number * HOUR + HOUR, MAX, text="in progress"
                ),
                DeliveryEvent(20_000 + number, EventKind.CLOSED, BEGIN + number * HOUR + DAY, MAX, text="completed"),
            ),
        )
        for number in range(count)
    )
    turns = tuple(
        DeliveryEvent(
            30_000 + turn,
            EventKind.CLOSED if turn % 2 == 0 else EventKind.REOPENED,
            BEGIN + DAY + turn * HOUR,
            MAX,
            text="completed" if turn % 2 == 0 else "",
        )
        for turn in range(100)
    )
    busy = Issue(BUSY, 99, SHOP, ADA, "To and fro", "", BEGIN, happenings=turns)
    history = small_history()
    return replace(history, issues=(*history.issues, busy, *others))


@pytest.fixture
def jira() -> Iterator[JiraServer]:
    with JiraServer(with_issues(30), email=EMAIL, token=TOKEN, page=7) as server:
        yield server

"""GitHub's projects through the engine: a history of plans, made of what each reading saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

import pytest

from demo.providers.github_access import Token
from demo.providers.github_server import GitHubServer
from integrations.models import Connection, Sprint, SprintChange, WorkItem, WorkItemChange
from tests.connectors.github.histories import with_issues
from tests.connectors.github.test_projects import FIRST, SECOND, project
from tests.demo.small_history import BEGIN, DAY, HOUR
from tests.sync.readings import read_everything
from tests.sync.simulated import GITHUB, TOKEN, tables_of

pytestmark = pytest.mark.django_db
SETTINGS = {"use_graphql": "true", "read_projects": "true"}


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    """One day after the first iteration was planned."""
    with GitHubServer(replace(with_issues(4), ends_at=BEGIN + 30 * DAY), tokens=[Token(TOKEN, "ada")]) as server:
        server.projects.append(project(wishes=4))
        server.advance(BEGIN + DAY)
        yield server


def connect(github: GitHubServer) -> Connection:
    return replace(GITHUB, settings=SETTINGS).connect(github)


def moves(number: int) -> Sequence[tuple[datetime, str, bool]]:
    changes = SprintChange.objects.filter(work_item__key=f"acme/shop#{number}").order_by("at", "added")
    return [(change.at, change.sprint.partition("/")[2], change.added) for change in changes]


def test_what_readings_see_makes_a_history(github: GitHubServer) -> None:
    connection = connect(github)
    read_everything(connection)
    read_everything(connection)  # its issues are stored now
    entered = (BEGIN + 8 * HOUR, FIRST.id, True)
    assert [moves(number) for number in (1001, 1002, 1003)] == [[entered]] * 3
    assert WorkItem.objects.get(key="acme/shop#1001").estimate == 3.0
    assert not WorkItemChange.objects.exists(), "what the estimate was before it was first read is unknown"

    github.advance(BEGIN + 3.5 * DAY)
    read_everything(connection, full=True)  # a full reading forgets what it knew
    later = BEGIN + 3 * DAY
    assert moves(1001) == [entered, (later, FIRST.id, False), (later, SECOND.id, True)]
    assert moves(1002) == [entered]
    change = WorkItemChange.objects.get()
    assert (change.before, change.after, change.at) == ("3", "5", BEGIN + 2 * DAY)

    github.advance(BEGIN + 5 * DAY)
    read_everything(connection)
    assert moves(1002) == [entered, (BEGIN + 4 * DAY, FIRST.id, False)]
    usual = tables_of(connection)
    runs = read_everything(connection, full=True)
    assert [(run.added, run.changed, run.removed) for run in runs] == [(0, 0, 0)] * len(runs)
    assert tables_of(connection) == usual


def test_the_sprints_have_their_items(github: GitHubServer) -> None:
    github.advance(BEGIN + 30 * DAY)
    connection = connect(github)
    read_everything(connection)
    read_everything(connection)
    first = Sprint.objects.get(external_id=f"PVT_7/{FIRST.id}")
    assert sorted(first.items.values_list("work_item__key", flat=True)) == ["acme/shop#1003", "acme/shop#1004"]
    assert first.items.filter(is_committed=True).count() == 2


def test_a_deleted_iteration_is_deleted(github: GitHubServer) -> None:
    connection = connect(github)
    read_everything(connection)
    Sprint.objects.update(first_seen_at=BEGIN)
    github.projects[0].iterations = (FIRST,)
    read_everything(connection, full=True)
    assert [sprint.name for sprint in Sprint.objects.filter(deleted_at=None)] == ["Sprint 1"]


def test_two_projects_with_an_issue_do_not_take_turns(github: GitHubServer) -> None:
    """The estimate that was changed last counts; each has its own iteration."""
    other = project(number=8, wishes=2)
    other.estimates = {1001: [(BEGIN + 10 * HOUR, 13.0)]}
    github.projects.append(other)
    connection = connect(github)
    for _ in range(3):
        read_everything(connection)
    assert WorkItem.objects.get(key="acme/shop#1001").estimate == 13.0
    assert WorkItemChange.objects.count() <= 1
    assert {sprint for _, sprint, _ in moves(1001)} == {FIRST.id}
    assert SprintChange.objects.filter(work_item__key="acme/shop#1001").count() == 2, "one on each board"
    runs = read_everything(connection)
    assert [(run.added, run.changed, run.removed) for run in runs] == [(0, 0, 0)] * len(runs)


def test_issues_of_other_repositories_are_left_out(github: GitHubServer) -> None:
    connection = connect(github)
    connection.resources.filter(kind="repository").update(picked=False)
    read_everything(connection)
    assert (Sprint.objects.count(), WorkItem.objects.count()) == (2, 0)

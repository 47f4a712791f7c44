"""Every metric of sprints, counted a second time in Python from random histories, on both paths."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine

from insights.columns.refresh import refresh
from insights.engine.read import read_series
from insights.query.query import Granularity, Query, Scope, Window
from integrations.delivery.agreements.apply import apply_agreements
from integrations.models import Owned, OwnedKind
from orgtree.models import Organisation
from tests.columns.forgotten import forgotten_by_refresh
from tests.delivery.sprints.oracle import BOARDS, METRICS, World, random_world
from tests.delivery.work_items.tracker import Tracker
from tests.org import Org
from tests.seeds import seeds

NOW = datetime(2026, 5, 6, 15, 30, tzinfo=UTC)
FIRST = date(2026, 2, 23)
WINDOWS = (Window(date(2026, 3, 2), date(2026, 4, 27)), Window(date(2026, 4, 20), date(2026, 5, 18)))

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture(params=seeds())
def world(request: pytest.FixtureRequest, org: Org) -> World:
    Organisation.objects.update_or_create(pk=1, defaults={"holidays_in": "DE"})
    org.tree("Teams")
    for unit in BOARDS.values():
        org.unit(unit.title(), below="teams")
    world = random_world(request.param, FIRST, NOW)
    tell(world, Tracker(), request.param)
    for board, unit in BOARDS.items():
        org.own(board, unit)
    count_parts_alone(world, "Api")
    return world


def count_parts_alone(world: World, *boards: str) -> None:
    """Choose these boards as those whose sub-tasks count alone."""
    world.alone_on = set(boards)
    Owned.objects.filter(kind=OwnedKind.BOARD).update(parts_alone=False)
    Owned.objects.filter(kind=OwnedKind.BOARD, name__in=boards).update(parts_alone=True)
    apply_agreements()


def tell(world: World, tracker: Tracker, seed: int) -> None:
    """In any order, some at a time."""
    drafts: list[Any] = [item.draft(tracker.place) for item in world.items]
    drafts += [sprint.draft(updated_at=sprint.closed or sprint.start) for sprint in world.sprints]
    random.Random(seed).shuffle(drafts)
    for start in range(0, len(drafts), 20):
        tracker.tell(*drafts[start : start + 20])


def wrong_figures(world: World) -> list[Any]:
    queries = [
        Query(key, window, granularity, Scope(unit))
        for window in WINDOWS
        for unit in (None, "teams", *BOARDS.values())
        for key in METRICS
        for granularity in (Granularity.WEEK, Granularity.MONTH)
    ]
    wrong = []
    for query, answer in zip(queries, read_series(queries), strict=True):
        for figure in (*answer.total, *answer.series):
            expected = METRICS[query.key](world, figure.window, NOW.date(), query.scope.unit)
            if (figure.value or 0) != pytest.approx(expected or 0) or (expected and figure.value is None):
                wrong.append((query.key, query.scope.unit, figure.window, figure.value, expected))
    return wrong


@pytest.mark.parametrize("path", ["facts", "columns"])
def test_values_are_those_of_the_oracle(world: World, path: str) -> None:
    if path == "columns":
        refresh()
    assert wrong_figures(world) == []
    assert any(METRICS["sprint.predictability"](world, window, NOW.date(), None) for window in WINDOWS)


def test_what_was_committed_and_added_is_delivered_carried_over_or_removed(world: World) -> None:
    for sprint in world.sprints:
        if sprint.closed:
            sums = world.sums(sprint)
            for ending in ("", "_points"):
                ends = ("delivered", "carried_over", "removed")
                assert sums[f"size{ending}"] == pytest.approx(sum(sums[f"{end}{ending}"] for end in ends)), sprint.name


def test_sub_tasks_count_otherwise_once_an_admin_chose_so(world: World) -> None:
    refresh()
    count_parts_alone(world, "Web")
    assert wrong_figures(world) == []
    assert forgotten_by_refresh() == []


def test_later_words_change_exactly_what_they_touch(world: World) -> None:
    """A sprint is reopened, one closed later, one deleted; items are estimated anew and leave: nothing is missed."""
    refresh()
    tracker, updated_at = Tracker.known(), NOW - timedelta(minutes=5)
    reopened, longer, deleted = (world.sprints[place] for place in (2, 4, 11))
    reopened.closed = None
    assert longer.closed
    longer.closed += timedelta(days=2)
    for item in world.items[:12]:
        item.estimates = [(at, points) for at, points in item.estimates if at < updated_at] + [(updated_at, 13.0)]
    for item in world.items[12:20]:
        item.sprints = [event for event in item.sprints if event[1] != longer.name]
    tracker.tell(
        *(sprint.draft(updated_at=updated_at) for sprint in (reopened, longer)),
        *(item.draft(tracker.place) for item in world.items[:20]),
    )
    from integrations.enums import Kind
    from integrations.intake.deleted_records import mark_deleted

    mark_deleted(tracker.connection, Kind.SPRINT, [deleted.name])
    world.sprints.remove(deleted)
    assert wrong_figures(world) == []
    assert forgotten_by_refresh() == []
    tracker.forget()
    assert forgotten_by_refresh() == []

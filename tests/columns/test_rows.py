"""Columns have the rows that PostgreSQL has, whichever partitions are built."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from insights.columns.refresh import refresh
from insights.columns.shape import copied_relations
from insights.columns.stale import mark_partitions
from insights.metrics.query import Window
from insights.models import ColumnPartition
from tests.columns.rows import assert_agreement, in_columns, in_postgresql
from tests.metrics.facts import create_world
from tests.seeds import seeds
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(59, -1, -1)]
MOST_ROWS = 20  # so that partitions of years and of weeks stand side by side

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("world")]


@pytest.fixture(scope="module", params=seeds())
def world(request: pytest.FixtureRequest, stored_once: StoreOnce) -> Iterator[random.Random]:
    with stored_once(lambda: create_world(request.param, days=DAYS), at=NOW):
        yield random.Random(request.param)


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("insights.columns.build.MOST_ROWS", MOST_ROWS)
    with time_machine.travel(NOW, tick=False):
        yield


def test_nothing_is_built_and_all_is_read_live() -> None:
    assert_agreement(copied_relations().values())


def test_all_is_built_and_nothing_is_read_live() -> None:
    refresh()
    assert not ColumnPartition.objects.exclude(stale_since=None).exists()
    days = Window(DAYS[0], DAYS[-1] + timedelta(days=1))
    assert assert_agreement(copied_relations().values(), days) == []
    assert ColumnPartition.objects.filter(rows__gt=0).count() > 20
    for partition in ColumnPartition.objects.filter(rows__gt=MOST_ROWS):
        assert partition.end_day - partition.first_day == timedelta(days=7)


def test_half_is_built(world: random.Random) -> None:
    refresh()
    numbers = sorted(ColumnPartition.objects.values_list("pk", flat=True))
    mark_partitions(world.sample(numbers, len(numbers) // 2))
    assert assert_agreement(copied_relations().values())
    refresh()
    assert_agreement(copied_relations().values())


def test_a_window_may_begin_and_end_within_a_partition(world: random.Random) -> None:
    refresh()
    numbers = sorted(ColumnPartition.objects.values_list("pk", flat=True))
    mark_partitions(world.sample(numbers, len(numbers) // 4))
    for _ in range(5):
        start, end = sorted(world.sample(DAYS, 2))
        assert_agreement(copied_relations().values(), Window(start, end))


def test_a_window_without_days_has_no_rows() -> None:
    refresh()
    relation = copied_relations()["agent_sessions"]
    assert not in_columns(relation, Window(DAYS[3], DAYS[3]))
    assert not in_columns(relation, Window(DAYS[9], DAYS[3]))


def test_days_that_no_partition_covers_are_read_live() -> None:
    from integrations.models import AgentSession

    refresh()
    session = AgentSession.objects.filter(has_work=True).first()
    assert session is not None
    AgentSession.objects.filter(pk=session.pk).update(started_on=date(2061, 1, 1))
    relation = copied_relations()["agent_sessions"]
    days = Window(date(2060, 1, 1), date(2062, 1, 1))
    assert in_columns(relation, days) == in_postgresql(relation, days)
    assert in_columns(relation, days).total() == 1

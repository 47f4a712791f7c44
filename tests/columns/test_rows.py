"""Columns have the rows that PostgreSQL has, whichever partitions are built."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from insights.columns.rows import types_of
from insights.columns.shape import copied_relations
from insights.columns.stale import mark_partitions
from insights.models import ColumnPartition
from insights.query.query import Window
from integrations.facts.relation import STOCK_DAY, STOCK_FROM, STOCK_UNTIL
from integrations.models import AgentSession
from tests.columns.rows import assert_agreement, in_columns, in_postgresql
from tests.columns.states import build_all
from tests.engine.facts import create_world
from tests.seeds import seeds
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(59, -1, -1)]
MOST_ROWS = 40  # so that partitions of years and of weeks stand side by side

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


def test_a_relation_names_the_columns_that_postgresql_returns() -> None:
    for relation in copied_relations().values():
        computed = {STOCK_DAY, *(name for name, _ in relation.stock.columns)} if relation.stock else set()
        computed |= {relation.kinds.dimension} if relation.kinds else set()
        assert relation.columns - computed == types_of(relation).keys() - {STOCK_FROM, STOCK_UNTIL}, relation.name


def test_all_half_and_nothing_is_built(world: random.Random) -> None:
    """It takes longer than 5 s: all relations are read from both sides in each of these states."""
    relations = copied_relations().values()
    days = Window(DAYS[0], DAYS[-1] + timedelta(days=1))
    assert_agreement(relations)
    assert not ColumnPartition.objects.exists()

    build_all()
    assert not ColumnPartition.objects.exclude(stale_since=None).exists()
    assert ColumnPartition.objects.filter(rows__gt=0).count() > 20
    assert all(partition.rows <= MOST_ROWS or _is_week(partition) for partition in ColumnPartition.objects.all())
    assert assert_agreement(relations, days) == []  # nothing was read from PostgreSQL

    numbers = sorted(ColumnPartition.objects.values_list("pk", flat=True))
    mark_partitions(world.sample(numbers, len(numbers) // 2))
    assert assert_agreement(relations)
    for _ in range(3):  # a window may begin and end within partitions
        start, end = sorted(world.sample(DAYS, 2))
        assert_agreement(relations, Window(start, end))

    build_all()
    assert assert_agreement(relations, days) == []


def _is_week(partition: ColumnPartition) -> bool:
    return partition.end_day - partition.first_day == timedelta(days=7)


def test_windows_that_no_partition_covers() -> None:
    relation = copied_relations()["agent_sessions"]
    build_all()
    assert not in_columns(relation, Window(DAYS[3], DAYS[3]))
    assert not in_columns(relation, Window(DAYS[9], DAYS[3]))
    session = AgentSession.objects.filter(has_work=True).first()
    assert session is not None
    AgentSession.objects.filter(pk=session.pk).update(started_on=date(2061, 1, 1))
    days = Window(date(2060, 1, 1), date(2062, 1, 1))
    assert in_columns(relation, days) == in_postgresql(relation, days)
    assert in_columns(relation, days).total() == 1

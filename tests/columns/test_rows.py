"""Columns have the rows that PostgreSQL has, whichever partitions are built."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from insights.columns.refresh import refresh
from insights.columns.shape import copied_relations
from insights.models import ColumnPartition
from insights.snapshots.dirty import note_changes
from tests.columns.rows import in_columns, in_postgresql
from tests.metrics.facts import create_world
from tests.stored_once import StoreOnce

NOW = datetime(2026, 3, 18, 15, 30, tzinfo=UTC)
DAYS = [NOW.date() - timedelta(days=n) for n in range(59, -1, -1)]

pytestmark = pytest.mark.django_db


def test_one() -> None:
    create_world(1, days=DAYS)
    note_changes()
    relation = copied_relations()["agent_session_days"]
    print(refresh(), ColumnPartition.objects.count())
    read = []
    assert in_columns(relation, read=read) == in_postgresql(relation)
    print(read, len(in_postgresql(relation)))
    print(ColumnPartition.objects.exclude(rows=0).values_list("relation", "rows", "bytes"))

"""Cells that are copied into the table are those that were computed, or none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from insights.metrics.cells_in_memory import ComputedCells
from insights.metrics.query import Window
from insights.models import CellGroup, MetricCell
from insights.snapshots.cells_copy import cells_copy

WEEK = Window(date(2026, 3, 2), date(2026, 3, 9))
KEPT = [[("week", WEEK), ("window", WEEK)], []]

pytestmark = pytest.mark.django_db


@pytest.fixture
def group_id() -> int:
    group = CellGroup.objects.create(relation="things", segment_name="agent", starts={}, fiscal_month=1)
    return int(group.pk)


def cells() -> ComputedCells:
    """Of everybody and of a unit; the last of a span that is not kept."""
    return ComputedCells(
        units=np.array([0, 7, 7, 7]),
        spans=np.array([0, 0, 0, 1]),
        segments=np.array([0, 1, 0, 0]),
        words=["Zoë’s agent", "other"],
        facts=np.array([3, 2, 0, 1]),
        matched_facts=np.array([2, 2, 0, 1]),
        people=np.array([1, 1, 0, 1]),
        numbers=np.array([[1.5, np.nan, 4.0, 1.0], [np.nan, 0.1, 4.0, 1.0]]),
        without_numbers=np.array([False, False, True, False]),
    )


def stored() -> list[tuple[object, ...]]:
    fields = ("unit_id", "period", "start", "end", "segment_value", "facts", "matched_facts", "people", "figures")
    return sorted(MetricCell.objects.values_list(*fields), key=str)


def test_they_are_read_as_they_were_computed(group_id: int) -> None:
    with cells_copy(now := timezone.now()) as copy:
        copy.add(group_id, cells(), KEPT)
    whole = [(None, period, WEEK.start, WEEK.end, "Zoë’s agent", 3, 2, 1, [1.5, None]) for period in ("week", "window")]
    of_unit = [(7, period, WEEK.start, WEEK.end, "other", 2, 2, 1, [None, 0.1]) for period in ("week", "window")]
    assert copy.written == 6
    emptied = [row for row in stored() if row[8] == []]
    assert len(emptied) == 2
    assert [row for row in stored() if row[8] != []] == sorted([*whole, *of_unit], key=str)
    assert set(MetricCell.objects.values_list("computed_at", flat=True)) == {now}


def test_none_are_there_when_computing_them_fails(group_id: int) -> None:
    with pytest.raises(ZeroDivisionError):
        copied(group_id, times=1, then=lambda: 1 / 0)
    assert not MetricCell.objects.exists()


def test_what_the_database_refuses_is_said(group_id: int) -> None:
    with pytest.raises(IntegrityError, match="metric_cell_is_unique"):
        copied(group_id, times=2)
    assert not MetricCell.objects.exists()


def copied(group_id: int, *, times: int, then: Callable[[], object] = bool) -> None:
    with transaction.atomic(), cells_copy(timezone.now()) as copy:
        for _ in range(times):
            copy.add(group_id, cells(), KEPT)
        then()

"""Kept cells by what they are of, so that a test can say which of them a refresh forgot."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from unittest import mock

from django.db import connection

from insights.metrics.plan import Clock
from insights.models import SnapshotState
from insights.snapshots.filling import fill_everything
from insights.snapshots.keeping_columns import keep_columns, weeks_to_keep
from insights.snapshots.refresh import refresh
from insights.snapshots.storing_from_memory import store_from_memory

_CELLS = """
    SELECT kept.relation, kept.segment_name, coalesce(unit.slug, ''), cell.period, cell.start, cell."end",
           cell.segment_value, cell.facts, cell.matched_facts, cell.people, cell.figures
    FROM insights_metriccell cell
    JOIN insights_cellgroup kept ON kept.id = cell.group_id
    LEFT JOIN orgtree_unit unit ON unit.id = cell.unit_id
"""
KeptCells = Mapping[tuple[str, ...], tuple[object, ...]]


def kept_cells() -> KeptCells:
    """(relation, segment, unit, period, start, end, value of the segment) → what the cell holds."""
    with connection.cursor() as cursor:
        cursor.execute(_CELLS)
        return {tuple(map(str, row[:7])): tuple(map(_compared, row[7:])) for row in cursor.fetchall()}


def forgotten_by_refresh(*, filled_by_database: bool = False) -> Mapping[tuple[str, ...], tuple[object, object]]:
    """The cells that differ between a refresh and a full fill after it: (as refreshed, as filled).

    What was noted to be computed anew is all there is to compute anew where there are none.  A refresh of few units is
    computed by the database and this fill in memory, so that neither may say anything else than the other; where a
    test lets refreshes be computed in memory, the fill has to be the database's.
    """
    SnapshotState.note(lagging_at=None)  # as if it were long ago: long windows take their time, and are looked at, too
    refresh()
    refreshed = kept_cells()
    assert refreshed, "nothing is kept"
    with in_memory_from(sys.maxsize if filled_by_database else 1):
        fill_everything()
    filled = kept_cells()
    return {
        each: (refreshed.get(each), filled.get(each))
        for each in sorted(refreshed.keys() | filled.keys())
        if refreshed.get(each) != filled.get(each)
    }


def filled_both_ways() -> tuple[KeptCells, KeptCells]:
    """The cells of a fill that the database computes, and of one in memory."""
    with in_memory_from(sys.maxsize):
        fill_everything()
    by_database = kept_cells()
    with in_memory_from(1), mock.patch("insights.snapshots.cells.store_from_memory", wraps=store_from_memory) as stored:
        fill_everything()
    assert stored.called
    return by_database, kept_cells()


def in_memory_from(units: int) -> AbstractContextManager[object]:
    """While it lasts, cells of so many units and more are computed in memory."""
    return mock.patch.multiple(
        "insights.snapshots.cells",
        UNITS_COMPUTED_IN_MEMORY=units,
        UNITS_BESIDE_EVERYBODY=units,
        MANY_ROWS=sys.maxsize,
    )


def _compared(told: object) -> object:
    """Sums of floats depend on the order in which rows are read, in their last digits."""
    if isinstance(told, list):
        return tuple(map(_compared, told))
    return float(f"{told:.9g}") if isinstance(told, float) else told


def keep_weeks(weeks: int = 8) -> int:
    """As the background does of relations with many rows, of all, and of so many weeks; how many were kept."""

    def some(today: date) -> Sequence[date]:
        return weeks_to_keep(today)[:weeks]

    with mock.patch.multiple("insights.snapshots.keeping_columns", MANY_ROWS=0, weeks_to_keep=some):
        return keep_columns(Clock.read(), however_long=True)

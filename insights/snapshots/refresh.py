"""Keeping the cells in step with the facts: what changed, a new day, and the nightly fill of everything."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from insights.metrics.connected import Source, source_since
from insights.metrics.declarations import Metric
from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.metrics.reading import ANYBODY, Placed, Placement
from insights.metrics.registry import metrics
from insights.models import DirtyRange, MetricCell, Period, SnapshotState
from insights.snapshots.cells import Partitions, metrics_of, recompute
from insights.snapshots.dirty import Dirt, claim, note_changes, note_placement_changes
from insights.snapshots.kept import (
    kept_from,
    lagging_partitions,
    lagging_windows,
    of_units,
    prompt_partitions,
    quarters_between,
)
from insights.snapshots.settling import note_settled
from orgtree.models import Placement as PlacementRow

# Only one process computes cells at a time: two would meet in the same week.
LOCK = 0x48574D43
LONGEST_LAG = timedelta(seconds=60)
LONGEST_PAUSE_SECONDS = 1.0
# The days of prompt buckets that are computed at once: each statement reads its facts anew, and holds its cells.
QUARTERS_AT_ONCE = 2
LONGEST_PIECE = timedelta(days=190)
# Lagging cells may take this share of the time; where they are cheap they follow at once.
SHARE_OF_TIME = 0.2


def refresh() -> int:
    """Bring the cells up to date with the outbox; how many cells were computed.

    Does nothing while another process is at it: that one goes on until nothing is left.
    """
    with _alone("SELECT pg_try_advisory_lock(%s)") as alone:
        if not alone:
            return 0
        clock = Clock.read()
        note_settled(clock)
        _note(clock)
        written = _roll(clock)
        while True:
            began = time.monotonic()
            prompt = _recompute_claimed(lagging=False)
            late = _recompute_claimed(lagging=True) if _lagging_is_due() else None
            written += (prompt or 0) + (late or 0)
            if not _note(clock) and prompt is None and late is None:
                return written
            if prompt:  # while facts go on coming, half of the time is theirs
                time.sleep(min(time.monotonic() - began, LONGEST_PAUSE_SECONDS))


def fill_everything(*, only: Collection[Metric] = (), days: Window | None = None) -> int:
    """Compute all cells (of these metrics, touched by these days) anew from facts; how many there are.

    Waits for a refresh that is under way.  What changes meanwhile stays in the outbox and is refreshed later.
    """
    with _alone("SELECT pg_advisory_lock(%s) IS NOT NULL"):
        clock = Clock.read()
        note_settled(clock)
        _note(clock)
        if only or days:
            with transaction.atomic():
                written = _fill(clock, only or metrics(), days)
                _changed()
            return written
        return _fill_all(clock)


def _note(clock: Clock) -> int:
    return note_changes() + note_placement_changes(clock)


def _fill_all(clock: Clock) -> int:
    with transaction.atomic():
        DirtyRange.objects.all().delete()
        MetricCell.objects.all().delete()
        written = _fill(clock, metrics(), None)
        _changed(rolled_to=clock.today)
    return written


def _fill(clock: Clock, only: Collection[Metric], days: Window | None) -> int:
    beginnings = [since for source in Source if (since := source_since(source, ANYBODY))]
    if not beginnings:
        return 0
    first = max(min(beginnings), kept_from(clock.today))
    asked = days or Window(first, clock.tomorrow)
    days = Window(max(asked.start, first), min(asked.end, clock.tomorrow))
    if days.days <= 0:
        return 0
    written = sum(_everybody_and_every_unit(piece, clock, only) for piece in _prompt_pieces(days))
    return written + _everybody_and_every_unit(lagging_partitions(days, clock.today), clock, only)


def _prompt_pieces(days: Window) -> Iterator[Partitions]:
    """The prompt buckets of many days by some quarters, so that they need not be held in memory all at once."""
    if days.days <= LONGEST_PIECE.days:
        yield prompt_partitions(days)
        return
    quarters = list(quarters_between(days.start, days.end - timedelta(days=1)))
    for position in range(0, len(quarters), QUARTERS_AT_ONCE):
        first, last = quarters[position], quarters[position : position + QUARTERS_AT_ONCE][-1]
        yield prompt_partitions(Window(max(days.start, first.start), min(days.end, last.end)))


def _roll(clock: Clock) -> int:
    """On a new local day: stocks of the running buckets move, and trailing windows are other windows."""
    rolled_to = SnapshotState.current().rolled_to
    if rolled_to == clock.today:
        return 0
    if rolled_to is None or rolled_to > clock.today:
        return _fill_all(clock)
    windows = lagging_windows(clock.today)
    with transaction.atomic():
        MetricCell.objects.filter(period=Period.WINDOW).delete()
        running = prompt_partitions(Window(rolled_to, clock.tomorrow))
        late = lagging_partitions(Window(min(window.start for window in windows), clock.tomorrow), clock.today)
        written = sum(_everybody_and_every_unit(each, clock, metrics()) for each in (running, late))
        _changed(rolled_to=clock.today)
    return written


def _everybody_and_every_unit(partitions: Partitions, clock: Clock, only: Collection[Metric]) -> int:
    written = recompute(partitions, ANYBODY, clock, only)
    units = tuple(PlacementRow.objects.order_by().values_list("ancestor_id", flat=True).distinct())
    if units:
        written += recompute(of_units(partitions), Placement(Placed.UNITS, units), clock, only)
    return written


def _recompute_claimed(*, lagging: bool) -> int | None:
    """How many cells were computed anew, which may be none; None where nothing was left to do."""
    began = time.monotonic()
    with transaction.atomic():
        dirt = claim(lagging=lagging)
        if not dirt:
            return None
        clock = Clock.read()
        written = sum(_recompute(each, clock, lagging=lagging) for each in dirt)
        if lagging:
            _changed(lagging_at=timezone.now(), lagging_seconds=time.monotonic() - began)
        else:
            _changed()
    return written


def _recompute(dirt: Dirt, clock: Clock, *, lagging: bool) -> int:
    days = Window(max(dirt.days.start, kept_from(clock.today)), min(dirt.days.end, clock.tomorrow))
    if days.days <= 0:  # facts of the future are refused at the door; a leaving that is announced is none yet
        return 0
    only = metrics_of(dirt.family)
    units = Placement(Placed.UNITS, tuple(unit for unit in dirt.units if unit is not None))
    written = 0
    for piece in [lagging_partitions(days, clock.today)] if lagging else _prompt_pieces(days):
        written += recompute(piece, ANYBODY, clock, only) if None in dirt.units else 0
        written += recompute(of_units(piece), units, clock, only) if units.ids else 0
    return written


def _lagging_is_due() -> bool:
    state = SnapshotState.current()
    if state.lagging_at is None:
        return True
    pause = min(timedelta(seconds=state.lagging_seconds / SHARE_OF_TIME), LONGEST_LAG)
    return timezone.now() - state.lagging_at >= pause


def _changed(**state: object) -> None:
    SnapshotState.objects.filter(pk=SnapshotState.current().pk).update(
        changes=F("changes") + 1, changed_at=timezone.now(), **state
    )


@contextmanager
def _alone(lock: str) -> Iterator[bool]:
    with connection.cursor() as cursor:
        cursor.execute(lock, [LOCK])
        alone = bool(cursor.fetchone()[0])
    try:
        yield alone
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])

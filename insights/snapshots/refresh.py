"""Keeping the cells in step with the facts: what is missing, a new day, and what changed."""

from __future__ import annotations

import time
from collections.abc import Mapping

from django.db import transaction

from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.models import CellGroup, MetricCell, Period, SnapshotState
from insights.snapshots.alone import alone
from insights.snapshots.catching_up import catch_up_once
from insights.snapshots.cells import recompute_all
from insights.snapshots.dirty import note_everything
from insights.snapshots.filling import fill_what_is_missing, fill_what_is_mostly_dirty
from insights.snapshots.groups import Group, groups, stored
from insights.snapshots.keeping_columns import keep_columns
from insights.snapshots.kept import lagging_partitions, lagging_windows, prompt_partitions
from insights.snapshots.settling import note_settled
from integrations.services.usage_days import keep_usage_days

LONGEST_PAUSE_SECONDS = 5.0  # a page may show figures that are older by this, and by the round itself


def refresh() -> int:
    """Bring the cells up to date with the outbox; how many cells were computed.

    Does nothing while another process is at it: that one goes on until nothing is left.
    """
    with alone(waiting=False) as is_alone:
        if not is_alone:
            return 0
        SnapshotState.objects.exclude(filling_since=None).update(filling_since=None)  # by a process that was killed
        clock = Clock.read()
        note_settled(clock)
        note_everything(clock)
        # Before anything is taken off the list: nobody can bring up to date the cells of measures that changed.
        written = fill_what_is_missing(clock)
        known = stored(groups())
        of_groups = {group: row.pk for group, row in known.items()}
        written += _roll(clock, known)
        written += fill_what_is_mostly_dirty(clock, of_groups)
        while True:
            began = time.monotonic()
            caught_up = catch_up_once(of_groups)
            written += caught_up or 0
            if not note_everything(clock) and caught_up is None:
                keep_usage_days()
                keep_columns(clock)
                return written
            if caught_up:  # while facts go on coming, half of the time is theirs
                time.sleep(min(time.monotonic() - began, LONGEST_PAUSE_SECONDS))


def _roll(clock: Clock, known: Mapping[Group, CellGroup]) -> int:
    """On a new local day: stocks of the running buckets move, and trailing windows are other windows."""
    behind = {group: row for group, row in known.items() if row.rolled_to != clock.today}
    days = [row.rolled_to for row in behind.values() if row.rolled_to is not None]
    if not days:
        return 0
    of_groups = {group: row.pk for group, row in behind.items()}
    first = min(window.start for window in lagging_windows(clock.today))
    with transaction.atomic():
        MetricCell.objects.filter(period=Period.WINDOW, group__in=of_groups.values()).delete()
        written = recompute_all([prompt_partitions(Window(min(days), clock.tomorrow))], clock, of_groups)
        late = lagging_partitions(Window(first, clock.tomorrow), clock.today)
        written += recompute_all([late], clock, of_groups)
        CellGroup.objects.filter(pk__in=of_groups.values()).update(rolled_to=clock.today)
        SnapshotState.note_change()
    return written

"""Filling cells: all of them each night, those of a changed measure once.

A fill goes piece by piece, half a year at a time, and at last together what long windows look back on, each in a
transaction of its own: what stands goes on answering, and between the pieces what changed meanwhile is brought up to
date.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date

from django.db import connection, transaction
from django.utils import timezone

from insights.metrics.connected import Source, source_since
from insights.metrics.declarations import Metric
from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.metrics.reading import ANYBODY
from insights.metrics.registry import metrics
from insights.models import CellGroup, DirtyRange, MetricCell, SnapshotState
from insights.snapshots.alone import alone
from insights.snapshots.catching_up import catch_up_once
from insights.snapshots.cells import Partitions, last_day, recompute_all, whole_pieces
from insights.snapshots.dirty import note_everything
from insights.snapshots.groups import Group, groups, of_family, stored
from insights.snapshots.keeping_columns import forget_all_columns
from insights.snapshots.kept import kept_from, lagging_partitions, of_windows
from insights.snapshots.settling import note_settled
from insights.snapshots.waiting import SnapshotHealth, snapshot_health
from integrations.models import FactFamily
from integrations.services.usage_days import forget_all_usage, keep_usage_days

# Dirty ranges of a family are handed to a fill of it above both: ranges of few units cost less piece by piece
# (docs/decisions/0008), and few cells nothing worth mentioning.
UNIT_DAYS_FOR_A_FILL = 50_000
SHARE_FOR_A_FILL = 0.5
FILLING_MEMORY = "128MB"  # of each sort of a statement; pages do with a quarter of it

Report = Callable[[SnapshotHealth], None]


def fill_everything(
    *, only: Collection[Metric] = (), days: Window | None = None, report: Report = lambda _: None
) -> int:
    """Compute all cells (of these metrics, touched by these days) anew from facts; how many there are.

    Waits for a refresh that is under way.  `report` is told how far it is after each piece of a full fill.
    """
    with alone(waiting=True):
        clock = Clock.read()
        note_settled(clock)
        note_everything(clock)
        forget_all_columns()
        if not (only or days):
            forget_all_usage()
            written = _fill_all(clock, report)
            keep_usage_days()
            return written
        written = fill_what_is_missing(clock)
        wanted = {group: row.pk for group, row in stored(groups(only or metrics())).items()}
        return written + fill_groups(wanted, clock, days)


def fill_groups(of_groups: Mapping[Group, int], clock: Clock, days: Window | None) -> int:
    """Compute the cells of these groups that are touched by these days anew, and nothing else, in one transaction."""
    with transaction.atomic():
        _take_memory()
        written = sum(recompute_all(batch, clock, of_groups) for batch in _batches(clock, days))
        SnapshotState.note_change()
    return written


def fill_what_is_missing(clock: Clock) -> int:
    """Fill the groups that do not stand, because they are new or a measure of theirs changed; their forerunners go."""
    known = stored(groups())
    missing = {group: row.pk for group, row in known.items() if row.rolled_to is None or row.rolled_to > clock.today}
    if missing and len(missing) == len(known):
        return _fill_all(clock)
    written = _fill(clock, missing) if missing else 0
    _forget_all_but(known.values())
    return written


def fill_what_is_mostly_dirty(clock: Clock, of_groups: Mapping[Group, int]) -> int:
    """Fill the families of which so much is dirty that following the ranges would cost more."""
    written = 0
    for family in _mostly_dirty(clock):
        noted = list(DirtyRange.objects.filter(family=family).values_list("pk", flat=True))
        written += _fill(clock, of_family(of_groups, family))
        DirtyRange.objects.filter(pk__in=noted).delete()
    return written


def _mostly_dirty(clock: Clock) -> Sequence[FactFamily]:
    """Counted in days of units, prompt ones: ranges of one unit that overlap count twice, which is little."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT family
            FROM insights_dirtyrange
            WHERE NOT lagging AND unit_id IS NOT NULL
            GROUP BY family
            HAVING sum(day_to - day_from) > greatest(
                %(least)s,
                %(share)s * (SELECT count(DISTINCT ancestor_id) FROM orgtree_placement) * (%(tomorrow)s - %(first)s)
            )
            """,
            {
                "least": UNIT_DAYS_FOR_A_FILL,
                "share": SHARE_FOR_A_FILL,
                "tomorrow": clock.tomorrow,
                "first": _first_day(clock) or clock.today,
            },
        )
        return [FactFamily(family) for (family,) in cursor.fetchall()]


def _fill_all(clock: Clock, report: Report = lambda _: None) -> int:
    known = stored(groups())
    of_groups = {group: row.pk for group, row in known.items()}
    stood = all(row.rolled_to == clock.today for row in known.values())
    noted = list(DirtyRange.objects.values_list("pk", flat=True))
    written = _fill(clock, of_groups, and_catch_up=stood, report=report)
    DirtyRange.objects.filter(pk__in=noted).delete()
    _forget_all_but(known.values())
    return written


def _fill(
    clock: Clock, of_groups: Mapping[Group, int], *, and_catch_up: bool = False, report: Report = lambda _: None
) -> int:
    """Compute all cells of these groups; they stand when the last piece does, if they didn't before."""
    began, written = time.monotonic(), 0
    batches = _batches(clock, None)
    SnapshotState.note(filling_since=timezone.now(), pieces=len(batches), pieces_filled=0)
    try:
        for number, batch in enumerate(batches, start=1):
            with transaction.atomic():
                _take_memory()
                written += recompute_all(batch, clock, of_groups)
                SnapshotState.note_change(pieces_filled=number)
            report(snapshot_health())
            # After the last piece there is nothing in the way of the refresh that follows: until then what was dirty
            # when the fill began still is, and all of it would be computed once more.
            if and_catch_up and number < len(batches):
                note_everything(clock)
                catch_up_once(of_groups)
        with transaction.atomic():
            now = timezone.now()
            MetricCell.objects.filter(group__in=of_groups.values(), computed_at__lt=clock.now).delete()
            CellGroup.objects.filter(pk__in=of_groups.values()).update(rolled_to=clock.today, filled_at=now)
            SnapshotState.note_change(filled_at=now, filled_seconds=time.monotonic() - began)
    finally:
        SnapshotState.note(filling_since=None)
    return written


def _take_memory() -> None:
    """Until the transaction ends: what is found of half a year would be written to disk and read again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('work_mem', %s, true)", [FILLING_MEMORY])


def _batches(clock: Clock, days: Window | None) -> Sequence[Sequence[Partitions]]:
    """What is computed in one transaction each, some quarters in a piece; everything where no days are given.

    The quarters on which long windows look back are computed together with these: their rows are read once.
    """
    first = _first_day(clock)
    if first is None:
        return []
    asked = days or Window(first, clock.tomorrow)
    clipped = Window(max(asked.start, first), min(asked.end, clock.tomorrow))
    if clipped.days <= 0:
        return []
    long = of_windows(lagging_partitions(clipped, clock.today))
    pieces = whole_pieces(clipped)
    looked_back = min((edges[0] for _, edges in long), default=clock.tomorrow)
    before = [piece for piece in pieces if last_day(piece) < looked_back]
    together = [piece for piece in pieces if last_day(piece) >= looked_back]
    batches = [*([piece] for piece in before), [*together, long]]
    return [found for batch in batches if (found := [piece for piece in batch if piece])]


def _first_day(clock: Clock) -> date | None:
    """The first of which cells tell; None where there are no facts at all."""
    beginnings = [since for source in Source if (since := source_since(source, ANYBODY))]
    return max(min(beginnings), kept_from(clock.today)) if beginnings else None


def _forget_all_but(rows: Collection[CellGroup]) -> None:
    """Drop what nothing is computed for any more."""
    CellGroup.objects.exclude(pk__in=[row.pk for row in rows]).delete()

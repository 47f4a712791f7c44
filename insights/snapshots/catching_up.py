"""Computing anew what is dirty: prompt cells range by range, lagging ones all at once and after a pause."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from insights.metrics.plan import Clock
from insights.metrics.query import Window
from insights.models import SnapshotState
from insights.snapshots.cells import prompt_pieces, recompute
from insights.snapshots.dirty import Dirt, claim
from insights.snapshots.groups import Group, of_family
from insights.snapshots.kept import kept_from, lagging_partitions

LONGEST_LAG = timedelta(seconds=60)
# Lagging cells may take this share of the time; where they are cheap they follow at once.
SHARE_OF_TIME = 0.2


def catch_up_once(of_groups: Mapping[Group, int]) -> int | None:
    """How many cells were computed anew, which may be none; None where nothing is left to do."""
    prompt = _recompute_claimed(of_groups, lagging=False)
    late = _recompute_claimed(of_groups, lagging=True) if _lagging_is_due() else None
    return None if prompt is None and late is None else (prompt or 0) + (late or 0)


def _recompute_claimed(of_groups: Mapping[Group, int], *, lagging: bool) -> int | None:
    began = time.monotonic()
    with transaction.atomic():
        dirt = claim(lagging=lagging)
        if not dirt:
            return None
        clock = Clock.read()
        written = sum(_recompute(each, clock, of_groups, lagging=lagging) for each in dirt)
        took = {"lagging_at": timezone.now(), "lagging_seconds": time.monotonic() - began} if lagging else {}
        SnapshotState.note_change(**took)
    return written


def _recompute(dirt: Dirt, clock: Clock, of_groups: Mapping[Group, int], *, lagging: bool) -> int:
    days = Window(max(dirt.days.start, kept_from(clock.today)), min(dirt.days.end, clock.tomorrow))
    if days.days <= 0:  # facts of the future are refused at the door; a leaving that is announced is none yet
        return 0
    only = of_family(of_groups, dirt.family)
    units = [unit for unit in dirt.units if unit is not None]
    pieces = [lagging_partitions(days, clock.today)] if lagging else prompt_pieces(days)
    return sum(recompute(piece, units, clock, only, everybody=None in dirt.units) for piece in pieces)


def _lagging_is_due() -> bool:
    state = SnapshotState.current()
    if state.lagging_at is None:
        return True
    pause = min(timedelta(seconds=state.lagging_seconds / SHARE_OF_TIME), LONGEST_LAG)
    return timezone.now() - state.lagging_at >= pause

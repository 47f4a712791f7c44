"""Keeping everybody's figures of the pages' windows ready, in the background, as often as they are worth it.

Of large organisations only: where they are read quickly they are read every time.  How old they may be follows from
how long reading takes, so that a small share of the time goes into it; the page says as of when they are.
"""

from __future__ import annotations

import hashlib
import logging
import time
from datetime import datetime, timedelta

from django.db import connection
from django.utils import timezone

from insights import windows
from insights.leaderboard.columns import METRICS
from insights.leaderboard.figures import FactFigures
from insights.leaderboard.packed import Unpacked, packed
from insights.metrics.figures import fingerprint
from insights.metrics.query import MetricQuery, Window
from insights.metrics.registry import get
from insights.models import KeptPeopleFigures, SnapshotState
from insights.snapshots.waiting import changes_waiting

logger = logging.getLogger(__name__)

FORMAT = 1  # of what is packed
WORTH_KEEPING_SECONDS = 0.25
SHARE_OF_TIME = 0.05
SHORTEST_PAUSE = timedelta(seconds=60)  # as trailing windows of other pages may lag
# The background may be late: figures of this many pauses ago are shown, older ones are read anew.
PAUSES_SHOWN = 3
# Windows that have nothing, until when (by the monotonic clock) nobody asks again.
_not_kept: dict[Window, float] = {}
LOCK = 0x48575046  # of whoever computes them
PERSONAL = "ai.spend"  # as any of the figures


def keep_people_figures() -> int:
    """Read those anew of which it is time; how many windows were read.  One process at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
    try:
        today = windows.local_today()
        asked = [windows.trailing(weeks, today=today) for weeks in windows.TRAILING_WEEKS]
        KeptPeopleFigures.objects.exclude(end__in={window.end for window in asked}).delete()
        return sum(map(_bring_up_to_date, asked))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def kept_figures(window: Window) -> Unpacked | None:
    """Those of the whole organisation; None where they are read quickly, or are not kept as of a short while ago."""
    if _not_kept.get(window, 0.0) > time.monotonic():
        return None
    row = KeptPeopleFigures.objects.filter(
        start=window.start, end=window.end, measured=_measured(), seconds__gte=WORTH_KEEPING_SECONDS
    ).first()
    if row is None or timezone.now() - row.unchanged_at > PAUSES_SHOWN * _pause(row):
        _not_kept[window] = time.monotonic() + SHORTEST_PAUSE.total_seconds()
        return None
    _not_kept.pop(window, None)
    return Unpacked(bytes(row.content), row.read_at)


def look_again() -> None:
    """For what is kept of windows that had nothing a short while ago."""
    _not_kept.clear()


def _bring_up_to_date(window: Window) -> bool:
    """Whether they were read."""
    now, measured = timezone.now(), _measured()
    row = KeptPeopleFigures.objects.filter(start=window.start, end=window.end).defer("content").first()
    state, waits = SnapshotState.current(), changes_waiting()
    if row is not None and row.measured == measured:
        if row.changes == state.changes and not waits:
            KeptPeopleFigures.objects.filter(pk=row.pk).update(unchanged_at=now)
            return False
        if now - row.read_at < _pause(row):
            return False
    _read(window, now, measured, state.changes)
    return True


def _read(window: Window, now: datetime, measured: str, changes: int) -> None:
    began = time.monotonic()
    content = packed(FactFigures(MetricQuery(PERSONAL, window)))
    seconds = time.monotonic() - began
    KeptPeopleFigures.objects.update_or_create(
        start=window.start,
        end=window.end,
        defaults={
            "measured": measured,
            "content": content if seconds >= WORTH_KEEPING_SECONDS else b"",
            "read_at": now,
            "unchanged_at": now,
            "changes": changes,
            "seconds": seconds,
        },
    )
    logger.info("Read everybody's figures of %s to %s in %.1f s.", window.start, window.end, seconds)


def _pause(row: KeptPeopleFigures) -> timedelta:
    return max(SHORTEST_PAUSE, timedelta(seconds=row.seconds / SHARE_OF_TIME))


def _measured() -> str:
    """Another one where figures would be computed from anything else."""
    told = [(key, get(key).version, *sorted(fingerprint(each) for each in get(key).measures)) for key in METRICS]
    return hashlib.sha256(repr((FORMAT, told)).encode()).hexdigest()

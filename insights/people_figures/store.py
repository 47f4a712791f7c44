"""Keeping everybody's figures of the pages' windows ready, in the background, as often as they are worth it.

Of large organisations only: where they are read quickly they are read every time.  How old they may be follows from
how long reading takes, so that a small share of the time goes into it; pages say as of when they are.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from insights import windows
from insights.columns.health import changes_waiting
from insights.metrics.figures import fingerprint
from insights.metrics.query import Window
from insights.metrics.registry import get
from insights.models import KeptPeopleFigures, SnapshotState

logger = logging.getLogger(__name__)

WORTH_KEEPING_SECONDS = 0.1  # beside it a response has other things to do
NOT_WORTH_IT = b""  # what is kept of a window that is read quickly
SHARE_OF_TIME = 0.1  # for all of them together
SHORTEST_PAUSE = timedelta(seconds=60)  # as trailing windows of other pages may lag
PAUSE_OF_QUICK = timedelta(minutes=10)  # an organisation whose figures nobody needs kept grows slowly, but for fills
# The background may be late: figures of this many pauses ago are shown, older ones are read anew.
PAUSES_SHOWN = 3
LOCK = 0x48575046  # of whoever computes them


@dataclass(frozen=True)
class Kind:
    """What is kept of each window; another `version` where it is read or packed in another way."""

    name: str
    version: int
    keys: Sequence[str]  # the metrics that it is made of
    read: Callable[[Window], bytes]

    def measured(self) -> str:
        """Another one where it would be computed from anything else."""
        told = [(key, get(key).version, *sorted(map(fingerprint, get(key).measures))) for key in self.keys]
        return hashlib.sha256(repr((self.version, told)).encode()).hexdigest()


@dataclass(frozen=True)
class Kept:
    content: bytes
    read_at: datetime


# Windows of the pages of which nothing is kept, until when (by the monotonic clock) nobody asks again.
_not_kept: dict[tuple[str, Window], float] = {}


def bring_up_to_date(kinds: Sequence[Kind]) -> int:
    """Read those anew of which it is time; how many.  One process at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return 0
    try:
        asked = _windows_of_pages()
        KeptPeopleFigures.objects.exclude(end__in={window.end for window in asked}).delete()
        rows = {(row.kind, Window(row.start, row.end)): row for row in KeptPeopleFigures.objects.defer("content")}
        pause = _pause(rows.values())
        read = sum(_is_read(kind, window, rows.get((kind.name, window)), pause) for kind in kinds for window in asked)
        _show_until_read_again()
        return read
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])


def kept_of(kind: Kind, window: Window) -> Kept | None:
    """Of the whole organisation; None where it is read quickly, or is not kept as of a short while ago."""
    row = _shown(kind, window, KeptPeopleFigures.objects.all())
    return None if row is None else Kept(bytes(row.content), row.read_at)


def kept_at(kind: Kind, window: Window) -> datetime | None:
    """As of when `kept_of` is, without reading it."""
    row = _shown(kind, window, KeptPeopleFigures.objects.defer("content"))
    return None if row is None else row.read_at


def _shown(kind: Kind, window: Window, rows: QuerySet[KeptPeopleFigures]) -> KeptPeopleFigures | None:
    key = (kind.name, window)
    if window not in _windows_of_pages() or _not_kept.get(key, 0.0) > time.monotonic():
        return None
    of_window = rows.filter(
        kind=kind.name,
        start=window.start,
        end=window.end,
        measured=kind.measured(),
        shown_until__gt=timezone.now(),
    )
    row = of_window.exclude(content=NOT_WORTH_IT).first()
    if row is None:
        _not_kept[key] = time.monotonic() + SHORTEST_PAUSE.total_seconds()
    return row


def _windows_of_pages() -> Sequence[Window]:
    today = windows.local_today()
    return [windows.trailing(weeks, today=today) for weeks in windows.TRAILING_WEEKS]


def look_again() -> None:
    """For what is kept of windows that had nothing a short while ago."""
    _not_kept.clear()


def _is_read(kind: Kind, window: Window, row: KeptPeopleFigures | None, pause: timedelta) -> bool:
    now, measured = timezone.now(), kind.measured()
    state, waits = SnapshotState.current(), changes_waiting()
    if row is not None and row.measured == measured:
        if row.changes == state.changes and not waits:
            KeptPeopleFigures.objects.filter(pk=row.pk).update(shown_until=now + PAUSES_SHOWN * pause)
            return False
        is_filled = state.filled_at is not None and state.filled_at > row.read_at  # as after years were imported
        if now - row.read_at < (pause if is_filled or row.seconds >= WORTH_KEEPING_SECONDS else PAUSE_OF_QUICK):
            return False
    began = time.monotonic()
    content = kind.read(window)
    seconds = time.monotonic() - began
    longer = max(pause, timedelta(seconds=seconds / SHARE_OF_TIME))  # the others are read meanwhile, for minutes
    KeptPeopleFigures.objects.update_or_create(
        kind=kind.name,
        start=window.start,
        end=window.end,
        defaults={
            "measured": measured,
            "content": content if seconds >= WORTH_KEEPING_SECONDS else NOT_WORTH_IT,
            "read_at": now,
            "shown_until": now + PAUSES_SHOWN * longer,
            "changes": state.changes,
            "seconds": seconds,
        },
    )
    logger.debug("Read %s of %s to %s in %.1f s.", kind.name, window.start, window.end, seconds)
    return True


def _pause(rows: Iterable[KeptPeopleFigures]) -> timedelta:
    """How long they are left alone."""
    return max(SHORTEST_PAUSE, timedelta(seconds=sum(row.seconds for row in rows) / SHARE_OF_TIME))


def _show_until_read_again() -> None:
    """How long reading all of them takes may be known only now."""
    until = F("read_at") + PAUSES_SHOWN * _pause(KeptPeopleFigures.objects.defer("content"))
    KeptPeopleFigures.objects.filter(shown_until__lt=until).update(shown_until=until)

"""How far the kept figures are behind what came in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse

from insights import wording
from insights.columns.health import ColumnsHealth
from insights.snapshots.waiting import SnapshotHealth
from insights.tiles import Link

USUAL_LAG = timedelta(minutes=2)  # the long windows may lag a minute, and a busy machine takes its time


@dataclass(frozen=True)
class FiguresLine:
    """The state in a word, and what is behind it; `link` leads an admin to the schedule."""

    tone: str
    icon: str
    state: str
    detail: str
    last: str
    link: Link | None


def figures_line(health: SnapshotHealth, now: datetime, *, for_admin: bool) -> FiguresLine:
    schedule = reverse("admin:django_celery_beat_periodictask_changelist")
    link = Link("Schedule", schedule) if for_admin else None
    last = f"{wording.ago(health.filled_at, now)}" if health.filled_at else ""
    if health.filling_since is not None:
        return FiguresLine("", "refresh", "Being filled", health.progress(now), last, link)
    if health.standing < health.groups or not health.groups:
        return FiguresLine("watch", "alert-triangle", "Not filled yet", _READ_FROM_FACTS, last, link)
    lag = health.lag(now)
    if lag > USUAL_LAG:
        detail = f"{_in_words(lag)} behind what came in. {_READ_FROM_FACTS}"
        return FiguresLine("watch", "alert-triangle", "Behind", detail, last, link)
    detail = "They hold everything that came in" if not lag else f"{_in_words(lag)} behind what came in"
    return FiguresLine("good", "check", "Up to date", detail, last, link)


def columns_line(health: ColumnsHealth, now: datetime, *, for_admin: bool) -> FiguresLine:
    """`last` is when the oldest of the partitions was built."""
    schedule = reverse("admin:django_celery_beat_periodictask_changelist")
    link = Link("Schedule", schedule) if for_admin else None
    last = f"{wording.ago(health.oldest_built_at, now)}" if health.oldest_built_at else ""
    size = f"{health.partitions:,} partitions, {health.bytes / 1e6:,.1f} MB"
    if health.stale_since is None:
        return FiguresLine("good", "check", "Up to date", size, last, link)
    detail = f"{health.stale:,} of {size} are stale, and their days read from the database, which tells the same"
    if now - health.stale_since > USUAL_LAG:
        return FiguresLine("watch", "alert-triangle", "Behind", detail, last, link)
    return FiguresLine("", "refresh", "Being built", detail, last, link)


_READ_FROM_FACTS = "What is not computed yet is read from the facts, which takes longer and tells the same"


def _in_words(time: timedelta) -> str:
    return str(wording.duration(time.total_seconds()))

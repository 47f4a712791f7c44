"""The freshness of the columnar copy that figures are computed from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from insights.columns.health import ColumnsHealth
from insights.ui import wording
from insights.ui.tiles import Link

USUAL_LAG = timedelta(minutes=2)  # usual on a busy machine


def columns_line(health: ColumnsHealth, now: datetime, *, for_admin: bool) -> dict[str, Any]:
    """`last` is when the oldest of the partitions was built."""
    schedule = reverse("admin:django_celery_beat_periodictask_changelist")
    link = Link("Schedule", schedule) if for_admin else None
    last = f"{wording.ago(health.oldest_built_at, now)}" if health.oldest_built_at else ""
    size = f"{health.partitions:,} partitions, {health.bytes / 1e6:,.1f} MB"
    if health.stale_since is None:
        return {"tone": "good", "icon": "check", "state": "Up to date", "detail": size, "last": last, "link": link}
    detail = f"{health.stale:,} of {size} are stale; their days are read from the database, with the same result"
    if now - health.stale_since > USUAL_LAG:
        return {
            "tone": "watch",
            "icon": "alert-triangle",
            "state": "Behind",
            "detail": detail,
            "last": last,
            "link": link,
        }
    return {"tone": "", "icon": "refresh", "state": "Being built", "detail": detail, "last": last, "link": link}

"""Progress of a connection's sync, and its remaining time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Min, Q, Sum
from django.utils import timezone

from integrations.models import Connection, Stream


@dataclass(frozen=True, slots=True)
class Progress:
    """Totals of all picked streams.  `read` and `to_read` count records of the current readings.

    `to_read` and `seconds_left` are None while a provider gives no number, or a stream has not begun.
    """

    streams: int
    waiting: int  # that are due and have not begun
    under_way: int
    failing: int
    read: int
    to_read: int | None
    seconds_left: float | None

    @property
    def is_over(self) -> bool:
        return not self.waiting and not self.under_way


def progress_of(connection: Connection, now: datetime | None = None) -> Progress:
    """The remaining time assumes the pace since the earliest current reading began."""
    now = now or timezone.now()
    picked = Stream.objects.filter(resource__connection=connection, resource__picked=True, resource__gone_at=None)
    under_way = Q(reading_since__isnull=False)
    due = Q(reading_since=None, due_at__lte=now)
    counts = picked.aggregate(
        streams=Count("pk"),
        waiting=Count("pk", filter=due),
        under_way=Count("pk", filter=under_way),
        failing=Count("pk", filter=Q(failures__gt=0)),
        were_read=Sum("read", filter=under_way),
        are_to_be_read=Sum("to_read", filter=under_way),
        unknown=Count("pk", filter=due | (under_way & Q(to_read=None))),
        began=Min("reading_since"),
        left=Sum(F("to_read") - F("read"), filter=under_way),
    )
    read, to_read = counts["were_read"] or 0, counts["are_to_be_read"]
    known = counts["under_way"] and not counts["unknown"]
    seconds_left = None
    if known and read and counts["began"] is not None:
        pace = read / max((now - counts["began"]).total_seconds(), 1.0)
        seconds_left = max(counts["left"], 0) / pace
    return Progress(
        streams=counts["streams"],
        waiting=counts["waiting"],
        under_way=counts["under_way"],
        failing=counts["failing"],
        read=read,
        to_read=to_read if known else None,
        seconds_left=seconds_left,
    )

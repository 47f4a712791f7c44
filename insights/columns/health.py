"""Health of the columnar copy of the facts, for `doctor` and the health page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Max, Min, Q, Sum

from insights.columns.refresh import stale_partitions
from insights.models import ColumnPartition
from integrations.models import FactChange


@dataclass(frozen=True)
class ColumnsHealth:
    """`stale` of the `partitions` are read live until they are rebuilt, the oldest since `stale_since`."""

    partitions: int
    rows: int
    bytes: int
    stale: int
    stale_since: datetime | None
    oldest_built_at: datetime | None
    newest_built_at: datetime | None


def columns_health() -> ColumnsHealth:
    """The current state, in one query; changes that are still in the outbox are not considered."""
    return ColumnsHealth(
        **ColumnPartition.objects.aggregate(
            partitions=Count("pk"),
            rows=Sum("rows", default=0),
            bytes=Sum("bytes", default=0),
            stale=Count("pk", Q(stale_since__isnull=False)),
            stale_since=Min("stale_since"),
            oldest_built_at=Min("built_at"),
            newest_built_at=Max("built_at"),
        )
    )


def changes_waiting() -> int:
    """The number of unprocessed changes of facts, plus stale partitions."""
    return FactChange.objects.count() + stale_partitions().count()

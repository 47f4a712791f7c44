"""Rebuilds stale partitions one by one, each in its own transaction; and the health of the columns, for `doctor`."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django.db import DatabaseError
from django.db.models import Count, Min, Q, QuerySet, Sum

from core import sql
from core.queue import run_one_by_one
from insights.columns.build import END_DAY, FIRST_DAY, build, writer
from insights.columns.shape import copied_relations, shape_of
from insights.columns.stale import mark_by_clock, mark_changed_shapes, take_changes_out
from insights.models import ColumnPartition
from integrations.models import FactChange

if TYPE_CHECKING:
    import duckdb

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 20.0  # per run: the worker has other tasks too, and beat sends the next run within seconds
# While records stream in, partitions of the current days would be rebuilt all the time.  So after a run, its partitions
# rest ten times as long as the run took, at most half a minute; after a quick run, as in a small or idle installation,
# they do not rest.
QUICK_SECONDS, TIMES_AS_LONG, LONGEST_REST = 1.0, 10, 30.0


class Rests:
    """Partitions that this process has just built, and the time until which they are not rebuilt even if stale."""

    def __init__(self) -> None:
        self._until: dict[int, float] = {}

    def resting(self) -> Collection[int]:
        """The ids of the resting partitions."""
        now = time.monotonic()
        self._until = {number: until for number, until in self._until.items() if until > now}
        return list(self._until)

    def begin(self, built: Collection[int], seconds: float) -> None:
        """Let these partitions rest after a run that took `seconds`."""
        if seconds >= QUICK_SECONDS:
            until = time.monotonic() + min(TIMES_AS_LONG * seconds, LONGEST_REST)
            self._until |= dict.fromkeys(built, until)


def refresh(longest_seconds: float = LONGEST_SECONDS, rests: Rests | None = None) -> int:
    """Build stale partitions, the newest first, within the time limit; returns the number built.

    Safe to run concurrently: each process takes different partitions.  Partitions that fail or rest stay stale and are
    read live.
    """
    take_changes_out()
    begin_relations()
    mark_changed_shapes()
    mark_by_clock()
    due = stale_partitions().exclude(pk__in=rests.resting() if rests else ())
    if not due.exists():
        return 0
    from duckdb import Error

    began, built = time.monotonic(), list[int]()
    with writer() as columns:
        number = run_one_by_one(
            due.order_by("-end_day", "stale_since", "pk"),
            partial(_build, columns, built),
            failed=_note_failure,
            errors=(OSError, Error, DatabaseError),
            seconds=longest_seconds,
        )
    if rests:
        rests.begin(built, time.monotonic() - began)
    return number


def begin_relations() -> None:
    """Create one stale partition covering all days for each relation that was never copied."""
    sql.execute(
        """
        INSERT INTO insights_columnpartition
            (relation, first_day, end_day, shape, file_name, rows, bytes, checksum)
        SELECT relation, %s, %s, '', '', 0, 0, ''
        FROM unnest(%s::text[]) AS copied (relation)
        WHERE NOT EXISTS (SELECT FROM insights_columnpartition partition WHERE partition.relation = copied.relation)
        ON CONFLICT DO NOTHING
        """,
        [FIRST_DAY, END_DAY, list(copied_relations())],
    )


def stale_partitions() -> QuerySet[ColumnPartition]:
    return ColumnPartition.objects.filter(relation__in=copied_relations().keys(), stale_since__isnull=False)


def _build(columns: duckdb.DuckDBPyConnection, built: list[int], partition: ColumnPartition) -> None:
    built.append(partition.pk)
    relation = copied_relations()[partition.relation]
    build(columns, relation, shape_of(relation), partition)


def _note_failure(partition: ColumnPartition, problem: Exception) -> None:
    logger.warning("%s could not be written to the columns, and is read live: %s", partition, problem)


@dataclass(frozen=True)
class ColumnsHealth:
    """The health of the columns.  `stale` of the `partitions` are read live until they are rebuilt; the oldest has been
    stale since `stale_since`.
    """

    partitions: int
    rows: int
    bytes: int
    stale: int
    stale_since: datetime | None
    oldest_built_at: datetime | None


def columns_health() -> ColumnsHealth:
    """The current state, in one query; it ignores changes that are still in the outbox."""
    return ColumnsHealth(
        **ColumnPartition.objects.aggregate(
            partitions=Count("pk"),
            rows=Sum("rows", default=0),
            bytes=Sum("bytes", default=0),
            stale=Count("pk", Q(stale_since__isnull=False)),
            stale_since=Min("stale_since"),
            oldest_built_at=Min("built_at"),
        )
    )


def changes_waiting() -> int:
    """The number of unprocessed changes of facts, plus stale partitions."""
    return FactChange.objects.count() + stale_partitions().count()

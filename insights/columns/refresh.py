"""Bringing the columns up to date with the facts: partitions are rewritten one by one, each in its transaction."""

from __future__ import annotations

import logging
import time

import duckdb
from django.db import Error, connection, transaction

from insights.columns.build import END_DAY, FIRST_DAY, build, writer
from insights.columns.shape import copied_relations, shape_of
from insights.columns.stale import mark_changed_shapes, mark_rolled_days
from insights.models import ColumnPartition

logger = logging.getLogger(__name__)

LONGEST_SECONDS = 20.0  # of one round: other tasks wait for the worker, too; beat sends the next within seconds


def refresh(longest_seconds: float = LONGEST_SECONDS) -> int:
    """Build stale partitions, the newest first, as long as that may take; how many were built.

    Several processes may be at it: each takes another partition.  What fails stays stale, and is read live.
    """
    begin_relations()
    mark_changed_shapes()
    mark_rolled_days()
    began, built = time.monotonic(), 0
    failed: set[int] = set()
    with writer() as columns:
        while time.monotonic() - began < longest_seconds and _build_newest(columns, failed):
            built += 1
    return built - len(failed)


def begin_relations() -> None:
    """A relation that was never copied begins as one stale partition of all days."""
    with connection.cursor() as cursor:
        cursor.execute(
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


def _build_newest(columns: duckdb.DuckDBPyConnection, failed: set[int]) -> bool:
    """Whether there was one."""
    relations = copied_relations()
    with transaction.atomic():
        partition = (
            ColumnPartition.objects.select_for_update(skip_locked=True)
            .filter(relation__in=list(relations))
            .exclude(stale_since=None)
            .exclude(pk__in=failed)
            .order_by("-end_day", "stale_since", "pk")
            .first()
        )
        if partition is None:
            return False
        relation = relations[partition.relation]
        shape = shape_of(relation)
        assert shape is not None
        number = partition.pk
        try:
            with transaction.atomic():
                build(columns, relation, shape, partition)
        except (OSError, duckdb.Error, Error) as problem:
            failed.add(number)
            logger.warning("The columns of %s could not be written: %s", partition, problem)
    return True

"""Builds a partition: writes its rows from PostgreSQL to a sorted Parquet file, and records the file in its row."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import uuid4

from django.contrib.postgres.functions import TransactionNow
from django.db import transaction

from core import sql
from insights.columns.folder import checksum_of, folder, leave, open_sandboxed, put_in_place, temporary_file
from insights.columns.rows import copy_rows, has_more_rows, quoted, read_csv
from insights.columns.shape import Shape
from insights.models import ColumnPartition
from insights.query.query import Window
from integrations.facts.relation import STOCK_FROM, Relation

if TYPE_CHECKING:
    import duckdb

# 50,000 rows take a quarter of a second to write, or less than one second where there are many columns.
MOST_ROWS = 50_000
# Rows can be few but expensive: a year's rows may be computed from a hundred times as many.
LONGEST_SECONDS = 20.0
WEEK = timedelta(days=7)
PARTS = 4
# A relation starts as one partition of all days, which is split into four if it has too many rows, down to single
# weeks. The first Monday of Unix time; 4,096 weeks reach to the middle of 2048.  Days outside are read live.
FIRST_DAY = date(1970, 1, 5)
END_DAY = FIRST_DAY + 4096 * WEEK
MEMORY_LIMIT = "256MB"


def writer() -> duckdb.DuckDBPyConnection:
    """A database for builds, to be used in a with statement."""
    return open_sandboxed(MEMORY_LIMIT)


def build(columns: duckdb.DuckDBPyConnection, relation: Relation, shape: Shape, partition: ColumnPartition) -> None:
    """Write the partition's current rows; if they are too many or take too long, replace the partition by smaller,
    stale ones.

    Call this in the transaction that has locked the partition: a change of facts that is not visible here marks the
    partition afterwards.  On OSError and duckdb.Error the partition is unchanged.
    """
    days = Window(partition.first_day, partition.end_day)
    can_be_split = days.days > WEEK.days
    known = shape.known(days, database_today())
    with temporary_file(".csv") as csv, temporary_file(".parquet") as parquet:
        if not can_be_split:
            rows = copy_rows(relation, shape.types, [known], csv)
        elif (copied := _copied(relation, shape, partition, known, csv)) is None:
            _split(partition, days)
            return
        else:
            rows = copied
        if rows:
            day = STOCK_FROM if relation.stock else relation.day
            # Sorted by all columns, so that equal rows make equal files.
            order = dict.fromkeys((day, relation.person, relation.fact, *shape.types))
            columns.execute(
                f"""
                COPY (SELECT * FROM {read_csv(csv, shape.types)} ORDER BY {", ".join(order)})
                TO {quoted(str(parquet))} (FORMAT parquet, COMPRESSION zstd)
                """,
            )
        checksum = checksum_of(parquet) if rows else ""
        # A file with equal content stays, because the cache names answers after the files they were read from.
        if not rows or not partition.file_name or checksum_of(folder() / partition.file_name) != checksum:
            if partition.file_name:
                leave(partition.file_name)
            partition.file_name, partition.bytes, partition.checksum = "", 0, checksum
            if rows:
                partition.file_name = f"{relation.name}-{days.start}-{uuid4().hex[:12]}.parquet"
                partition.bytes = parquet.stat().st_size
                put_in_place(parquet, partition.file_name)
    partition.rows, partition.shape = rows, shape.hash
    partition.built_at, partition.stale_since = TransactionNow(), None
    partition.save()


def _copied(relation: Relation, shape: Shape, partition: ColumnPartition, known: Window, csv: Path) -> int | None:
    """The number of rows copied; None if they are too many or took too long."""
    try:
        with transaction.atomic():
            # Counting is faster than copying if there are far too many rows, as in a new partition.
            if partition.built_at is None and has_more_rows(relation, known, MOST_ROWS, seconds=LONGEST_SECONDS):
                return None
            rows = copy_rows(relation, shape.types, [known], csv, at_most=MOST_ROWS + 1, seconds=LONGEST_SECONDS)
    except sql.TooSlowError:
        return None
    return rows if rows <= MOST_ROWS else None


def database_today() -> date:
    """Today according to the database's clock, which also sets `built_at`."""
    return cast("date", sql.value("SELECT now()::date"))


def _split(partition: ColumnPartition, days: Window) -> None:
    if partition.file_name:
        leave(partition.file_name)
    partition.delete()
    length = timedelta(days=days.days // PARTS)
    ColumnPartition.objects.bulk_create(
        ColumnPartition(
            relation=partition.relation,
            first_day=days.start + part * length,
            end_day=days.start + (part + 1) * length,
            shape=partition.shape,
        )
        for part in range(PARTS)
    )

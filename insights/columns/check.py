"""Compares the columns with PostgreSQL: the file with its checksum, and its rows with the relation's."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from insights.columns.build import writer
from insights.columns.folder import checksum_of, folder, is_whole, temporary_file
from insights.columns.rows import copy_rows, quoted, read_csv
from insights.columns.shape import copied_relations, shape_of
from insights.columns.source import Partitions, one_snapshot
from insights.columns.stale import mark_partitions
from insights.models import ColumnPartition
from insights.query.query import Window
from integrations.facts.relation import STOCK_FROM, Relation

if TYPE_CHECKING:
    import duckdb

logger = logging.getLogger(__name__)
Digest = tuple[int, int | None]
NOTHING: Digest = (0, None)


@dataclass(frozen=True)
class Checked:
    """The number of current partitions that were compared, and a sentence for each difference."""

    compared: int
    partitions: int
    differences: Sequence[str]


def check_columns(longest_seconds: float = float("inf")) -> Checked:
    """Compare partitions with PostgreSQL, the newest first; those that differ become stale and are read live.

    A difference is an error: either facts changed without an entry in the outbox, or the file was modified.
    """
    began, compared, differences = time.monotonic(), 0, []
    numbers = list(
        ColumnPartition.objects.filter(stale_since=None, relation__in=copied_relations().keys())
        .order_by("-end_day", "pk")
        .values_list("pk", flat=True)
    )
    if not numbers:
        return Checked(0, 0, [])
    with writer() as columns:
        for number in numbers:
            if time.monotonic() - began > longest_seconds:
                break
            file = _file_of(number)
            difference = _difference_of(columns, number)
            compared += 1
            if difference and _file_of(number) == file:  # not replaced and removed since it was read
                mark_partitions([number])
                differences.append(difference)
    for difference in differences:
        logger.error("The columns differ from PostgreSQL: %s", difference)
    return Checked(compared, len(numbers), differences)


def _file_of(number: int) -> str | None:
    """The name of the partition's current file; None if the partition is gone."""
    return ColumnPartition.objects.filter(pk=number).values_list("file_name", flat=True).first()


def _difference_of(columns: duckdb.DuckDBPyConnection, number: int) -> str | None:
    """The difference between a partition and the facts, in a sentence; None if there is none, or the partition became
    stale.
    """
    with one_snapshot():
        partition = ColumnPartition.objects.filter(pk=number, stale_since=None).first()
        relation = copied_relations().get(partition.relation) if partition else None
        if partition is None or relation is None:
            return None
        if partition.file_name:
            if not is_whole(partition.file_name, partition.bytes):
                return f"the file of {partition} is missing or cut off."
            if checksum_of(folder() / partition.file_name) != partition.checksum:
                return f"the file of {partition} is damaged."
        built = Partitions.read().of(relation, [Window(partition.first_day, partition.end_day)])
        if not built:
            return None
        of_facts = of_file = NOTHING
        with temporary_file(".csv") as csv:
            types = shape_of(relation).types
            if copy_rows(relation, types, [built[0].days], csv):
                of_facts = _digest(columns, relation, read_csv(csv, types), built[0].days)
    if partition.file_name:
        file = f"read_parquet({quoted(str(folder() / partition.file_name))})"
        of_file = _digest(columns, relation, file, built[0].days)
    if of_file == of_facts:
        return None
    return f"{partition} has {of_file[0]} rows in the columns and {of_facts[0]} in PostgreSQL, or other ones."


def _digest(columns: duckdb.DuckDBPyConnection, relation: Relation, rows: str, days: Window) -> Digest:
    """The number of rows on these days, and a hash of their content that does not depend on their order."""
    names = ", ".join(f'"{name}"' for name in shape_of(relation).types)
    day = STOCK_FROM if relation.stock else relation.day
    row = columns.execute(
        f"SELECT count(*), sum(hash({names})) FROM {rows} WHERE {day} >= ? AND {day} < ?", list(days)
    ).fetchone()
    return row or NOTHING

"""Marks partitions as stale.

Every change of facts appends its days to the outbox (integrations/outbox/fact_changes.py) in the same transaction.
While a change is in the outbox, the partitions that it touches count as stale (insights/columns/source.py checks this);
taking it out marks them in the same transaction.  So a partition is stale from the moment a change becomes visible
until its rows are read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, LiteralString

from core import sql
from core.queue import drain
from insights.catalogue.declarations import Metric
from insights.columns.folder import checksum_of, folder, is_whole
from insights.columns.shape import copied_relations, families_of, relations_of, shape_of
from insights.models import ColumnPartition
from insights.query.query import Window
from integrations.models import FactFamily
from integrations.outbox.fact_changes import Change, take_changes


def take_changes_out() -> int:
    """Empty the outbox of fact changes, and mark the partitions that they touch; returns the number of changes.

    Each change is taken exactly once, in the transaction that marks; concurrent processes take other changes.
    """

    def step() -> int:
        changes = take_changes()
        _mark_changed(changes)
        return len(changes)

    return drain(step)


def _mark_changed(changes: Sequence[Change]) -> None:
    """Mark the partitions that these changes touch, in the transaction that takes the changes out of the outbox.

    They are stale from the oldest change on.  This waits for partitions that are being built: their rows may have been
    read before the change.
    """
    relations: dict[FactFamily, list[str]] = defaultdict(list)
    for name, relation in copied_relations().items():
        for family in families_of(relation):
            relations[family].append(name)
    touched = [
        (name, change.day_from, change.day_to, change.at) for change in changes for name in relations[change.family]
    ]
    if not touched:
        return
    sql.execute(
        """
        WITH touched AS (
            SELECT relation, range_agg(daterange(starts, ends)) AS days, least(min(at), now()) AS since
            FROM unnest(%s::text[], %s::date[], %s::date[], %s::timestamptz[]) AS t (relation, starts, ends, at)
            GROUP BY relation
        ), locked AS (
            -- In a fixed order, to avoid deadlocks.
            SELECT partition.id, touched.since
            FROM insights_columnpartition partition
            JOIN touched ON touched.relation = partition.relation
             AND touched.days && daterange(partition.first_day, partition.end_day)
            ORDER BY partition.id
            FOR NO KEY UPDATE OF partition
        )
        UPDATE insights_columnpartition partition
        SET stale_since = least(partition.stale_since, locked.since)
        FROM locked WHERE locked.id = partition.id
        """,
        [list(column) for column in zip(*touched, strict=True)],
    )


def mark_changed_shapes() -> None:
    """Mark the partitions of relations whose SQL or columns changed since the build; delete those whose relation is
    gone.
    """
    shapes = {name: shape_of(relation).hash for name, relation in copied_relations().items()}
    _mark(
        "EXISTS (SELECT FROM unnest(%s::text[], %s::text[]) AS now (relation, shape)"
        " WHERE now.relation = partition.relation AND now.shape <> partition.shape)",
        [list(shapes), list(shapes.values())],
    )
    ColumnPartition.objects.exclude(relation__in=shapes).delete()


def mark_by_clock() -> None:
    """Mark partitions that became stale because time passed.

    In relations without known future days, these are the partitions with days that have elapsed since the build; in all
    relations, those built in the future (the clock was set back).
    """
    known = {
        name: shape.known_days
        for name, relation in copied_relations().items()
        if (shape := shape_of(relation)).known_days is not None
    }
    _mark(
        "built_at > now() OR built_at::date < now()::date"
        " AND EXISTS (SELECT FROM unnest(%s::text[], %s::int[]) AS known (relation, days)"
        " WHERE known.relation = partition.relation"
        " AND end_day > built_at::date + known.days AND first_day < now()::date + known.days)",
        [list(known), list(known.values())],
    )


def mark_broken() -> int:
    """Mark partitions whose file is missing or truncated; returns their number."""
    named = ColumnPartition.objects.filter(stale_since=None).exclude(file_name="")
    files = named.values_list("pk", "file_name", "bytes").iterator()
    return mark_partitions([number for number, name, size in files if not is_whole(name, size)])


def mark_damaged() -> int:
    """Mark partitions whose file does not match its checksum; returns their number.  Reads all files."""
    named = ColumnPartition.objects.filter(stale_since=None).exclude(file_name="")
    files = named.values_list("pk", "file_name", "checksum").iterator()
    return mark_partitions([number for number, name, checksum in files if checksum_of(folder() / name) != checksum])


def mark_partitions(numbers: Collection[int]) -> int:
    """Mark partitions by id; returns how many of them were current."""
    return _mark("id = ANY(%s)", [list(numbers)])


def mark_for_recompute(only: Collection[Metric], days: Window | None) -> int:
    """Mark these metrics' partitions (empty: all metrics) on any of these days (None: all days); returns their
    number.
    """
    relations = list(relations_of(only) if only else copied_relations())
    start, end = days or (date.min, date.max)
    return _mark("relation = ANY(%s) AND first_day < %s AND end_day > %s", [relations, end, start])


def _mark(condition: LiteralString, parameters: Sequence[Any]) -> int:
    """Mark partitions that are not stale yet.  Skips locked ones, which are being built or marked by another
    process.
    """
    return sql.execute(
        f"""
        UPDATE insights_columnpartition
        SET stale_since = now()
        WHERE id IN (
            SELECT id FROM insights_columnpartition partition
            WHERE stale_since IS NULL AND ({condition})
            FOR NO KEY UPDATE SKIP LOCKED
        )
        """,
        parameters,
    )

"""Which partitions are not true any more.

Whoever changes facts appends their days to the outbox (integrations/outbox/fact_changes.py) in the same transaction.
While a change stands there, the partitions that it touches are stale (insights/columns/source.py looks); whoever
takes it out marks them, in the transaction that takes it.  So a partition is stale from the moment at which a
change can be seen until its rows are read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any, LiteralString

from django.db import connection, transaction

from insights.columns.folder import checksum_of, folder, is_whole
from insights.columns.shape import copied_relations, families_of, shape_of
from insights.models import ColumnPartition
from insights.query.query import Window
from integrations.models import FactFamily
from integrations.outbox.fact_changes import Change, take_changes


def take_changes_out() -> int:
    """Empty the outbox of facts, and mark the partitions with any of the changed days; how many changes there were.

    Each change is taken exactly once, in the transaction that marks; processes at it at the same time take others.
    """
    taken = 0
    while True:
        with transaction.atomic():
            changes = take_changes()
            if not changes:
                return taken
            _mark_changed(changes)
        taken += len(changes)


def _mark_changed(changes: Sequence[Change]) -> None:
    """In the transaction that takes these changes out of the outbox.

    They are stale since the oldest of the changes.  A partition that is being built is waited for: it may have been
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
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH touched AS (
                SELECT relation, range_agg(daterange(starts, ends)) AS days, least(min(at), now()) AS since
                FROM unnest(%s::text[], %s::date[], %s::date[], %s::timestamptz[]) AS t (relation, starts, ends, at)
                GROUP BY relation
            ), locked AS (
                -- In one order, so that two that mark never wait for each other.
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
    """Partitions of relations whose SQL or columns are others than when they were built; those of none at all go."""
    shapes = {name: shape_of(relation).hash for name, relation in copied_relations().items()}
    _mark(
        "EXISTS (SELECT FROM unnest(%s::text[], %s::text[]) AS now (relation, shape)"
        " WHERE now.relation = partition.relation AND now.shape <> partition.shape)",
        [list(shapes), list(shapes.values())],
    )
    ColumnPartition.objects.exclude(relation__in=shapes).delete()


def mark_by_clock() -> None:
    """Partitions that time alone made untrue.

    Of relations of which the days to come are not known: those of which days have come since they were built.  Of all:
    those built in the future, by a clock that was put back since.
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
    """Partitions whose file is missing or was cut off; how many there were."""
    named = ColumnPartition.objects.filter(stale_since=None).exclude(file_name="")
    files = named.values_list("pk", "file_name", "bytes").iterator()
    return mark_partitions([number for number, name, size in files if not is_whole(name, size)])


def mark_damaged() -> int:
    """Partitions whose file is not what was written; how many there were.  It reads all files."""
    named = ColumnPartition.objects.filter(stale_since=None).exclude(file_name="")
    files = named.values_list("pk", "file_name", "checksum").iterator()
    return mark_partitions([number for number, name, checksum in files if checksum_of(folder() / name) != checksum])


def mark_partitions(numbers: Collection[int]) -> int:
    """Partitions by id; how many of them were true."""
    return _mark("id = ANY(%s)", [list(numbers)])


def mark_days(relations: Collection[str], days: Window) -> int:
    """Partitions of these relations with any of these days, whatever is known of them; how many there were."""
    return _mark("relation = ANY(%s) AND first_day < %s AND end_day > %s", [list(relations), days.end, days.start])


def _mark(condition: LiteralString, parameters: Sequence[Any]) -> int:
    """Those that are not stale.  One that is locked is being built, or marked by another: nobody waits for it."""
    with connection.cursor() as cursor:
        cursor.execute(
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
        return int(cursor.rowcount)

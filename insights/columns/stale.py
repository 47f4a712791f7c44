"""Which partitions are not true any more.

Whoever changes facts appends their days to the outbox in the same transaction (integrations/facts/changes.py).  While a
change stands there, the partitions that it touches are stale (insights/columns/source.py looks); whoever takes it out
marks them, in the transaction that takes it.  So a partition is stale from the moment at which a change can be seen
until its rows are read again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from django.db import connection

from insights.columns.shape import copied_relations, families_of, shape_of
from integrations.facts.changes import Change
from integrations.models import FactFamily


def mark_stale(changes: Sequence[Change]) -> None:
    """In the transaction that takes these changes out of the outbox.

    A partition that is being built is waited for: it may have been read before the change.
    """
    relations: dict[FactFamily, list[str]] = defaultdict(list)
    for name, relation in copied_relations().items():
        for family in families_of(relation):
            relations[family].append(name)
    touched = [(name, change.day_from, change.day_to) for change in changes for name in relations[change.family]]
    if not touched:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH touched AS (
                SELECT relation, range_agg(daterange(starts, ends)) AS days
                FROM unnest(%s::text[], %s::date[], %s::date[]) AS t (relation, starts, ends)
                GROUP BY relation
            ), locked AS (
                -- In one order, so that two that mark never wait for each other.
                SELECT partition.id
                FROM insights_columnpartition partition
                JOIN touched ON touched.relation = partition.relation
                 AND touched.days && daterange(partition.first_day, partition.end_day)
                ORDER BY partition.id
                FOR NO KEY UPDATE OF partition
            )
            UPDATE insights_columnpartition
            SET stale_since = coalesce(stale_since, now())
            WHERE id IN (SELECT id FROM locked)
            """,
            [list(column) for column in zip(*touched, strict=True)],
        )


def mark_changed_shapes() -> None:
    """Partitions of relations whose SQL or columns are others than when they were built, and of none at all."""
    shapes = {name: shape for name, relation in copied_relations().items() if (shape := shape_of(relation))}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE insights_columnpartition partition
            SET stale_since = coalesce(stale_since, now()), shape = now.shape
            FROM unnest(%s::text[], %s::text[]) AS now (relation, shape)
            WHERE partition.relation = now.relation AND partition.shape <> now.shape
            """,
            [list(shapes), [shape.hash for shape in shapes.values()]],
        )
        cursor.execute("DELETE FROM insights_columnpartition WHERE relation <> ALL(%s)", [list(shapes)])


def mark_rolled_days() -> None:
    """Partitions of relations that know the clock, of which days have come since they were built."""
    names = [name for name, relation in copied_relations().items() if (shape := shape_of(relation)) and shape.knows_clock]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE insights_columnpartition
            SET stale_since = now()
            WHERE relation = ANY(%s) AND stale_since IS NULL AND end_day > built_at::date
              AND first_day < now()::date AND built_at::date < now()::date
            """,
            [names],
        )


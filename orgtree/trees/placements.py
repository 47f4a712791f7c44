"""Placements: the flat relation (person, unit, days) that the metric engine joins.

A row derives from a membership, the placements of its unit and the person's employment.  Code that changes any of
these calls `rebuild_placements` in the same transaction, which writes only the difference to the stored rows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction

from core import sql
from orgtree.models import OrgTree, Unit
from orgtree.trees.unit_placements import rebuild_unit_placements

# Beyond this number of moved people, stale statistics would mislead the planner until autovacuum runs.
MANY_PEOPLE = 500

_TARGET_TABLES = (
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS placement_target (
        tree_id bigint, person_id bigint, unit_id bigint, ancestor_id bigint, during daterange
    ) ON COMMIT DELETE ROWS
    """,
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS placement_difference (
        ancestor_id bigint, person_id bigint, during daterange, is_new boolean
    ) ON COMMIT DELETE ROWS
    """,
    "TRUNCATE placement_target, placement_difference",
)

_FILL_TARGET = """
    INSERT INTO placement_target
    WITH ancestry AS MATERIALIZED (
        SELECT unit_id, ancestor_id, range_agg(during) AS days FROM orgtree_unitplacement
        WHERE tree_id = ANY(%(trees)s::bigint[])
        GROUP BY unit_id, ancestor_id
    ), presence AS MATERIALIZED (
        SELECT person_id, range_agg(during) AS days FROM orgtree_employment
        WHERE %(people)s::bigint[] IS NULL OR person_id = ANY(%(people)s::bigint[])
        GROUP BY person_id
    ), member AS MATERIALIZED (
        SELECT member.tree_id, member.person_id, member.unit_id,
            range_agg(member.during) * coalesce(presence.days, '{(,)}') AS days
        FROM orgtree_membership member LEFT JOIN presence USING (person_id)
        WHERE member.tree_id = ANY(%(trees)s::bigint[])
          AND (%(people)s::bigint[] IS NULL OR member.person_id = ANY(%(people)s::bigint[]))
        GROUP BY member.tree_id, member.person_id, member.unit_id, presence.days
    )
    SELECT member.tree_id, member.person_id, member.unit_id, ancestry.ancestor_id,
        unnest(member.days * ancestry.days)
    FROM member JOIN ancestry USING (unit_id)
"""

_REMOVE = """
    WITH surplus AS (
        DELETE FROM orgtree_placement stored
        WHERE stored.tree_id = ANY(%(trees)s::bigint[])
          AND (%(people)s::bigint[] IS NULL OR stored.person_id = ANY(%(people)s::bigint[]))
          AND NOT EXISTS (
            SELECT FROM placement_target target
            WHERE (target.person_id, target.tree_id, target.unit_id, target.ancestor_id, target.during)
                = (stored.person_id, stored.tree_id, stored.unit_id, stored.ancestor_id, stored.during)
          )
        RETURNING ancestor_id, person_id, during
    )
    INSERT INTO placement_difference SELECT ancestor_id, person_id, during, false FROM surplus
"""

# EXCEPT reads the stored rows once, before the first insert.  On an empty table the planner runs NOT EXISTS as one scan
# per row while the table grows: the first 10,000 people took more than a minute.
_ADD = """
    WITH missing AS (
        INSERT INTO orgtree_placement (tree_id, person_id, unit_id, ancestor_id, during)
        SELECT tree_id, person_id, unit_id, ancestor_id, during FROM placement_target
        EXCEPT
        SELECT tree_id, person_id, unit_id, ancestor_id, during FROM orgtree_placement
        WHERE tree_id = ANY(%(trees)s::bigint[])
          AND (%(people)s::bigint[] IS NULL OR person_id = ANY(%(people)s::bigint[]))
        RETURNING ancestor_id, person_id, during
    )
    INSERT INTO placement_difference SELECT ancestor_id, person_id, during, true FROM missing
"""

# Unchanged rows can be ignored: rows of one person and ancestor never overlap, so comparing removed and added rows is
# enough.
_CHANGED_UNITS = """
    SELECT DISTINCT ancestor_id
    FROM (
        SELECT ancestor_id,
            coalesce(range_agg(during) FILTER (WHERE NOT is_new), '{}') AS before,
            coalesce(range_agg(during) FILTER (WHERE is_new), '{}') AS after
        FROM placement_difference GROUP BY ancestor_id, person_id
    ) AS of_person
    WHERE before <> after
"""

# Equal digests are equal people on equal days: a person's ranges are merged, and in the order of ids.
_DIGEST = """
    WITH of_person AS (
        SELECT ancestor_id, person_id, range_agg(during) AS days FROM orgtree_placement
        WHERE ancestor_id = ANY(%(units)s::bigint[])
        GROUP BY ancestor_id, person_id
    ), known AS (
        SELECT ancestor_id, encode(sha256(convert_to(
            string_agg(person_id || days::text, ' ' ORDER BY person_id), 'UTF8')), 'hex') AS digest,
            count(*) AS people
        FROM of_person GROUP BY ancestor_id
    ), gone AS (
        DELETE FROM orgtree_unitpeople
        WHERE unit_id = ANY(%(units)s::bigint[]) AND unit_id NOT IN (SELECT ancestor_id FROM known)
    )
    INSERT INTO orgtree_unitpeople (unit_id, digest, people) SELECT ancestor_id, digest, people FROM known
    ON CONFLICT (unit_id) DO UPDATE SET digest = excluded.digest, people = excluded.people
"""

_STRAY = """
    SELECT count(*) FROM (
        SELECT tree_id, person_id, unit_id, ancestor_id FROM orgtree_placement
        UNION ALL
        SELECT tree_id, NULL, unit_id, ancestor_id FROM orgtree_unitplacement
    ) AS placement
    LEFT JOIN orgtree_person person ON person.id = placement.person_id
    LEFT JOIN orgtree_unit unit ON unit.id = placement.unit_id AND unit.tree_id = placement.tree_id
    LEFT JOIN orgtree_unit ancestor ON ancestor.id = placement.ancestor_id AND ancestor.tree_id = placement.tree_id
    WHERE (placement.person_id IS NOT NULL AND person.id IS NULL) OR unit.id IS NULL OR ancestor.id IS NULL
"""


_WITHIN = """
    SELECT EXISTS (
        SELECT FROM orgtree_placement WHERE ancestor_id = %(unit)s AND during && daterange(%(start)s, %(end)s)
    ) AND NOT EXISTS (
        SELECT FROM orgtree_placement place
        WHERE place.ancestor_id = %(unit)s AND place.during && daterange(%(start)s, %(end)s)
          AND NOT place.during * daterange(%(start)s, %(end)s) <@ coalesce((
              SELECT range_agg(during) FROM orgtree_placement
              WHERE person_id = place.person_id AND ancestor_id = ANY(%(others)s)
          ), '{}')
    )
"""


@dataclass(frozen=True)
class Rebuilt:
    """People whose placements changed, and units whose people changed."""

    person_ids: frozenset[int] = frozenset()
    unit_ids: frozenset[int] = frozenset()


def stray_placements() -> int:
    """Number of rows that reference a missing tree, person or unit; should be 0, there are no foreign keys."""
    return int(sql.value(_STRAY))


def is_within(unit_id: int, others: Collection[int], start: date, end: date) -> bool:
    """Whether everybody in the unit from `start` to the day before `end` was in one of the others on the same days."""
    return bool(sql.value(_WITHIN, {"unit": unit_id, "others": [*others], "start": start, "end": end}))


def rebuild_placements(
    *, person_ids: Collection[int] | None = None, tree_ids: Collection[int] | None = None
) -> Rebuilt:
    """Rebuild the placements of these people in these trees (None: everybody, and the units' placements too)."""
    if person_ids is not None and not person_ids:
        return Rebuilt()
    with transaction.atomic(), connection.cursor() as cursor:
        # Concurrent rebuilds of a tree would insert the same rows; lock in a fixed order.
        trees = OrgTree.objects.select_for_update(no_key=True).order_by("pk")
        if tree_ids is not None:
            trees = trees.filter(pk__in=tree_ids)
        locked = list(trees.values_list("pk", flat=True))
        limits = {"trees": locked, "people": None if person_ids is None else sorted(set(person_ids))}
        if person_ids is None:
            rebuild_unit_placements(locked)
        for statement in _TARGET_TABLES:
            cursor.execute(statement)
        cursor.execute(_FILL_TARGET, limits)
        cursor.execute("ANALYZE placement_target")
        for statement in (_REMOVE, _ADD):
            cursor.execute(statement, limits)
        cursor.execute("ANALYZE placement_difference")
        cursor.execute(_CHANGED_UNITS)
        changed_units = frozenset(unit_id for (unit_id,) in cursor.fetchall())
        digested = set(changed_units)
        if person_ids is None:
            digested |= set(Unit.objects.filter(tree__in=locked).values_list("pk", flat=True))
        cursor.execute(_DIGEST, {"units": sorted(digested)})
        cursor.execute("SELECT DISTINCT person_id FROM placement_difference")
        moved_people = frozenset(person_id for (person_id,) in cursor.fetchall())
        if len(moved_people) > MANY_PEOPLE:
            cursor.execute("ANALYZE orgtree_placement")
    return Rebuilt(moved_people, changed_units)

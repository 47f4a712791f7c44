"""Unit placements: the flat relation (unit, ancestor, days).

A row derives from the places of a unit and of its ancestors.  Code that changes places calls `rebuild_unit_placements`
(usually through `rebuild_placements`) in the same transaction; only differences are written.
"""

from __future__ import annotations

from collections.abc import Sequence

from core import sql
from orgtree.organisation.people_version import raise_people_version_on_commit

# Beyond this number of rows, stale statistics would mislead the planner until autovacuum runs.
MANY_ROWS = 500

_TARGET_TABLES = (
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS unit_placement_target (
        tree_id bigint, unit_id bigint, ancestor_id bigint, during daterange
    ) ON COMMIT DELETE ROWS
    """,
    "TRUNCATE unit_placement_target",
)

# One row of `descent`: the unit is the ancestor or a descendant of it on these days.  UNION ends the recursion even for
# a cycle; the services prevent cycles.
_FILL_TARGET = """
    INSERT INTO unit_placement_target
    WITH RECURSIVE place AS MATERIALIZED (
        SELECT unit.tree_id, place.unit_id, place.parent_id, place.during
        FROM orgtree_unitplace place JOIN orgtree_unit unit ON unit.id = place.unit_id
        WHERE unit.tree_id = ANY(%(trees)s::bigint[])
    ), descent AS (
        SELECT tree_id, unit_id, unit_id AS ancestor_id, parent_id, during FROM place
        UNION
        SELECT below.tree_id, below.unit_id, above.unit_id, above.parent_id, below.during * above.during
        FROM descent below JOIN place above ON above.unit_id = below.parent_id AND above.during && below.during
    )
    SELECT tree_id, unit_id, ancestor_id, unnest(range_agg(during))
    FROM descent GROUP BY tree_id, unit_id, ancestor_id
"""

_REMOVE = """
    DELETE FROM orgtree_unitplacement stored
    WHERE stored.tree_id = ANY(%(trees)s::bigint[])
      AND NOT EXISTS (
        SELECT FROM unit_placement_target target
        WHERE (target.unit_id, target.ancestor_id, target.tree_id, target.during)
            = (stored.unit_id, stored.ancestor_id, stored.tree_id, stored.during)
      )
"""

_ADD = """
    INSERT INTO orgtree_unitplacement (tree_id, unit_id, ancestor_id, during)
    SELECT tree_id, unit_id, ancestor_id, during FROM unit_placement_target
    EXCEPT
    SELECT tree_id, unit_id, ancestor_id, during FROM orgtree_unitplacement
    WHERE tree_id = ANY(%(trees)s::bigint[])
"""


def rebuild_unit_placements(tree_ids: Sequence[int]) -> None:
    """Rebuild the unit placements of these trees.  Requires a transaction that holds the trees' locks.

    If one changes, so does the version of people: group sizes are compared along the tree.
    """
    for statement in _TARGET_TABLES:
        sql.execute(statement)
    sql.execute(_FILL_TARGET, {"trees": list(tree_ids)})
    sql.execute("ANALYZE unit_placement_target")
    written = 0
    for statement in (_REMOVE, _ADD):
        written += sql.execute(statement, {"trees": list(tree_ids)})
    if written > MANY_ROWS:
        sql.execute("ANALYZE orgtree_unitplacement")
    if written:
        raise_people_version_on_commit()

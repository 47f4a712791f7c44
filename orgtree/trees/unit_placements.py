"""Unit placements: the flat relation of which unit stands below which on which days.

A row follows from the places of a unit and of those above it.  Whatever changes places calls `rebuild_unit_placements`
(mostly through `rebuild_placements`, which does) in the same transaction; only differences are written.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

# After so many rows, statistics of before would mislead the planner until they are gathered by themselves.
MANY_ROWS = 500

_FRESH_TABLES = (
    """
    CREATE TEMPORARY TABLE IF NOT EXISTS unit_placement_wanted (
        tree_id bigint, unit_id bigint, ancestor_id bigint, during daterange
    ) ON COMMIT DELETE ROWS
    """,
    "TRUNCATE unit_placement_wanted",
)

# One row of `standing`: the unit stands below the ancestor (or is it) on these days.  UNION, because a tree that went
# in a circle would otherwise never end; the services let none arise.
_WANT = """
    INSERT INTO unit_placement_wanted
    WITH RECURSIVE place AS MATERIALIZED (
        SELECT unit.tree_id, place.unit_id, place.parent_id, place.during
        FROM orgtree_unitplace place JOIN orgtree_unit unit ON unit.id = place.unit_id
        WHERE unit.tree_id = ANY(%(trees)s::bigint[])
    ), standing AS (
        SELECT tree_id, unit_id, unit_id AS ancestor_id, parent_id, during FROM place
        UNION
        SELECT below.tree_id, below.unit_id, above.unit_id, above.parent_id, below.during * above.during
        FROM standing below JOIN place above ON above.unit_id = below.parent_id AND above.during && below.during
    )
    SELECT tree_id, unit_id, ancestor_id, unnest(range_agg(during))
    FROM standing GROUP BY tree_id, unit_id, ancestor_id
"""

_REMOVE = """
    DELETE FROM orgtree_unitplacement stored
    WHERE stored.tree_id = ANY(%(trees)s::bigint[])
      AND NOT EXISTS (
        SELECT FROM unit_placement_wanted wanted
        WHERE (wanted.unit_id, wanted.ancestor_id, wanted.tree_id, wanted.during)
            = (stored.unit_id, stored.ancestor_id, stored.tree_id, stored.during)
      )
"""

_ADD = """
    INSERT INTO orgtree_unitplacement (tree_id, unit_id, ancestor_id, during)
    SELECT tree_id, unit_id, ancestor_id, during FROM unit_placement_wanted
    EXCEPT
    SELECT tree_id, unit_id, ancestor_id, during FROM orgtree_unitplacement
    WHERE tree_id = ANY(%(trees)s::bigint[])
"""


def rebuild_unit_placements(tree_ids: Sequence[int]) -> None:
    """Bring the unit placements of these trees in step, in a transaction that holds the trees' locks."""
    with connection.cursor() as cursor:
        for statement in _FRESH_TABLES:
            cursor.execute(statement)
        cursor.execute(_WANT, {"trees": list(tree_ids)})
        cursor.execute("ANALYZE unit_placement_wanted")
        written = 0
        for statement in (_REMOVE, _ADD):
            cursor.execute(statement, {"trees": list(tree_ids)})
            written += cursor.rowcount
        if written > MANY_ROWS:
            cursor.execute("ANALYZE orgtree_unitplacement")

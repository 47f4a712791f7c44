"""Unit placements: the flat relation of which unit stands below which on which days, and who hears of a difference.

A row follows from the places of a unit and of those above it.  Whatever changes places calls `rebuild_unit_placements`
(mostly through `rebuild_placements`, which does) in the same transaction; only differences are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

UnitPlacementListener = Callable[[Sequence["UnitPlacementDifference"]], None]
_listeners: list[UnitPlacementListener] = []

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

_STORE = """
    WITH surplus AS (
        DELETE FROM orgtree_unitplacement stored
        WHERE stored.tree_id = ANY(%(trees)s::bigint[])
          AND NOT EXISTS (
            SELECT FROM unit_placement_wanted wanted
            WHERE (wanted.unit_id, wanted.ancestor_id, wanted.tree_id, wanted.during)
                = (stored.unit_id, stored.ancestor_id, stored.tree_id, stored.during)
          )
        RETURNING unit_id, ancestor_id, during
    ), missing AS (
        INSERT INTO orgtree_unitplacement (tree_id, unit_id, ancestor_id, during)
        SELECT tree_id, unit_id, ancestor_id, during FROM unit_placement_wanted
        EXCEPT
        SELECT tree_id, unit_id, ancestor_id, during FROM orgtree_unitplacement
        WHERE tree_id = ANY(%(trees)s::bigint[])
        RETURNING unit_id, ancestor_id, during
    ), differing AS (
        SELECT unit_id, ancestor_id, range_agg(during) FILTER (WHERE NOT is_new) AS before,
            range_agg(during) FILTER (WHERE is_new) AS after
        FROM (SELECT *, false AS is_new FROM surplus UNION ALL SELECT *, true FROM missing) AS written
        GROUP BY unit_id, ancestor_id
    )
    SELECT unit_id, ancestor_id, lower(days), upper(days)
    FROM (
        SELECT unit_id, ancestor_id,
            unnest((coalesce(before, '{}') - coalesce(after, '{}')) + (coalesce(after, '{}') - coalesce(before, '{}')))
        FROM differing
    ) AS stretch (unit_id, ancestor_id, days)
"""


@dataclass(frozen=True, slots=True)
class UnitPlacementDifference:
    """On days [day_from, day_to) the unit stands below the ancestor (or is it) and did not before, or the reverse.

    None: since ever, for ever.
    """

    unit_id: int
    ancestor_id: int
    day_from: date | None
    day_to: date | None


def on_unit_placements_changed(listener: UnitPlacementListener) -> None:
    """Register, at start-up, who must know which units stand elsewhere; called inside the transaction of the change.

    For what people count for, PlacementChange rows are written already; this is for what units have besides people.
    """
    if listener not in _listeners:
        _listeners.append(listener)


def rebuild_unit_placements(tree_ids: Sequence[int]) -> None:
    """Bring the unit placements of these trees in step, in a transaction that holds the trees' locks."""
    with connection.cursor() as cursor:
        for statement in _FRESH_TABLES:
            cursor.execute(statement)
        cursor.execute(_WANT, {"trees": list(tree_ids)})
        cursor.execute("ANALYZE unit_placement_wanted")
        cursor.execute(_STORE, {"trees": list(tree_ids)})
        differences = [UnitPlacementDifference(*row) for row in cursor.fetchall()]
        if len(differences) > MANY_ROWS:
            cursor.execute("ANALYZE orgtree_unitplacement")
    if differences:
        for listener in _listeners:
            listener(differences)

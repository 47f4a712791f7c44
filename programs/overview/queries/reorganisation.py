"""People who changed units; joiners, leavers and a tree's first import do not count."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from insights.query.query import Window

NOBODY = "No people of an Org Tree are in scope."


@dataclass(frozen=True)
class Reorganisation:
    """Of the people who were in a unit (or its whole tree) on any day of the window, those who changed units in it."""

    people: int
    moved: int

    @property
    def share(self) -> float | None:
        """0–100; None where nobody is there."""
        return self.moved / self.people * 100 if self.people else None

    @property
    def reason(self) -> str:
        """Why there is no share."""
        return "" if self.people else NOBODY


def reorganisation(unit: str | None, window: Window) -> Reorganisation:
    """Of the unit with that slug and all below it; without one of the first Org Tree in use."""
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, {"unit": unit, "from": window.start, "to": window.end})
        people, moved = cursor.fetchone()
    return Reorganisation(people, moved)


# Whoever left one unit and was in another one of the same tree from that day on: both days are one in the ranges.
_MOVED = """
    WITH members AS (
        SELECT DISTINCT placement.person_id, placement.tree_id
        FROM orgtree_placement placement
        WHERE placement.during && daterange(%(from)s, %(to)s)
          AND CASE WHEN %(unit)s::text IS NULL
                   THEN placement.tree_id = (
                       SELECT id FROM orgtree_orgtree WHERE archived_at IS NULL ORDER BY created_at, id LIMIT 1
                   )
                   ELSE placement.ancestor_id = (SELECT id FROM orgtree_unit WHERE slug = %(unit)s) END
    )
    SELECT count(*), count(*) FILTER (WHERE EXISTS (
        SELECT FROM orgtree_membership before
        JOIN orgtree_membership after
            ON after.tree_id = before.tree_id AND after.person_id = before.person_id
               AND lower(after.during) = upper(before.during) AND after.unit_id <> before.unit_id
        WHERE before.person_id = members.person_id AND before.tree_id = members.tree_id
          AND upper(before.during) > %(from)s AND upper(before.during) < %(to)s
    ))
    FROM members
"""

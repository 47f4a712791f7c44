"""A unit's neighbourhood on a day: its path and children, and the roots of all trees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from core import sql
from orgtree.models import Unit
from orgtree.models.visibility import Visibility


@dataclass(frozen=True)
class TreeUnit:
    """A unit in its tree."""

    pk: int
    slug: str
    name: str
    tree_slug: str
    tree_name: str
    digest: str = ""  # equal for units of the same people; empty where that was not read


@dataclass(frozen=True)
class Surroundings:
    """The visible part of a unit's neighbourhood.

    `tops`: the topmost units of each tree.  `path`: from the topmost unit down to the requested one; only that one if
    it has no place on the day.  `children`: its direct children.  `is_root`: whether it has no parent.  `people`:
    today's number of people in each of `tops` including descendants, and (None) in the organisation; empty if not
    counted.
    """

    tops: Sequence[TreeUnit]
    path: Sequence[TreeUnit]
    children: Sequence[TreeUnit]
    is_root: bool
    people: Mapping[int | None, int]

    @property
    def unit(self) -> TreeUnit | None:
        return self.path[-1] if self.path else None


def surroundings(
    slug: str | None, visibility: Visibility, *, on: date, today: date, counted: bool = False
) -> Surroundings:
    """The neighbourhood of the unit `slug` (None: only tops) on day `on`; tops and their people as of `today`."""
    units: dict[str, list[TreeUnit]] = defaultdict(list)
    people: dict[int | None, int] = {}
    for role, pk, *words, number in sql.rows(
        _SURROUNDINGS,
        {
            "slug": slug,
            "everything": visibility.unit_ids is None,
            "seen": sorted(visibility.unit_ids or ()),
            "on": on,
            "today": today,
            "counted": counted,
        },
    ):
        if number is not None:
            people[pk] = number
        if pk is not None:
            units[role].append(TreeUnit(pk, *words))
    return Surroundings(
        tops=units["top"],
        path=[unit for unit in units["path"] if visibility.can_see(unit.pk)],
        children=[unit for unit in units["child"] if visibility.can_see(unit.pk)],
        is_root=bool(units["root"]),
        people=people,
    )


def visible_units(slugs: Collection[str], visibility: Visibility) -> Sequence[TreeUnit]:
    """The units with these slugs that are visible, of any tree, unordered."""
    units = Unit.objects.filter(slug__in=slugs).values_list("pk", "slug", "name", "tree__slug", "tree__name")
    return [TreeUnit(*unit) for unit in units if visibility.can_see(unit[0])]


# One row per role and unit, ordered by tree, by height above the unit, or by name.
_SURROUNDINGS = """
    WITH RECURSIVE placed AS NOT MATERIALIZED (
        SELECT unit.id, unit.slug, unit.name, unit.tree_id, place.parent_id, place.during
        FROM orgtree_unitplace place JOIN orgtree_unit unit ON unit.id = place.unit_id
    ), chosen AS (
        SELECT id, slug, name, tree_id FROM orgtree_unit WHERE slug = %(slug)s
    ), path AS (
        SELECT chosen.*, placed.parent_id, 0 AS height
        FROM chosen LEFT JOIN placed ON placed.id = chosen.id AND placed.during @> %(on)s
        UNION ALL
        SELECT placed.id, placed.slug, placed.name, placed.tree_id, placed.parent_id, path.height + 1
        FROM path JOIN placed ON placed.id = path.parent_id AND placed.during @> %(on)s
    ), here AS (
        SELECT 'path' AS role, -height AS position, id, slug, name, tree_id, NULL::bigint AS people FROM path
        UNION ALL
        SELECT 'root', 0, path.id, '', '', path.tree_id, NULL
        FROM path JOIN placed ON placed.id = path.id AND placed.during @> %(on)s
        WHERE path.height = 0 AND path.parent_id IS NULL
        UNION ALL
        SELECT 'child', 0, placed.id, placed.slug, placed.name, placed.tree_id, NULL
        FROM chosen JOIN placed ON placed.parent_id = chosen.id AND placed.during @> %(on)s
        UNION ALL
        SELECT 'top', placed.tree_id, placed.id, placed.slug, placed.name, placed.tree_id,
               CASE WHEN %(counted)s THEN (
                   SELECT count(*) FROM orgtree_placement placement
                   WHERE placement.ancestor_id = placed.id AND placement.during @> %(today)s
               ) END
        FROM placed JOIN orgtree_orgtree tree ON tree.id = placed.tree_id AND tree.archived_at IS NULL
        WHERE placed.during @> %(today)s
          AND CASE WHEN %(everything)s THEN placed.parent_id IS NULL
                   ELSE placed.id = ANY(%(seen)s)
                        AND (placed.parent_id IS NULL OR placed.parent_id <> ALL(%(seen)s)) END
    ), answer AS (
        SELECT here.role, here.position, here.id, here.slug, here.name, tree.slug AS tree_slug, tree.name AS tree_name,
               coalesce(people.digest, '') AS digest, here.people
        FROM here JOIN orgtree_orgtree tree ON tree.id = here.tree_id
        LEFT JOIN orgtree_unitpeople people ON people.unit_id = here.id
        UNION ALL
        SELECT 'everybody', 0, NULL, '', '', '', '', '',
               (SELECT count(*) FROM orgtree_person)
               - count(DISTINCT person_id)  -- people without employment are always there
               + count(*) FILTER (WHERE during @> %(today)s)  -- employments never overlap
        FROM orgtree_employment
        WHERE %(counted)s
        HAVING %(counted)s
    )
    SELECT role, id, slug, name, tree_slug, tree_name, digest, people
    FROM answer
    ORDER BY role, position, lower(name), id
"""

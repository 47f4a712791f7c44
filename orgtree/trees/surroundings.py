"""Where a unit stands among others on a day: what is above and below it, and the tops of all trees."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from orgtree.models import Unit
from orgtree.models.sight import Sight


@dataclass(frozen=True)
class StandingUnit:
    """A unit in its tree."""

    pk: int
    slug: str
    name: str
    tree_slug: str
    tree_name: str


@dataclass(frozen=True)
class Surroundings:
    """What the viewer may know of.

    `tops`: the units of each tree above which there is none, by tree.  `path`: from the highest unit down to the one
    asked for; that alone, where it has no place on the day.  `children`: the units directly below it.
    `is_root`: whether nothing is above it.  `people`: how many are today in each of `tops` and below it, and (None) in
    the organisation; empty where they were not counted.
    """

    tops: Sequence[StandingUnit]
    path: Sequence[StandingUnit]
    children: Sequence[StandingUnit]
    is_root: bool
    people: Mapping[int | None, int]

    @property
    def unit(self) -> StandingUnit | None:
        return self.path[-1] if self.path else None


def surroundings(slug: str | None, sight: Sight, *, on: date, today: date, counted: bool = False) -> Surroundings:
    """Of the unit with that slug (None: of no unit) on the day `on`; tops, and their people, are those of today."""
    with connection.cursor() as cursor:
        cursor.execute(
            _SURROUNDINGS,
            {
                "slug": slug,
                "everything": sight.unit_ids is None,
                "seen": sorted(sight.unit_ids or ()),
                "on": on,
                "today": today,
                "counted": counted,
            },
        )
        units: dict[str, list[StandingUnit]] = defaultdict(list)
        people: dict[int | None, int] = {}
        for role, pk, *words, number in cursor.fetchall():
            if number is not None:
                people[pk] = number
            if pk is not None:
                units[role].append(StandingUnit(pk, *words))
    return Surroundings(
        tops=units["top"],
        path=[unit for unit in units["path"] if sight.covers(unit.pk)],
        children=[unit for unit in units["child"] if sight.covers(unit.pk)],
        is_root=bool(units["root"]),
        people=people,
    )


def standing_units(slugs: Collection[str], sight: Sight) -> Sequence[StandingUnit]:
    """Those of the units that the viewer may know of, whatever tree they are in; in no order."""
    units = Unit.objects.filter(slug__in=slugs).values_list("pk", "slug", "name", "tree__slug", "tree__name")
    return [StandingUnit(*unit) for unit in units if sight.covers(unit[0])]


# One row per role and unit; the order is that of its tree, of its height above the unit, or of its name.
_SURROUNDINGS = """
    WITH RECURSIVE standing AS NOT MATERIALIZED (
        SELECT unit.id, unit.slug, unit.name, unit.tree_id, place.parent_id, place.during
        FROM orgtree_unitplace place JOIN orgtree_unit unit ON unit.id = place.unit_id
    ), asked AS (
        SELECT id, slug, name, tree_id FROM orgtree_unit WHERE slug = %(slug)s
    ), path AS (
        SELECT asked.*, standing.parent_id, 0 AS height
        FROM asked LEFT JOIN standing ON standing.id = asked.id AND standing.during @> %(on)s
        UNION ALL
        SELECT standing.id, standing.slug, standing.name, standing.tree_id, standing.parent_id, path.height + 1
        FROM path JOIN standing ON standing.id = path.parent_id AND standing.during @> %(on)s
    ), here AS (
        SELECT 'path' AS role, -height AS position, id, slug, name, tree_id, NULL::bigint AS people FROM path
        UNION ALL
        SELECT 'root', 0, path.id, '', '', path.tree_id, NULL
        FROM path JOIN standing ON standing.id = path.id AND standing.during @> %(on)s
        WHERE path.height = 0 AND path.parent_id IS NULL
        UNION ALL
        SELECT 'child', 0, standing.id, standing.slug, standing.name, standing.tree_id, NULL
        FROM asked JOIN standing ON standing.parent_id = asked.id AND standing.during @> %(on)s
        UNION ALL
        SELECT 'top', standing.tree_id, standing.id, standing.slug, standing.name, standing.tree_id,
               CASE WHEN %(counted)s THEN (
                   SELECT count(*) FROM orgtree_placement placement
                   WHERE placement.ancestor_id = standing.id AND placement.during @> %(today)s
               ) END
        FROM standing JOIN orgtree_orgtree tree ON tree.id = standing.tree_id AND tree.archived_at IS NULL
        WHERE standing.during @> %(today)s
          AND CASE WHEN %(everything)s THEN standing.parent_id IS NULL
                   ELSE standing.id = ANY(%(seen)s)
                        AND (standing.parent_id IS NULL OR standing.parent_id <> ALL(%(seen)s)) END
    ), told AS (
        SELECT here.role, here.position, here.id, here.slug, here.name, tree.slug AS tree_slug, tree.name AS tree_name,
               here.people
        FROM here JOIN orgtree_orgtree tree ON tree.id = here.tree_id
        UNION ALL
        SELECT 'everybody', 0, NULL, '', '', '', '',
               (SELECT count(*) FROM orgtree_person)
               - count(DISTINCT person_id)  -- of the others nobody said when they came or went
               + count(*) FILTER (WHERE during @> %(today)s)  -- one stay at a time
        FROM orgtree_employment
        WHERE %(counted)s
        HAVING %(counted)s
    )
    SELECT role, id, slug, name, tree_slug, tree_name, people
    FROM told
    ORDER BY role, position, lower(name), id
"""

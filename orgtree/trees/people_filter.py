"""SQL conditions on the person and day of a fact, for statements outside the metric engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg import sql


@dataclass(frozen=True)
class PeopleFilter:
    """A filter by unit on the fact's day, by people in no unit of a tree, or by one person; by default none.

    Units and trees by slug.  `where` are attributes held on that day: AND between attributes, OR within one.
    """

    unit: str | None = None
    unassigned: str | None = None
    person_id: int | None = None
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


EVERYBODY = PeopleFilter()


def conditions(
    people: PeopleFilter, *, person: sql.Composable, day: sql.Composable
) -> tuple[sql.Composed, Mapping[str, Any]]:
    """SQL conditions, each starting with AND, and their parameters; parameter names start with `whose_`."""
    parts: list[sql.Composable] = []
    values: dict[str, Any] = {}
    if people.person_id is not None:
        parts.append(sql.SQL("AND {} = %(whose_person)s").format(person))
        values["whose_person"] = people.person_id
    if people.unit is not None:
        parts.append(_IN_UNIT.format(person=person, day=day))
        values["whose_unit"] = people.unit
    if people.unassigned is not None:
        parts.append(_IN_NO_UNIT.format(person=person, day=day))
        values["whose_tree"] = people.unassigned
    for position, (attribute, accepted) in enumerate(sorted(people.where.items())):
        names = (f"whose_attribute_{position}", f"whose_values_{position}")
        attribute_name, values_name = map(sql.Placeholder, names)
        parts.append(_WITH_VALUE.format(person=person, day=day, attribute=attribute_name, values=values_name))
        values |= dict(zip(names, (attribute, list(accepted)), strict=True))
    return sql.SQL(" ").join(parts), values


_IN_UNIT = sql.SQL(
    """
    AND EXISTS (
        SELECT FROM orgtree_placement placement
        JOIN orgtree_unit unit ON unit.id = placement.ancestor_id AND unit.slug = %(whose_unit)s
        WHERE placement.person_id = {person} AND placement.during @> {day}
    )
    """
)
_IN_NO_UNIT = sql.SQL(
    """
    AND NOT EXISTS (
        SELECT FROM orgtree_placement placement
        JOIN orgtree_orgtree tree ON tree.id = placement.tree_id AND tree.slug = %(whose_tree)s
        WHERE placement.person_id = {person} AND placement.during @> {day}
    )
    """
)
_WITH_VALUE = sql.SQL(
    """
    AND EXISTS (
        SELECT FROM orgtree_personattribute held
        JOIN orgtree_attribute attribute ON attribute.id = held.attribute_id AND attribute.slug = {attribute}
        WHERE held.person_id = {person} AND held.value = ANY({values}) AND held.during @> {day}
          AND (NOT EXISTS (SELECT FROM orgtree_employment employed WHERE employed.person_id = held.person_id)
               OR EXISTS (SELECT FROM orgtree_employment employed
                          WHERE employed.person_id = held.person_id AND employed.during @> {day}))
    )
    """
)

"""The SQL of a placement: which rows of a relation are of the people asked for, on the day on which each row counts.

The relation is called source.  A row stands once for each unit that is asked for and that its person is in: a person
is in one unit of a tree at a time, and one value of an attribute holds at a time, so no row is counted twice.
"""

from __future__ import annotations

from typing import Any

from psycopg import sql

from insights.metrics.reading import Placed, Placement


def unit_of(placement: Placement) -> sql.Composable:
    """The unit for which a row counts; 0 where there is only one scope."""
    return sql.SQL("placement.ancestor_id") if placement.placed is Placed.UNITS else sql.SQL("0")


def joins_on_day(placement: Placement, person: sql.Composable, day: sql.Composable) -> sql.Composed:
    """The joins that find a row's units on its day, and what holds of its person then."""
    return _joins(placement, person, sql.SQL("@> {}").format(day))


def joins_in_span(placement: Placement, person: sql.Composable, span: sql.Composable) -> sql.Composed:
    """As `joins_on_day`, for any day of a span: a row stands once for each stretch of days that touches it."""
    return _joins(placement, person, sql.SQL("&& {}").format(span))


def days_of(placement: Placement, days: sql.Composable) -> sql.Composed:
    """Those of the range `days` on which all that `joins_in_span` found is so at the same time, as a range."""
    stretches = [days]
    if _in_units(placement):
        stretches.append(sql.SQL("placement.during"))
    stretches += [sql.Identifier(_held(position), "during") for position in range(len(placement.held))]
    return sql.SQL(" * ").join(stretches)


def condition_on_day(placement: Placement, person: sql.Composable, day: sql.Composable) -> sql.Composable:
    """What else must be true of a row, beginning with AND."""
    if placement.placed is Placed.UNASSIGNED:
        return sql.SQL(
            "AND NOT EXISTS (SELECT FROM orgtree_placement elsewhere WHERE {elsewhere}"
            " AND elsewhere.person_id = {person} AND elsewhere.during @> {day}) {only}"
        ).format(elsewhere=_ELSEWHERE, person=person, day=day, only=only_of(placement, person))
    return only_of(placement, person)


def only_of(placement: Placement, person: sql.Composable) -> sql.Composable:
    """The person or units asked for, beginning with AND; empty where it is everybody."""
    if placement.placed is Placed.PERSON:
        return sql.SQL("AND {} = ANY(%(ids)s)").format(person)
    units = sql.SQL("AND placement.ancestor_id = ANY(%(ids)s)" if _in_units(placement) and placement.ids else "")
    if placement.person_id is None:
        return units
    return sql.SQL("{} AND {} = %(only_person)s").format(units, person)


# One row per person and stretch of days in the tree: that of the unit itself, without those above it.
_ELSEWHERE = sql.SQL("elsewhere.tree_id = ANY(%(ids)s) AND elsewhere.unit_id = elsewhere.ancestor_id")
DAYS_ELSEWHERE = sql.SQL(
    "SELECT elsewhere.person_id, range_agg(elsewhere.during) AS days FROM orgtree_placement elsewhere"
    " WHERE {} GROUP BY elsewhere.person_id"
).format(_ELSEWHERE)


def placement_parameters(placement: Placement) -> dict[str, Any]:
    return {
        "ids": list(placement.ids),
        "only_person": placement.person_id,
        **{f"attribute_{position}": attribute for position, (attribute, _) in enumerate(placement.held)},
        **{f"values_{position}": list(values) for position, (_, values) in enumerate(placement.held)},
    }


def _joins(placement: Placement, person: sql.Composable, during: sql.Composable) -> sql.Composed:
    joins = [
        sql.SQL(
            "JOIN orgtree_personattribute {held} ON {held}.person_id = {person} AND {held}.attribute_id = {attribute}"
            " AND {held}.value = ANY({values}) AND {held}.during {during}"
        ).format(
            held=sql.Identifier(_held(position)),
            person=person,
            attribute=sql.Placeholder(f"attribute_{position}"),
            values=sql.Placeholder(f"values_{position}"),
            during=during,
        )
        for position in range(len(placement.held))
    ]
    if _in_units(placement):
        units = sql.SQL("JOIN orgtree_placement placement ON placement.person_id = {} AND placement.during {}")
        joins.insert(0, units.format(person, during))
    return sql.SQL(" ").join(joins)


def _held(position: int) -> str:
    return f"held_{position}"


def _in_units(placement: Placement) -> bool:
    return placement.placed in (Placed.UNIT, Placed.UNITS)

"""The SQL of a placement: which rows of a relation are of the people asked for, on the day on which each row counts.

The relation is called source.  A row stands once for each unit that is asked for and that its person is in: a person
is in one unit of a tree at a time, and one value of an attribute holds at a time, so no row is counted twice.

What counts for its owner is placed in the same way, by what is owned instead of by a person: `OWNER_PLACEMENTS` has
the shape of orgtree's placements.  It is nobody's, so that asking for a person, or for an attribute of people, finds
nothing of it.

A relation of people of which some rows fall to owners instead, what autonomous agents do, is read in units as two, one
after the other: the few rows of a unit's people, and of its repositories, are found by an index of each, and by none of
what both come to (docs/decisions/0023).
"""

from __future__ import annotations

from typing import Any

from psycopg import sql

from insights.engine.scope import is_of_people
from insights.metrics.reading import Placed, Placement
from integrations.facts.ownership import OWNER_PLACEMENTS, REPOSITORY_PLACEMENTS
from integrations.facts.relation import IS_AUTONOMOUS, REPOSITORY_ID, Relation


def whose(placement: Placement, relation: Relation) -> sql.Composable:
    """Whose a row is, as a number: a person's id, or of an agent's the negative of its repository's; or null.

    Of a relation of owners it is what is owned, and of facts that several share the fact: they are gathered by it.
    """
    if relation.shared_facts or not relation.falls_to_owners:
        return sql.Identifier("source", relation.gathered_by)
    repository = sql.SQL("-{}").format(sql.Identifier("source", REPOSITORY_ID))
    if relation.owner:
        return repository
    person = sql.Identifier("source", relation.person)
    if is_of_people(placement) or _in_units(placement):
        return person
    return sql.SQL("coalesce({}, CASE WHEN {} THEN {} END)").format(
        person, sql.Identifier("source", IS_AUTONOMOUS), repository
    )


def unit_of(placement: Placement) -> sql.Composable:
    """The unit for which a row of `joins_in_span` counts; 0 where there is only one scope."""
    return sql.SQL("placement.ancestor_id") if placement.placed is Placed.UNITS else sql.SQL("0")


def place_of(placement: Placement) -> sql.Composable:
    """Where a row of `joins_on_day` belongs: its person's stint (insights/metrics/stints.py) where many units are
    asked for, else unit 0."""
    return sql.SQL("stint.id AS stint_id") if placement.placed is Placed.UNITS else sql.SQL("0 AS unit_id")


def joins_on_day(placement: Placement, relation: Relation, day: sql.Composable) -> sql.Composed:
    """The joins that find where a row belongs on its day, and what holds of its person then."""
    person, placements = sql.Identifier("source", relation.placed_by), _placements_of(relation, placement.placed)
    joins: list[sql.Composable] = []
    if placement.placed is Placed.UNITS:
        owned = REPOSITORY_ID if relation.falls_to_owners else "owned_id"
        stint_of = sql.Identifier(owned if relation.owner else "person_id")
        joins.append(sql.SQL(_STINT).format(stint_of=stint_of, person=person, day=day))
    if placement.placed is Placed.UNIT:
        members = sql.SQL("{} AS placements WHERE ancestor_id = ANY(%(ids)s)").format(placements)
        joins.append(_join_on_day("placement", members, person, day))
    if placement.placed is Placed.UNASSIGNED:
        elsewhere = sql.SQL(_DAYS_ELSEWHERE).format(placements=placements)
        placed = whose(placement, relation) if relation.falls_to_owners else person
        joins.append(sql.SQL("LEFT JOIN ({}) AS elsewhere ON elsewhere.person_id = {}").format(elsewhere, placed))
    if relation.owner:
        return sql.SQL(" ").join(joins)
    for position in _positions(placement):
        holders = sql.SQL("orgtree_personattribute WHERE attribute_id = {attribute} AND value = ANY({values})")
        joins.append(_join_on_day(_held(position), holders.format(**_asked(position)), person, day))
    return sql.SQL(" ").join(joins)


def joins_in_span(placement: Placement, person: sql.Composable, span: sql.Composable) -> sql.Composed:
    """The joins for any day of a span: a row stands once for each stretch of days that touches it."""
    joins: list[sql.Composable] = []
    if _in_units(placement):
        units = sql.SQL("JOIN orgtree_placement placement ON placement.person_id = {} AND placement.during && {}")
        joins.append(units.format(person, span))
    return sql.SQL(" ").join([*joins, attributes_in_span(placement, person, span)])


def attributes_in_span(placement: Placement, person: sql.Composable, span: sql.Composable) -> sql.Composed:
    """The joins that find what holds of a row's person on any day of a span, without the units."""
    return sql.SQL(" ").join(
        sql.SQL(
            "JOIN orgtree_personattribute {held} ON {held}.person_id = {person} AND {held}.attribute_id = {attribute}"
            " AND {held}.value = ANY({values}) AND {held}.during && {span}"
        ).format(held=sql.Identifier(_held(position)), person=person, span=span, **_asked(position))
        for position in _positions(placement)
    )


def days_of(placement: Placement, days: sql.Composable) -> sql.Composed:
    """Those of the range `days` on which all that `joins_in_span` found is so at the same time, as a range."""
    stretches = [days]
    if _in_units(placement):
        stretches.append(sql.SQL("placement.during"))
    stretches += [sql.Identifier(_held(position), "during") for position in range(len(placement.held))]
    return sql.SQL(" * ").join(stretches)


def condition_on_day(placement: Placement, relation: Relation, day: sql.Composable) -> sql.Composable:
    """What else must be true of a row, beginning with AND."""
    if relation.owner and is_of_people(placement):
        return sql.SQL("AND false")
    if relation.owner and relation.falls_to_owners:
        return sql.SQL("AND {}").format(sql.Identifier("source", IS_AUTONOMOUS))
    person = sql.Identifier("source", relation.placed_by)
    if _in_units(placement):
        by_account = sql.SQL("AND {} = ANY(%(accounts)s)").format(sql.Identifier("source", relation.account))
        few = relation.account and placement.accounts
        return sql.SQL("{} {}").format(only_person(placement, person), by_account if few else sql.SQL(""))
    if placement.placed is Placed.UNASSIGNED:
        somewhere_else = sql.SQL("AND (elsewhere.days @> {}) IS NOT TRUE {}").format(day, only_of(placement, person))
        if relation.owner or relation.falls_to_owners:
            return somewhere_else
        return sql.SQL("{} AND ({person} IS NULL OR {person} IN ({outside}))").format(
            somewhere_else, person=person, outside=_OUTSIDE
        )
    return only_of(placement, person)


def only_of(placement: Placement, person: sql.Composable) -> sql.Composable:
    """The person or units asked for, beginning with AND; empty where it is everybody."""
    if placement.placed is Placed.PERSON:
        return sql.SQL("AND {} = ANY(%(ids)s)").format(person)
    units = sql.SQL("AND placement.ancestor_id = ANY(%(ids)s)" if _in_units(placement) and placement.ids else "")
    return sql.SQL("{} {}").format(units, only_person(placement, person))


def only_person(placement: Placement, person: sql.Composable) -> sql.Composable:
    """The one person, or the people, asked for beside units, beginning with AND; empty where that is nobody."""
    conditions: list[sql.Composable] = []
    if placement.person_id is not None:
        conditions.append(sql.SQL("AND {} = %(only_person)s").format(person))
    if placement.among:
        conditions.append(sql.SQL("AND {} = ANY(%(among)s)").format(person))
    return sql.SQL(" ").join(conditions)


def _placements_of(relation: Relation, placed: Placed) -> sql.Composable:
    """The rows that say to which units its rows belong: person_id, tree_id, unit_id, ancestor_id and during."""
    owned = "(SELECT {owned} AS person_id, tree_id, unit_id, ancestor_id, during FROM ({owners}) AS owners)"
    if relation.owner and not relation.falls_to_owners:
        return sql.SQL(owned).format(owned=sql.SQL("owned_id"), owners=sql.SQL(OWNER_PLACEMENTS))
    if relation.owner:
        return sql.SQL(owned).format(owned=sql.SQL("repository_id"), owners=sql.SQL(REPOSITORY_PLACEMENTS))
    if relation.falls_to_owners and placed is Placed.UNASSIGNED:
        of_agents = sql.SQL(owned).format(owned=sql.SQL("-repository_id"), owners=sql.SQL(REPOSITORY_PLACEMENTS))
        return sql.SQL(
            "(SELECT person_id, tree_id, unit_id, ancestor_id, during FROM orgtree_placement UNION ALL {})"
        ).format(of_agents)
    return sql.SQL("orgtree_placement")


# One row per person: the days in the tree, of the unit itself without those above it.
_DAYS_ELSEWHERE = (
    "SELECT person_id, range_agg(during) AS days FROM {placements} AS placements"
    " WHERE tree_id = ANY(%(ids)s) AND unit_id = ancestor_id GROUP BY person_id"
)
DAYS_ELSEWHERE = sql.SQL(_DAYS_ELSEWHERE).format(placements=sql.SQL("orgtree_placement"))

# Whoever is not there on every day that is asked for: most people are, and what they did needs no looking at.
_OUTSIDE = sql.SQL(
    "SELECT person.id FROM orgtree_person person LEFT JOIN ({}) AS elsewhere ON elsewhere.person_id = person.id"
    " WHERE (elsewhere.days @> daterange(%(start)s, %(end)s)) IS NOT TRUE"
).format(DAYS_ELSEWHERE)


def placement_parameters(placement: Placement) -> dict[str, Any]:
    return {
        "ids": list(placement.ids),
        "only_person": placement.person_id,
        "among": list(placement.among),
        "accounts": list(placement.accounts),
        **{f"attribute_{position}": attribute for position, (attribute, _) in enumerate(placement.held)},
        **{f"values_{position}": list(values) for position, (_, values) in enumerate(placement.held)},
    }


_STINT = """
    JOIN metric_stint stint ON stint.{stint_of} = {person} AND stint.first_day <= {day} AND {day} < stint.end_day
"""


def _join_on_day(name: str, rows: sql.Composable, person: sql.Composable, day: sql.Composable) -> sql.Composed:
    """A join of those of a table's rows that say something of the person on the day.

    The planner takes a range that contains a day of another table for a thousand times rarer than it is, and borders
    are found once for each of the rows, not for each fact: OFFSET keeps them from being moved up.
    """
    return sql.SQL(
        """
        JOIN (
            SELECT person_id, coalesce(lower(during), '-infinity') AS first_day,
                   coalesce(upper(during), 'infinity') AS end_day
            FROM {rows}
            OFFSET 0
        ) AS {name} ON {name}.person_id = {person} AND {name}.first_day <= {day} AND {day} < {name}.end_day
        """
    ).format(rows=rows, name=sql.Identifier(name), person=person, day=day)


def _asked(position: int) -> dict[str, sql.Composable]:
    return {
        "attribute": sql.Placeholder(f"attribute_{position}"),
        "values": sql.Placeholder(f"values_{position}"),
    }


def _positions(placement: Placement) -> range:
    return range(len(placement.held))


def _held(position: int) -> str:
    return f"held_{position}"


def _in_units(placement: Placement) -> bool:
    return placement.placed in (Placed.UNIT, Placed.UNITS)

"""Whose rows count: the joins and conditions of a scope, as SQL over a relation's row, which is called source.

A row stands once for each unit that is asked for and that its person is in on the day of the row: a person is in one
unit of a tree at a time, and one value of an attribute holds at a time, so no row counts twice.  What counts for its
owner is placed in the same way, by what is owned; it is nobody's, so that of a person, or people with an attribute,
nothing of it is found.

A relation of people of which some rows fall to owners, what autonomous agents do, is placed in units as two: by people,
and by the owners of repositories (docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from insights.engine.fact_query import Placed, Placement
from insights.engine.tables import ATTRIBUTES, MEMBERSHIPS, OWNERS, REPOSITORY_OWNERS, Table
from integrations.facts.relation import IS_AUTONOMOUS, REPOSITORY_ID, Relation

IN_UNITS = (Placed.UNIT, Placed.UNITS)


@dataclass
class Parameters:
    """The parameters of a statement by name, and the tables that it joins."""

    values: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Table] = field(default_factory=dict)

    def add(self, value: Any, kind: str) -> str:
        """The parameter of that value, as SQL of that type."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}::{kind}"

    def one_of(self, values: Collection[Any], kind: str) -> str:
        """SQL that lists these values, to stand after IN."""
        return f"(SELECT unnest({self.add(list(values), f'{kind}[]')}))"

    def table(self, table: Table) -> str:
        """Where the table's name will stand."""
        self.tables[table.name] = table
        return f"{{{table.name}}}"


def placed_as(placement: Placement, relation: Relation) -> Sequence[Relation]:
    """The relation once for each way in which its rows are placed."""
    if relation.falls_to_owners and placement.placed in IN_UNITS and not is_of_people(placement):
        owned = replace(relation, owner=REPOSITORY_ID)
        return (relation, owned)
    return (relation,)


def whose(placement: Placement, relation: Relation) -> str:
    """Whose a row is, as a number: a person's id, or of an agent's the negative of its repository's; or null.

    Of a relation of owners it is what is owned, and of facts that several share the fact: they are gathered by it.
    """
    if relation.shared_facts or not relation.falls_to_owners:
        return f"source.{relation.gathered_by}"
    if relation.owner:
        return f"-source.{REPOSITORY_ID}"
    if is_of_people(placement) or placement.placed in IN_UNITS:
        return f"source.{relation.person}"
    return f"coalesce(source.{relation.person}, CASE WHEN source.{IS_AUTONOMOUS} THEN -source.{REPOSITORY_ID} END)"


def columns_of(relation: Relation) -> Collection[str]:
    """The columns of the relation that say whose a row is."""
    owned = (relation.person, REPOSITORY_ID, IS_AUTONOMOUS) if relation.falls_to_owners else ()
    return {relation.fact, relation.placed_by, *owned}


def is_of_people(placement: Placement) -> bool:
    """Whether it is that of a person, or of people of whom something holds."""
    narrowed = placement.held or placement.among or placement.person_id is not None
    return placement.placed is Placed.PERSON or bool(narrowed)


def unit_of(placement: Placement, relation: Relation | None = None) -> str:
    """The unit for which a row counts; 0 where there is only one scope, and for what is owned, where people are asked
    for: none of it counts."""
    if relation and relation.owner and is_of_people(placement):
        return "0"
    return "membership.unit_id" if placement.placed is Placed.UNITS else "0"


def joins_on_day(placement: Placement, relation: Relation, day: str, parameters: Parameters) -> str:
    """The joins that find where a row belongs on its day, and what holds of its person then."""
    if relation.owner and is_of_people(placement):
        return ""
    placed_by = f"-source.{REPOSITORY_ID}" if _by_repository(relation) else f"source.{relation.placed_by}"
    joins = []
    if placement.placed in IN_UNITS:
        table = REPOSITORY_OWNERS if _by_repository(relation) else OWNERS if relation.owner else MEMBERSHIPS
        joins.append(_on_day("membership", parameters.table(table), placed_by, day))
        if placement.ids:
            joins.append(f"AND membership.unit_id IN {parameters.one_of(placement.ids, 'BIGINT')}")
    for position, name in enumerate(_held(placement)):
        joins.append(_on_day(name, parameters.table(ATTRIBUTES), placed_by, day))
        joins.append(f"AND {_holds(name, position, placement, parameters)}")
    return "\n".join(joins)


def conditions_on_day(placement: Placement, relation: Relation, day: str, parameters: Parameters) -> Iterator[str]:
    """What else must be true of a row."""
    if relation.owner and is_of_people(placement):
        yield "false"
    if _by_repository(relation):
        yield f"source.{IS_AUTONOMOUS}"
        return
    yield from only(placement, f"source.{relation.placed_by}", parameters)
    if placement.placed is Placed.UNASSIGNED:
        tables: tuple[Table, ...] = (OWNERS,) if relation.owner else (MEMBERSHIPS,)
        by = f"source.{relation.placed_by}"
        if relation.falls_to_owners:
            tables, by = (MEMBERSHIPS, REPOSITORY_OWNERS), whose(placement, relation)
        trees = parameters.one_of(placement.ids, "BIGINT")
        for table in tables:
            yield (
                f"NOT EXISTS (FROM {parameters.table(table)} AS elsewhere WHERE elsewhere.id = {by}"
                f" AND elsewhere.tree_id IN {trees} AND elsewhere.first_day <= {day} AND {day} < elsewhere.end_day)"
            )


def only(placement: Placement, person: str, parameters: Parameters) -> Iterator[str]:
    """The conditions that leave the person, or people, asked for; none where that is everybody."""
    if placement.placed is Placed.PERSON:
        yield f"{person} IN {parameters.one_of(placement.ids, 'BIGINT')}"
    if placement.person_id is not None:
        yield f"{person} = {parameters.add(placement.person_id, 'BIGINT')}"
    if placement.among:
        yield f"{person} IN {parameters.one_of(placement.among, 'BIGINT')}"


def joins_of_ranges(placement: Placement, person: str, parameters: Parameters) -> tuple[str, Sequence[str]]:
    """The joins that find the ranges of days on which a person is in scope, and their names: each has first_day and
    end_day, and a row stands once for each combination."""
    joins, names = [], list(_held(placement))
    for position, name in enumerate(_held(placement)):
        holds = _holds(name, position, placement, parameters)
        joins.append(f"JOIN {parameters.table(ATTRIBUTES)} AS {name} ON {name}.id = {person} AND {holds}")
    if placement.placed in IN_UNITS:
        among = f"AND membership.unit_id IN {parameters.one_of(placement.ids, 'BIGINT')}" if placement.ids else ""
        joins.append(f"JOIN {parameters.table(MEMBERSHIPS)} AS membership ON membership.id = {person} {among}")
        names.append("membership")
    if placement.placed is Placed.UNASSIGNED:
        outside = _OUTSIDE.format(
            memberships=parameters.table(MEMBERSHIPS), trees=parameters.one_of(placement.ids, "BIGINT")
        )
        joins.append(f"JOIN ({outside}) AS outside ON outside.id = {person}")
        names.append("outside")
    return "\n".join(joins), names


# The ranges of days on which each of the people is in no unit of the trees: before, between and after memberships.
_OUTSIDE = """
    WITH inside AS (FROM {memberships} WHERE tree_id IN {trees}),
    borders AS (
        SELECT id, first_day, end_day FROM inside
        UNION ALL
        SELECT DISTINCT person_id, DATE '9999-12-31', DATE '9999-12-31' FROM people
    )
    SELECT id, end_of_last AS first_day, first_day AS end_day
    FROM (
        SELECT id, first_day, coalesce(max(end_day) OVER (
            PARTITION BY id ORDER BY first_day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), DATE '0001-01-01') AS end_of_last
        FROM borders
    )
    WHERE end_of_last < first_day
"""


def _by_repository(relation: Relation) -> bool:
    return bool(relation.owner) and relation.falls_to_owners


def _held(placement: Placement) -> Sequence[str]:
    return [f"held_{position}" for position in range(len(placement.held))]


def _holds(name: str, position: int, placement: Placement, parameters: Parameters) -> str:
    attribute, values = placement.held[position]
    return (
        f"{name}.attribute_id = {parameters.add(attribute, 'BIGINT')}"
        f" AND {name}.value IN {parameters.one_of(values, 'VARCHAR')}"
    )


def _on_day(name: str, table: str, placed_by: str, day: str) -> str:
    return f"JOIN {table} AS {name} ON {name}.id = {placed_by} AND {name}.first_day <= {day} AND {day} < {name}.end_day"

"""The joins and conditions of a scope, as SQL over a relation's row, which is aliased `source`.

A row is joined once for each requested unit of which its person is a member on the day of the row: a person is in one
unit of a tree at a time, and an attribute has one value at a time, so no row counts twice.  Facts of owners are joined
in the same way by the owned service or repository; they belong to no person, so a scope of people has none of them.
Rows of units (`Relation.unit`) are not joined: each counts for exactly one scope.

If some rows of a relation of people are credited to owners (the work of autonomous agents), the relation is read twice
in scopes of units: by people, and by the owners of repositories (docs/decisions/0023).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from insights.engine.fact_query import ResolvedScope, ScopeKind
from insights.engine.tables import ATTRIBUTES, MEMBERSHIPS, OWNERS, REPOSITORY_OWNERS, Places, Table
from integrations.facts.relation import IS_AUTONOMOUS, REPOSITORY_ID, Relation

IN_UNITS = (ScopeKind.UNIT, ScopeKind.UNITS)


@dataclass
class Parameters:
    """The parameters of a statement by name, and the tables that it joins."""

    values: dict[str, Any] = field(default_factory=dict)
    tables: dict[str, Table | Places] = field(default_factory=dict)

    def add(self, value: Any, kind: str) -> str:
        """Adds a parameter; returns its reference as SQL of that type."""
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}::{kind}"

    def one_of(self, values: Collection[Any], kind: str) -> str:
        """SQL for these values, to follow IN."""
        return f"(SELECT unnest({self.add(list(values), f'{kind}[]')}))"

    def table(self, table: Table | Places) -> str:
        """A placeholder for the table's name."""
        self.tables[table.name] = table
        return f"{{{table.name}}}"


def placements_of(scope: ResolvedScope, relation: Relation) -> Sequence[Relation]:
    """The relation, once for each way in which its rows are assigned to units."""
    if relation.credited_to_owner and scope.kind in IN_UNITS and not is_of_people(scope):
        owned = replace(relation, owner=REPOSITORY_ID)
        return (relation, owned)
    return (relation,)


def person_of(scope: ResolvedScope, relation: Relation) -> str:
    """SQL for the person of a row: a person's id, the negative of the repository's id for an autonomous agent, or null.

    For relations of owners it is the owned service or repository, and for shared facts the fact: rows are grouped by
    it.
    """
    if relation.shared_facts or not relation.credited_to_owner:
        return f"source.{relation.gathered_by}"
    if relation.owner:
        return f"-source.{REPOSITORY_ID}"
    if is_of_people(scope) or scope.kind in IN_UNITS:
        return f"source.{relation.person}"
    return f"coalesce(source.{relation.person}, CASE WHEN source.{IS_AUTONOMOUS} THEN -source.{REPOSITORY_ID} END)"


def columns_of(relation: Relation) -> Collection[str]:
    """The columns of the relation that assign a row to people and owners."""
    owned = (relation.person, REPOSITORY_ID, IS_AUTONOMOUS) if relation.credited_to_owner else ()
    return {relation.fact, relation.placed_by, *owned}


def is_of_people(scope: ResolvedScope) -> bool:
    """Whether the scope is a person, or restricted to certain people."""
    narrowed = scope.attributes or scope.among or scope.person_id is not None
    return scope.kind is ScopeKind.PERSON or bool(narrowed)


def unit_of(scope: ResolvedScope, relation: Relation | None = None) -> str:
    """SQL for the unit that a row counts for; 0 for a single scope, and for owned facts in a scope of people, where
    none counts.  For PLACES, the unit ids as text, separated by commas, followed by the values of attributes, each
    after a NUL.
    """
    if relation and relation.owner and is_of_people(scope):
        return "0"
    if relation and relation.unit and scope.kind is ScopeKind.UNITS:
        return f"source.{relation.unit}"
    if scope.kind is ScopeKind.PLACES:
        return "coalesce(membership.units, '')"
    return "membership.unit_id" if scope.kind is ScopeKind.UNITS else "0"


def joins_on_day(scope: ResolvedScope, relation: Relation, day: str, parameters: Parameters) -> str:
    """The joins with the row's membership and its person's attributes on the day of the row."""
    if relation.unit or (relation.owner and is_of_people(scope)):
        return ""
    placed_by = f"-source.{REPOSITORY_ID}" if _by_repository(relation) else f"source.{relation.placed_by}"
    joins = []
    if scope.kind in IN_UNITS:
        table = REPOSITORY_OWNERS if _by_repository(relation) else OWNERS if relation.owner else MEMBERSHIPS
        joins.append(_on_day("membership", parameters.table(table), placed_by, day))
        if scope.ids:
            joins.append(f"AND membership.unit_id IN {parameters.one_of(scope.ids, 'BIGINT')}")
    if scope.kind is ScopeKind.PLACES:
        joined = _on_day(
            "membership", parameters.table(Places(scope.ids, scope.outside, scope.by_attributes)), placed_by, day
        )
        joins.append(f"LEFT {joined}" if scope.outside else joined)
    for position, name in enumerate(_attribute_joins(scope)):
        joins.append(_on_day(name, parameters.table(ATTRIBUTES), placed_by, day))
        joins.append(f"AND {_holds(name, position, scope, parameters)}")
    return "\n".join(joins)


def conditions_on_day(scope: ResolvedScope, relation: Relation, day: str, parameters: Parameters) -> Iterator[str]:
    """The remaining conditions on a row."""
    if relation.unit:
        yield _of_exactly(scope, f"source.{relation.unit}", parameters)
        return
    if relation.owner and is_of_people(scope):
        yield "false"
    if _by_repository(relation):
        yield f"source.{IS_AUTONOMOUS}"
        return
    yield from only(scope, f"source.{relation.placed_by}", parameters)
    if scope.kind is ScopeKind.UNASSIGNED:
        tables: tuple[Table, ...] = (OWNERS,) if relation.owner else (MEMBERSHIPS,)
        by = f"source.{relation.placed_by}"
        if relation.credited_to_owner:
            tables, by = (MEMBERSHIPS, REPOSITORY_OWNERS), person_of(scope, relation)
        trees = parameters.one_of(scope.ids, "BIGINT")
        for table in tables:
            yield (
                f"NOT EXISTS (FROM {parameters.table(table)} AS elsewhere WHERE elsewhere.id = {by}"
                f" AND elsewhere.tree_id IN {trees} AND elsewhere.first_day <= {day} AND {day} < elsewhere.end_day)"
            )


def _of_exactly(scope: ResolvedScope, unit: str, parameters: Parameters) -> str:
    """The condition on rows that belong to exactly one unit each: scopes of people, and of the unassigned, have none of
    them.
    """
    if is_of_people(scope) or scope.kind is ScopeKind.UNASSIGNED:
        return "false"
    if scope.kind is ScopeKind.ANYBODY:
        return f"{unit} IS NULL"
    return f"{unit} IN {parameters.one_of(scope.ids, 'BIGINT')}" if scope.ids else f"{unit} IS NOT NULL"


def only(scope: ResolvedScope, person: str, parameters: Parameters) -> Iterator[str]:
    """The conditions that restrict rows to the scope's person or people; none for everybody."""
    if scope.kind is ScopeKind.PERSON:
        yield f"{person} IN {parameters.one_of(scope.ids, 'BIGINT')}"
    if scope.person_id is not None:
        yield f"{person} = {parameters.add(scope.person_id, 'BIGINT')}"
    if scope.among:
        yield f"{person} IN {parameters.one_of(scope.among, 'BIGINT')}"


def joins_of_ranges(scope: ResolvedScope, person: str, parameters: Parameters) -> tuple[str, Sequence[str]]:
    """The joins with the date ranges in which a person is in scope, and the aliases of these joins.  Each has first_day
    and end_day; there is one row per combination of ranges.
    """
    joins, names = [], list(_attribute_joins(scope))
    for position, name in enumerate(_attribute_joins(scope)):
        holds = _holds(name, position, scope, parameters)
        joins.append(f"JOIN {parameters.table(ATTRIBUTES)} AS {name} ON {name}.id = {person} AND {holds}")
    if scope.kind in IN_UNITS:
        among = f"AND membership.unit_id IN {parameters.one_of(scope.ids, 'BIGINT')}" if scope.ids else ""
        joins.append(f"JOIN {parameters.table(MEMBERSHIPS)} AS membership ON membership.id = {person} {among}")
        names.append("membership")
    if scope.kind is ScopeKind.PLACES:
        places = parameters.table(Places(scope.ids, scope.outside, scope.by_attributes))
        joined = f"JOIN {places} AS membership ON membership.id = {person}"
        joins.append(f"LEFT {joined}" if scope.outside else joined)
        names.append("membership")
    if scope.kind is ScopeKind.UNASSIGNED:
        outside = _OUTSIDE.format(
            memberships=parameters.table(MEMBERSHIPS), trees=parameters.one_of(scope.ids, "BIGINT")
        )
        joins.append(f"JOIN ({outside}) AS outside ON outside.id = {person}")
        names.append("outside")
    return "\n".join(joins), names


# The date ranges in which a person is in no unit of the trees: before, between and after memberships.
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
    return bool(relation.owner) and relation.credited_to_owner


def _attribute_joins(scope: ResolvedScope) -> Sequence[str]:
    return [f"held_{position}" for position in range(len(scope.attributes))]


def _holds(name: str, position: int, scope: ResolvedScope, parameters: Parameters) -> str:
    attribute, values = scope.attributes[position]
    return (
        f"{name}.attribute_id = {parameters.add(attribute, 'BIGINT')}"
        f" AND {name}.value IN {parameters.one_of(values, 'VARCHAR')}"
    )


def _on_day(name: str, table: str, placed_by: str, day: str) -> str:
    return f"JOIN {table} AS {name} ON {name}.id = {placed_by} AND {name}.first_day <= {day} AND {day} < {name}.end_day"
